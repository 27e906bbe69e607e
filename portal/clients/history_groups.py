"""What a change did, entry by entry and field by field, as people read it. Called by history.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portal.clients.entries import CLIENT, VALUATION, Entry, entries_in
from portal.clients.part_names import names_of
from portal.clients.readable import readable
from portal.clients.revisions import ClientRevision
from portal.editing.differences import Piece, differences


@dataclass(frozen=True)
class Line:
    """One field: what it was and what it became. `pieces`: what was done to a long text."""

    label: str
    old: str
    new: str
    pieces: Sequence[Piece] = ()


@dataclass(frozen=True)
class Group:
    """What a change did to one entry. `name` is empty for the client itself; `doing` is changed, added or removed. What
    was removed with its product comes back with it: it `is_undone_alone` only without.
    """

    entry: Entry
    name: str
    doing: str
    lines: Sequence[Line]
    is_undone_alone: bool = True


def groups_of(found: Sequence[ClientRevision], most: int | None) -> dict[int, list[Group]]:
    """Version → what it did, to at most so many entries each."""
    shown = {revision.version: entries_in(revision.changes)[:most] for revision in found}
    parts = {entry for entries in shown.values() for entry in entries if entry.id is not None}
    removed = {
        entry: next(columns for columns in revision.changes[entry.prefix] if columns is not None)
        for revision in found
        for entry in shown[revision.version]
        if entry.prefix in revision.changes
    }
    names = names_of(parts, removed)
    return {each.version: [_group(each, entry, names) for entry in shown[each.version]] for each in found}


def _group(revision: ClientRevision, entry: Entry, names: Mapping[Entry, str]) -> Group:
    name = "" if entry.kind is CLIENT else names.get(entry, f"a {entry.kind.label}")
    if entry.prefix not in revision.changes:
        columns = [column for column in entry.kind.labels if entry.key(column) in revision.changes]
        return Group(entry, name, "changed", [_line(revision, entry, column) for column in columns])
    old, new = revision.changes[entry.prefix]
    kept = new if old is None else old
    shown = {label: readable(entry.kind, column, kept.get(column)) for column, label in entry.kind.labels.items()}
    lines = [Line(label, *(("", value) if old is None else (value, ""))) for label, value in shown.items() if value]
    went_along = new is None and entry.kind is VALUATION and f"product/{old['product_id']}" in revision.changes
    return Group(entry, name, "added" if old is None else "removed", lines, is_undone_alone=not went_along)


def _line(revision: ClientRevision, entry: Entry, column: str) -> Line:
    old, new = revision.changes[entry.key(column)]
    is_text = column in entry.kind.rules.by_lines and old and new
    return Line(
        label=entry.kind.labels[column],
        old=readable(entry.kind, column, old),
        new=readable(entry.kind, column, new),
        pieces=differences(old, new) if is_text else (),
    )
