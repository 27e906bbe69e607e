"""Read the last visit of a profile to a client, and what other users have changed since, within another statement."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import JSON, ColumnElement, text, type_coerce

from portal.clients.records.revisions import MAX_KEYS, FieldChanges

# No value is read, except for grants of access and true or false, which sentences need.
LAST_VISIT = f"""(
    SELECT json_build_array(visit.version, visit.visited_at, (
        SELECT json_agg(json_build_array(by_id, first_name, source, changes) ORDER BY version) FROM (
            SELECT version, changed_by AS by_id, first_name, source, (
                SELECT jsonb_object_agg(key, (
                    SELECT jsonb_agg(CASE
                        WHEN key LIKE 'grant/%' OR jsonb_typeof(value) IN ('null', 'boolean') THEN value
                        ELSE 'true' END ORDER BY place)
                    FROM jsonb_array_elements(change) WITH ORDINALITY AS pair (value, place)))
                FROM (SELECT * FROM jsonb_each(changes) LIMIT {MAX_KEYS}) AS changed (key, change)) AS changes
            FROM client_revisions LEFT JOIN profiles ON profiles.id = changed_by
            WHERE client_id = visit.client_id AND client_revisions.version > visit.version
              AND changed_by IS DISTINCT FROM visit.profile_id AND changes <> '{{}}'
            ORDER BY version DESC LIMIT :visit_maximum) AS newest))
    FROM client_visits AS visit WHERE visit.profile_id = :visit_profile_id AND visit.client_id = :visit_client_id)"""  # noqa: S608


class ChangeByOther(NamedTuple):
    """A revision of another user. `changes` has at most MAX_KEYS keys, and `true` for most values that are not null.

    `first_name` is None for an import or a command.
    """

    by_id: int | None
    first_name: str | None
    source: str
    changes: FieldChanges


class LastVisit(NamedTuple):
    """The version that the profile has seen, when, and the newest changes of other users since, oldest first."""

    version: int
    at: datetime
    changes: Sequence[ChangeByOther]


def last_visit(profile_id: int, client_id: int, maximum: int) -> ColumnElement[Any]:
    """Return a SQL expression for `parse_last_visit`, with the newest `maximum` changes."""
    query = text(LAST_VISIT).bindparams(visit_profile_id=profile_id, visit_client_id=client_id, visit_maximum=maximum)
    return type_coerce(query, JSON)


def parse_last_visit(found: Sequence[Any] | None) -> LastVisit | None:
    """Return the visit, or None if the profile has never visited the client."""
    if found is None:
        return None
    version, at, changes = found
    return LastVisit(version, datetime.fromisoformat(at), [ChangeByOther(*each) for each in changes or ()])
