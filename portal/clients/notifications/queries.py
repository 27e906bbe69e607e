"""Read the notifications of a profile, with what their words need. Each read checks the permission."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import text

from portal.extensions import db
from portal.notifications.unread_sql import readable
from portal.web.pagination import PAGE_SIZE, Paging

MAX_CHANGES = 20  # of a revision; a sentence names three and counts the others
MAX_VALUE_BYTES = 200  # of a change in a sentence, which needs the values of grants only


class Item(NamedTuple):
    """A notification as it is shown. `changes` are those of `version`, `form` is that of a draft.

    A notification about several clients has their number, and no client.
    """

    id: int
    kind: str
    subject: str
    version: int | None
    created_at: datetime
    is_read: bool
    client_id: int | None
    client_name: str | None
    client_ref: str | None
    client_count: int | None
    actor_id: int | None
    actor: str | None
    changes: dict[str, list[Any]] | None  # by key, old and new value; a long value is replaced by the type
    is_undo: bool
    form: str | None


def _items_sql(condition: str, order: str) -> str:
    return f"""
    SELECT notifications.id, kind, subject, notifications.version, notifications.created_at, read_at IS NOT NULL,
           clients.id, clients.name, client_ref, client_count, actor.id, actor.first_name || ' ' || actor.last_name,
           (SELECT jsonb_object_agg(key, CASE WHEN pg_column_size(value) <= {MAX_VALUE_BYTES} THEN value ELSE
                jsonb_build_array(NULLIF(jsonb_typeof(value->0), 'null'), NULLIF(jsonb_typeof(value->1), 'null')) END)
            FROM (SELECT * FROM jsonb_each(changes) LIMIT {MAX_CHANGES}) AS change),
           reverts IS NOT NULL,
           (SELECT min(form) FROM edit_drafts WHERE kind = 'draft' AND edit_drafts.profile_id = caller.id
            AND page_identifier = 'client-' || clients.id AND draft_id = subject)
    FROM profiles AS caller
    JOIN notifications ON notifications.profile_id = caller.id
    LEFT JOIN clients ON clients.id = notifications.client_id
    LEFT JOIN profiles AS actor ON actor.id = actor_id
    LEFT JOIN client_revisions AS revision
        ON revision.client_id = clients.id AND revision.version = notifications.version
    WHERE caller.id = :profile_id AND {readable()} AND {condition} {order}"""  # noqa: S608 - constants of ours


def page_of_notifications(profile_id: int, page: int) -> tuple[list[Item], Paging]:
    """Return one page of the profile's notifications, newest first."""
    total_sql = f"""SELECT count(*) FROM profiles AS caller JOIN notifications ON notifications.profile_id = caller.id
        WHERE caller.id = :profile_id AND {readable()}"""  # noqa: S608 - constants of ours
    total = db.session.scalar(text(total_sql), {"profile_id": profile_id}) or 0
    paging = Paging.near(page, total)
    newest_first = "ORDER BY notifications.created_at DESC, notifications.id DESC LIMIT :limit OFFSET :offset"
    return _items("true", newest_first, profile_id=profile_id, limit=PAGE_SIZE, offset=paging.offset), paging


def notification(profile_id: int, notification_id: int) -> Item | None:
    """Return one notification; None if it is not the profile's, or the profile may no longer read it."""
    found = _items("notifications.id = :id", "", profile_id=profile_id, id=notification_id)
    return found[0] if found else None


def _items(condition: str, order: str, **values: object) -> list[Item]:
    rows = db.session.execute(text(_items_sql(condition, order)), values)
    return [Item._make(row) for row in rows]


def fields_of(items: list[Item]) -> list[tuple[int, list[str]]]:
    """Return the changed keys with their client, for the names of parts."""
    return [(item.client_id, list(item.changes)) for item in items if item.client_id and item.changes]
