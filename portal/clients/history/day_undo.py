"""Undo a change that entered valuations of one day, such as a grid, as one change.

Each product is a field of its own: what other users have changed since is a conflict of that product. Must not import
Flask.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select

from portal.clients.records.entries import VALUATION, entries_in, split_key
from portal.clients.records.models import Client, Product, Valuation
from portal.clients.records.revisions import ClientRevision
from portal.clients.saving.day_merging import MergedDay, field_of, labels_of, merge_day, valuation_changes
from portal.clients.saving.edits import Edit, Saved
from portal.clients.saving.merging import revisions_after
from portal.clients.saving.valuations import save_valuations
from portal.editing.base_version import BaseVersion
from portal.errors import InvalidInput
from portal.extensions import db

WHOLE_DAY = "valuations"  # what is undone, in place of the key of an entry
NOT_OF_ONE_DAY = "cannot be valuations: this change did not only enter valuations of one day"


@dataclass(frozen=True)
class DayUndo:
    """The amounts of the day from before the revision, by field (`day_merging.field_of`). None removes a valuation."""

    client: Client
    revision: ClientRevision
    day: date
    values: Mapping[str, Decimal | None]

    def merged(self, edit: Edit) -> MergedDay:
        """Return what `save` would write. Without the lock."""
        return merge_day(self.client, self.day, self._as_undo(edit))

    def save(self, edit: Edit, confirmed: Mapping[str, Decimal]) -> Saved:
        """Undo the change. `edit` has the author and, from the conflict page, the resolutions. As `save_valuations`."""
        return save_valuations(self.client, self.day, self._as_undo(edit), confirmed)

    def _as_undo(self, edit: Edit) -> Edit:
        base_version = replace(edit.context.base_version, version=self.revision.version)
        context = replace(edit.context, base_version=base_version, source="revert")
        return replace(edit, context=context, reverts=self.revision.version, values=self.values)


def can_be_undone_whole(revision: ClientRevision) -> bool:
    """Return whether the revision only added several valuations, or changed their amounts, of one day."""
    if revision.source == "import" or len(entries_in(revision.changes)) < 2:
        return False
    added_days = set()
    for key, (old, new) in revision.changes.items():
        entry, column = split_key(key)
        if entry.kind is not VALUATION or not (column == "amount" or (not column and old is None)):
            return False
        if not column:
            added_days.add(new["valued_on"])
    return len(added_days) <= 1


def undo_of_day(client: Client, revision: ClientRevision) -> DayUndo:
    """Return the undo of a whole day, without the products that were removed since.

    Raises InvalidInput (422) for any other change, and for one whose valuations are not known any more.
    """
    places = dict(_places(client, revision)) if can_be_undone_whole(revision) else {}
    ids = {entry.id for entry in entries_in(revision.changes) if entry.id is not None}
    days = {places[id_].day for id_ in ids & places.keys()}
    if ids - places.keys() or len(days) != 1:
        raise InvalidInput("entry", NOT_OF_ONE_DAY)
    amounts = {
        field_of(places[entry.id].product_id): Decimal(old) if column else None
        for entry, column, (old, _) in valuation_changes(revision)
    }
    products = labels_of(client)
    values = {name: amount for name, amount in amounts.items() if name in products}
    return DayUndo(client, revision, date.fromisoformat(days.pop()), values)


class _Place(NamedTuple):
    """The product and the day of a valuation, the day as 2026-12-08."""

    product_id: int
    day: str


def _places(client: Client, revision: ClientRevision) -> Iterator[tuple[int, _Place]]:
    """Yield the id and the place of each valuation, as it was at the revision: the last one of an id counts."""
    ids = [entry.id for entry in entries_in(revision.changes)]
    rows = select(Valuation).join(Product).where(Product.client_id == client.id, Valuation.id.in_(ids))
    products = {}
    for row in db.session.scalars(rows):
        products[row.id] = row.product_id
        yield row.id, _Place(row.product_id, row.valued_on.isoformat())
    for later in (*reversed(revisions_after(client, BaseVersion(revision.version))), revision):
        for entry, column, (old, new) in valuation_changes(later):
            if not column:
                columns = new or old
                products[entry.id] = columns["product_id"]
                yield entry.id, _Place(columns["product_id"], columns["valued_on"])
            elif column == "valued_on" and entry.id in products:
                yield entry.id, _Place(products[entry.id], old)
