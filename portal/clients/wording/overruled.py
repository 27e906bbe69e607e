"""Notify users whose values were overruled: by a resolution, in the editor or by an undo.

Each has one row with the keys that were theirs. The values stay in the history, so a user who loses access sees none.
Must not import Flask.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, select, text

from portal.clients.records.display import display_value
from portal.clients.records.entries import Entry, sort_key, split_key
from portal.clients.records.models import Client
from portal.clients.records.part_names import names_of
from portal.clients.saving.overruled import RETENTION, OverruledChange
from portal.extensions import db
from portal.notifications import store as notifications
from portal.notifications.kinds import Kind, overruled_subject

MAX_NOTICES = 5  # shown, newest first

NOTICES = text("""
    SELECT version, keys, reverts, reason, changed_at, profiles.first_name,
           (SELECT jsonb_object_agg(key, changes -> key) FROM jsonb_array_elements_text(keys) AS key) AS changes
    FROM overruled_changes
    JOIN client_revisions USING (client_id, version)
    JOIN profiles ON profiles.id = changed_by
    WHERE profile_id = :profile_id AND client_id = :client_id AND at > now() - :retention
    ORDER BY version DESC LIMIT :maximum""")


KEYS_SINCE = text("""
    SELECT version, keys FROM overruled_changes
    WHERE profile_id = :profile_id AND client_id = :client_id AND version > :version AND at > now() - :retention""")


@dataclass(frozen=True)
class Line:
    """One replaced value, or a part that an undo removed or restored, described by `what`.

    `is_text`: a text of several lines, which the change itself shows better.
    """

    entry: Entry
    column: str
    label: str
    old: str
    new: str
    is_text: bool
    what: str = ""


@dataclass(frozen=True)
class Notice:
    """One change that overruled the reader. `is_undo`: it undid the reader's change, possibly with a `reason`."""

    version: int
    by: str
    at: datetime
    is_undo: bool
    reason: str
    lines: Sequence[Line]


def has_notices(profile_id: int, client_id: int) -> ColumnElement[bool]:
    """Return a SQL column: whether `notices_for` may find any. Most pages have none, and spare its statement."""
    mine = (OverruledChange.profile_id == profile_id, OverruledChange.client_id == client_id)
    return exists().where(*mine)


def notices_for(profile_id: int, client: Client) -> list[Notice]:
    """Return the profile's newest notices that it has not dismissed."""
    values = {"profile_id": profile_id, "client_id": client.id, "retention": RETENTION, "maximum": MAX_NOTICES}
    rows = db.session.execute(NOTICES, values).all()
    parts = {split_key(key)[0] for row in rows for key in row.keys}
    removed = {
        split_key(key)[0]: old or new
        for row in rows
        for key, (old, new) in row.changes.items()
        if not split_key(key)[1]
    }
    names = names_of(dict.fromkeys((part for part in parts if part.id is not None), client.id), removed) if rows else {}
    return [
        Notice(
            version=row.version,
            by=row.first_name,
            at=row.changed_at,
            is_undo=row.reverts is not None,
            reason=row.reason,
            lines=list(_lines(row, names)),
        )
        for row in rows
    ]


def keys_since(profile_id: int, client: Client, version: int) -> dict[int, Collection[str]]:
    """Return the profile's own keys that each change after `version` overruled, by version."""
    values = {"profile_id": profile_id, "client_id": client.id, "version": version, "retention": RETENTION}
    return {row.version: row.keys for row in db.session.execute(KEYS_SINCE, values)}


def settle(profile_id: int, client: Client, version: int, keys: Collection[str]) -> None:
    """Remove the keys that the profile has restored from its notice of that version. Flushes."""
    mine = (profile_id, client.id, version)
    row = db.session.get(OverruledChange, mine)
    if row is None:
        return
    row.keys = [key for key in row.keys if key not in keys]
    if not row.keys:
        db.session.delete(row)
    db.session.flush()


def dismiss(profile_id: int, client: Client, version: int) -> None:
    """Delete the profile's notice of that version if it exists, and mark its notification as read. Flushes."""
    mine = select(OverruledChange).where(
        OverruledChange.profile_id == profile_id,
        OverruledChange.client_id == client.id,
        OverruledChange.version == version,
    )
    for row in db.session.scalars(mine):
        db.session.delete(row)
    db.session.flush()
    notifications.mark_read_about(profile_id, Kind.OVERRULED, client.id, overruled_subject(version))


def _lines(row: Any, names: dict[Entry, str]) -> Iterator[Line]:
    for key in sorted(row.keys, key=sort_key):
        entry, column = split_key(key)
        old, new = row.changes[key]
        name = names.get(entry, "")
        if not column:
            yield Line(entry, "", name, "", "", False, f"{name} is {'removed' if new is None else 'back'}")
            continue
        label = entry.kind.label_of(column)
        yield Line(
            entry=entry,
            column=column,
            label=f"{label} of {name}" if name else label,
            old=display_value(entry.kind, column, old),
            new=display_value(entry.kind, column, new),
            is_text=column in entry.kind.by_lines,
        )
