"""Describe what a change did, entry by entry and field by field, for display."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from portal.clients.history.undone import Undone, undone_in
from portal.clients.notes.queries import texts_of
from portal.clients.records.display import display_value
from portal.clients.records.entries import (
    CLIENT,
    NOTE,
    VALUATION,
    Entry,
    entries_in,
    has_known_columns,
    sort_key,
    split_key,
)
from portal.clients.records.part_names import names_of
from portal.clients.records.revisions import ClientRevision
from portal.editing.merge.budget import Budget
from portal.editing.merge.inline_diff import Segment, abridged_diff

MAX_UNFOLDED_CHARACTERS = 2_000  # of a text before and after together; longer ones are compared when unfolded


@dataclass(frozen=True)
class FieldChange:
    """One field before and after a change.

    `is_text`: a changed text of several lines. `segments` is its diff, None if that is too costly. `is_folded`: a long
    text that is compared only when the user unfolds it.
    """

    key: str
    label: str
    old: str
    new: str
    is_text: bool = False
    is_folded: bool = False
    segments: Sequence[Segment] | None = None


@dataclass(frozen=True)
class EntryChange:
    """What a change did to one entry. `name` is empty for the client itself. `action`: changed, added or removed.

    A valuation that was removed with its product is restored with it, so `can_be_undone_alone` is false. It is false
    for a note too, which is corrected or redacted instead, and for what only a newer release knows. `undone` is the
    later change that undid it.
    """

    entry: Entry
    name: str
    action: str
    fields: Sequence[FieldChange]
    can_be_undone_alone: bool = True
    undone: Undone | None = None


def entry_changes(
    found: Sequence[ClientRevision], max_entries: int | None, budget: Budget, *, unfold: bool
) -> dict[int, list[EntryChange]]:
    """Return the changes of each version, of at most `max_entries` entries each.

    All texts are compared within one budget. `unfold` also compares the long ones.
    """
    shown = {revision.version: entries_in(revision.changes)[:max_entries] for revision in found}
    parts = {
        entry: revision.client_id for revision in found for entry in shown[revision.version] if entry.id is not None
    }
    removed = {
        entry: next(columns for columns in revision.changes[entry.prefix] if columns is not None)
        for revision in found
        for entry in shown[revision.version]
        if entry.prefix in revision.changes
    }
    undone = undone_in(found[0].client_id, found) if found else {}
    texts = texts_of([entry.id for entry in parts if entry.kind is NOTE and entry.id is not None])
    builder = _EntryChanges(names_of(parts, removed), budget, unfold, undone, texts)
    return {each.version: builder.of_revision(each, shown[each.version]) for each in found}


@dataclass(frozen=True)
class _EntryChanges:
    """Build the entry changes of one page."""

    names: Mapping[Entry, str]
    budget: Budget
    unfold: bool
    undone: Mapping[tuple[int, str], Undone]
    note_texts: Mapping[int, str]

    def of_revision(self, revision: ClientRevision, entries: Sequence[Entry]) -> list[EntryChange]:
        columns: dict[Entry, list[str]] = defaultdict(list)
        for key in sorted(revision.changes, key=sort_key):
            entry, column = split_key(key)
            if column:
                columns[entry].append(column)
        return [self._of_entry(revision, entry, columns[entry]) for entry in entries]

    def _of_entry(self, revision: ClientRevision, entry: Entry, columns: Sequence[str]) -> EntryChange:
        found = replace(self._of(revision, entry, columns), undone=self.undone.get((revision.version, entry.prefix)))
        return self._with_text(found) if entry.kind is NOTE else found

    def _with_text(self, found: EntryChange) -> EntryChange:
        """Return the change of a note with the note's present text, which the history does not have."""
        text = self.note_texts.get(found.entry.id or 0, "") if found.action == "added" else ""
        shown = [FieldChange(found.entry.key("text"), NOTE.labels["text"], "", text)] if text else []
        return replace(found, fields=[*found.fields, *shown], can_be_undone_alone=False)

    def _of(self, revision: ClientRevision, entry: Entry, columns: Sequence[str]) -> EntryChange:
        name = "" if entry.kind is CLIENT else self.names.get(entry, f"a {entry.kind.label}")
        if entry.prefix not in revision.changes:
            fields = [self._field(revision, entry, column) for column in columns]
            return EntryChange(entry, name, "changed", fields, can_be_undone_alone=has_known_columns(entry, columns))
        old, new = revision.changes[entry.prefix]
        is_valuation_removed = new is None and entry.kind is VALUATION
        is_removed_with_product = is_valuation_removed and f"product/{old['product_id']}" in revision.changes
        return EntryChange(
            entry,
            name,
            action="added" if old is None else "removed",
            fields=list(_fields_of_part(entry, old, new)),
            can_be_undone_alone=entry.kind.is_known and not is_removed_with_product,
        )

    def _field(self, revision: ClientRevision, entry: Entry, column: str) -> FieldChange:
        old, new = revision.changes[entry.key(column)]
        is_text = column in entry.kind.by_lines and bool(old and new)
        is_folded = is_text and not self.unfold and len(old) + len(new) > MAX_UNFOLDED_CHARACTERS
        return FieldChange(
            key=entry.key(column),
            label=entry.kind.label_of(column),
            old=display_value(entry.kind, column, old),
            new=display_value(entry.kind, column, new),
            is_text=is_text,
            is_folded=is_folded,
            segments=abridged_diff(old, new, self.budget) if is_text and not is_folded else None,
        )


def _fields_of_part(
    entry: Entry, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None
) -> Iterator[FieldChange]:
    """Yield the non-empty fields of an added or removed entry."""
    for column, label in entry.kind.labels.items():
        was, now = (display_value(entry.kind, column, each.get(column)) if each else "" for each in (old, new))
        if was or now:
            yield FieldChange(entry.key(column), label, was, now)
