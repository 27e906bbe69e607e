"""Preview what undoing a change would do now.

Uses the same merge as the undo itself, without the lock. The undo asks about later saves of other users. Reads, never
writes. Must not import Flask.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, exists, select

from portal.auth import Profile
from portal.clients.history import revert
from portal.clients.history.day_undo import WHOLE_DAY, DayUndo
from portal.clients.history.undone import Undone, undone_in
from portal.clients.records.display import display_columns, display_value
from portal.clients.records.entries import PRODUCT, VALUATION, Entry, entries_in
from portal.clients.records.models import Client, Product, Valuation
from portal.clients.records.part_names import names_of, part_name
from portal.clients.records.revisions import ClientRevision, last_change, to_json
from portal.clients.saving import operations
from portal.clients.saving.day_merging import MergedDay
from portal.clients.saving.edits import Edit, Merged
from portal.clients.saving.merging import merge_with_current, row_of
from portal.clients.saving.write_context import preview_context
from portal.clients.wording import sentences
from portal.clients.wording.names import names_in
from portal.editing.base_version import BaseVersion
from portal.editing.merge.budget import Budget
from portal.editing.merge.inline_diff import Segment, inline_diff
from portal.extensions import db
from portal.formatting import day


@dataclass(frozen=True)
class FieldPreview:
    """One field `now` and `after` the undo.

    `changed_by` is the user who has changed it since, so that the undo asks. `segments` is the diff of a text, None if
    that is too costly.
    """

    label: str
    now: str
    after: str
    changed_by: str = ""
    is_text: bool = False
    segments: Sequence[Segment] | None = None

    @property
    def is_unchanged(self) -> bool:
        return self.now == self.after and not self.changed_by


@dataclass(frozen=True)
class Preview:
    """What the undo does to one entry, or to the valuations of a day (`entry` is None).

    `action`: changed, removed or added. `problem`: why the undo is impossible.
    """

    entry: Entry | None
    name: str
    action: str
    fields: Sequence[FieldPreview]
    valuation_count: int = 0
    problem: str = ""
    undone: Undone | None = None

    @property
    def prefix(self) -> str:
        """Return what the form sends as `entry`."""
        return self.entry.prefix if self.entry else WHOLE_DAY

    @property
    def is_possible(self) -> bool:
        return not self.problem and (self.action != "changed" or not all(field.is_unchanged for field in self.fields))


def preview(client: Client, revision: ClientRevision, entry: Entry, reader: Profile, budget: Budget) -> Preview:
    """Return the preview. Raises EntryRemoved (409) for a part that was removed since, or NotFound (404)."""
    undone = undone_in(client.id, [revision]).get((revision.version, entry.prefix))
    if entry.prefix not in revision.changes:
        return _of_values(client, revision, entry, budget, undone)
    old, _ = revision.changes[entry.prefix]
    if old is None:
        return _of_removal(client, revision, entry, reader, undone)
    return _of_return(revision, entry, undone)


def preview_of_day(undo: DayUndo, budget: Budget) -> Preview:
    """Return the preview of the undo of all valuations that a change entered, product by product."""
    revision = undo.revision
    merged = undo.merged(Edit(preview_context(BaseVersion(revision.version), budget)))
    asked = {conflict.field for conflict in merged.resolved.unresolved}
    fields = [_amount(merged, name, before, is_asked=name in asked) for name, before in undo.values.items()]
    undone = undone_in(undo.client.id, [revision])
    all_undone = [undone.get((revision.version, entry.prefix)) for entry in entries_in(revision.changes)]
    name = f"the valuations of {day(undo.day)}"
    return Preview(None, name, "changed", fields, undone=all_undone[0] if all(all_undone) else None)


def _amount(merged: MergedDay, name: str, before: Decimal | None, *, is_asked: bool) -> FieldPreview:
    now, last = merged.saved_value(name), merged.last_change_of(name) if is_asked else None
    after = before if is_asked else merged.resolved.changes.get(name, now)
    return FieldPreview(
        label=merged.labels[name],
        now=merged.display(name, now),
        after=merged.display(name, after),
        changed_by=sentences.author_name(last) if last else "",
    )


def _of_values(
    client: Client, revision: ClientRevision, entry: Entry, budget: Budget, undone: Undone | None
) -> Preview:
    values = revert.values_before(revision, entry)
    context = preview_context(BaseVersion(revision.version), budget)
    merged = merge_with_current(client, entry, Edit(context, values))
    adviser_id = merged.resolved.changes.get("adviser_id")
    problem = operations.adviser_problem(db.session.get_one(Profile, adviser_id)) if adviser_id else ""
    fields = [_field(merged, name, before, budget) for name, before in values.items()]
    name = names_of({entry: client.id}, {}).get(entry, "")
    return Preview(entry, name, "changed", fields, problem=problem, undone=undone)


def _field(merged: Merged, name: str, before: Any, budget: Budget) -> FieldPreview:
    entry, now = merged.entry, getattr(merged.row, name)
    is_asked = any(conflict.field == name for conflict in merged.resolved.unresolved)
    after = before if is_asked else merged.resolved.changes.get(name, now)
    last = last_change(merged.newer_revisions, entry.key(name)) if is_asked else None
    is_text = name in entry.kind.by_lines and bool(now and after) and now != after
    return FieldPreview(
        label=entry.kind.labels[name],
        now=display_value(entry.kind, name, to_json(now)),
        after=display_value(entry.kind, name, to_json(after)),
        changed_by=sentences.author_name(last) if last else "",
        is_text=is_text,
        segments=inline_diff(now, after, budget) if is_text else None,
    )


def _of_removal(
    client: Client, revision: ClientRevision, entry: Entry, reader: Profile, undone: Undone | None
) -> Preview:
    row = row_of(client, entry)
    product = db.session.get(Product, row.product_id) if isinstance(row, Valuation) else None
    name = part_name(entry.kind, row, product)
    removed = operations.with_valuations(entry, row)
    newer_revisions = operations.revisions_affecting(client, removed, BaseVersion(revision.version))
    changes = sentences.changes_by(newer_revisions, reader, names_in(client.id, newer_revisions))
    problem = f"{name} has been changed since: {sentences.join_words(changes)}." if newer_revisions else ""
    valuation_count = len(removed) - 1
    fields = [FieldPreview(label, now, "") for label, now in display_columns(entry.kind, row)]
    return Preview(entry, name, "removed", fields, valuation_count, problem, undone)


def _of_return(revision: ClientRevision, entry: Entry, undone: Undone | None) -> Preview:
    columns = revision.changes[entry.prefix][0]
    shown = ((label, display_value(entry.kind, name, columns.get(name))) for name, label in entry.kind.labels.items())
    fields = [FieldPreview(label, "", text) for label, text in shown if text]
    count = sum(part.kind is VALUATION for part, _ in revert.removed_by(revision)) if entry.kind is PRODUCT else 0
    problem = next(_problems_of_return(entry, columns), "")
    name = names_of({entry: revision.client_id}, {entry: columns}).get(entry, "")
    return Preview(entry, name, "added", fields, count, problem, undone)


def _problems_of_return(entry: Entry, columns: Any) -> Iterator[str]:
    if db.session.get(entry.kind.model, entry.id) is not None:
        yield "It is there already."
    if entry.kind is PRODUCT and _is_there(Product.plan_number == columns["plan_number"]):
        yield operations.UNIQUE_VIOLATIONS["uq_products_plan_number"][1]
    if entry.kind is VALUATION and not _is_there(Product.id == columns["product_id"]):
        yield operations.UNIQUE_VIOLATIONS["fk_valuations_product_id"][1]


def _is_there(condition: ColumnElement[bool]) -> bool:
    return bool(db.session.scalar(select(exists().where(condition))))
