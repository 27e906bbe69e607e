"""Find the changes of a client record that were undone, by an undo that still applies."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select

from portal.auth.directory import name_of
from portal.clients.records.entries import entries_in
from portal.clients.records.revisions import MAX_KEYS, ClientRevision
from portal.extensions import db

MAX_REVERTS = 100  # the newest that are looked at


class Undone(NamedTuple):
    """The change that undid another one: its version, its author and its time."""

    version: int
    who: str
    at: datetime


def undone_in(client_id: int, found: Sequence[ClientRevision]) -> dict[tuple[int, str], Undone]:
    """Return what has undone these revisions, by (version, key of the entry).

    An undo that was undone itself is ignored. The query reads the undos of the oldest of `found` and of later
    revisions, without their values.
    """
    if not found:
        return {}
    reverts = _reverts(client_id, min(revision.version for revision in found))
    undone: dict[tuple[int, str], _Revert] = {}
    for revert in reverts:  # newest first, so it is known whether a later undo has undone this one
        for entry in entries_in(revert.keys):
            if (revert.version, entry.prefix) not in undone:
                undone.setdefault((revert.reverts, entry.prefix), revert)
    versions = {revision.version for revision in found}
    return {key: _undone(revert) for key, revert in undone.items() if key[0] in versions}


class _Revert(NamedTuple):
    """An undo without its values: `keys` are those that it changed."""

    version: int
    reverts: int
    changed_by: int | None
    changed_at: datetime
    keys: Sequence[str]


def _reverts(client_id: int, since: int) -> Iterable[_Revert]:
    key = func.jsonb_object_keys(ClientRevision.changes).column_valued("key")
    keys = func.array(select(key).limit(MAX_KEYS).scalar_subquery())
    rows = (
        select(
            ClientRevision.version,
            ClientRevision.reverts,
            ClientRevision.changed_by,
            ClientRevision.changed_at,
            keys.label("keys"),
        )
        .where(ClientRevision.client_id == client_id, ClientRevision.reverts >= since, ClientRevision.changes != {})
        .order_by(ClientRevision.version.desc())
        .limit(MAX_REVERTS)
    )
    return map(_Revert._make, db.session.execute(rows))


def _undone(revert: _Revert) -> Undone:
    return Undone(revert.version, name_of(revert.changed_by) or "a command", revert.changed_at)
