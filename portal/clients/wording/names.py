"""Read the names of the parts that changes touch."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Any

from portal.clients.records.entries import Entry, entries_in
from portal.clients.records.part_names import full_name, names_of
from portal.clients.records.revisions import Author, ClientRevision

MAX_PARTS = 10  # of one change; a sentence names three and counts the others
Names = Mapping[Entry, str]


def names_in(
    client_id: int, revisions: Iterable[ClientRevision | Author], known: Names = MappingProxyType({})
) -> Names:
    """Return the names of the first parts that each revision touches, also of removed parts.

    `known` are names that the caller has read already.
    """
    parts: dict[Entry, int] = {}
    removed: dict[Entry, Mapping[str, Any]] = {}
    for revision in revisions:
        touched = _parts_in(revision.changes)
        parts |= dict.fromkeys(touched, client_id)
        if isinstance(revision, ClientRevision):
            whole = [part for part in touched if part.prefix in revision.changes]
            removed |= {part: next(filter(None, revision.changes[part.prefix])) for part in whole}
            parts |= dict.fromkeys(_parts_in(revision.resolutions), client_id)
    unknown = {part: owner for part, owner in parts.items() if part not in known}
    return {**known, **names_of(unknown, removed, full_name)} if unknown else known


def names_of_fields(fields: Iterable[tuple[int, Sequence[str]]]) -> Names:
    """Return the names of the first parts in each of `fields`: (id of a client, keys)."""
    parts = {part: client_id for client_id, keys in fields for part in _parts_in(keys)}
    return names_of(parts, {}, full_name) if parts else {}


def _parts_in(keys: Iterable[str]) -> list[Entry]:
    return list(islice((entry for entry in entries_in(keys) if entry.id is not None), MAX_PARTS))
