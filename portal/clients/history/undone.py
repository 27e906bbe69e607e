"""Which changes of a client record have been undone, and not restored since. Called by history.py and the undo page."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

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
    """(version, key of the entry) → what has undone that, for these revisions.

    An undo that was undone itself no longer counts. Only later revisions can undo one, so those from the oldest of
    `found` on are read, without their values.
    """
    if not found:
        return {}
    reverts = _reverts(client_id, min(revision.version for revision in found))
    standing: dict[tuple[int, str], Any] = {}
    for revert in reverts:  # the newest first: whether it still stands is known by then
        for entry in entries_in(revert.keys):
            if (revert.version, entry.prefix) not in standing:
                standing.setdefault((revert.reverts, entry.prefix), revert)
    versions = {revision.version for revision in found}
    return {key: _undone(revert) for key, revert in standing.items() if key[0] in versions}


def _reverts(client_id: int, since: int) -> Iterable[Any]:
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
    return db.session.execute(rows).all()


def _undone(revert: Any) -> Undone:
    return Undone(revert.version, name_of(revert.changed_by) or "a command", revert.changed_at)
