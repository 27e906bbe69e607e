"""Merge the valuations that a user has typed for one day with those that are saved. Reads, never writes.

The fields are the products: `amount_12` is the amount of the product 12. An empty field changes nothing, so it is not
sent. In an undo None removes a valuation. The amounts of an earlier version are the current ones with the later
revisions undone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ARRAY, Integer, any_, literal, or_, select

from portal.clients.records.entries import PRODUCT, VALUATION, Entry, split_key
from portal.clients.records.models import Client, Product, Valuation
from portal.clients.records.part_names import part_name
from portal.clients.records.revisions import ClientRevision
from portal.clients.saving.edits import Edit
from portal.clients.saving.merging import revisions_after
from portal.editing.base_version import BaseVersion
from portal.editing.merge.resolutions import Resolved, resolve
from portal.editing.merge.three_way import UNKNOWN, merge
from portal.extensions import db
from portal.formatting import gbp

AMOUNT = "amount_"


def field_of(product_id: int) -> str:
    """Return the name of the product's field."""
    return f"{AMOUNT}{product_id}"


def product_id_of(name: str) -> int:
    return int(name.removeprefix(AMOUNT))


@dataclass(frozen=True)
class MergedDay:
    """The merged amounts of one day (edits.MergedValues).

    `labels` has the client's products by field, `saved` their valuations of the day, and `last_changes` the newest
    change of each that the sender did not know, with the key of the valuation.
    """

    labels: Mapping[str, str]
    version: int
    resolved: Resolved
    saved: Mapping[str, Valuation]
    newer_revisions: Sequence[ClientRevision]
    last_changes: Mapping[str, tuple[ClientRevision, str]]

    def saved_value(self, name: str) -> Decimal | None:
        return self.saved[name].amount if name in self.saved else None

    def last_change_of(self, name: str) -> ClientRevision | None:
        return self.last_changes[name][0] if name in self.last_changes else None

    def display(self, _name: str, value: Any) -> str:
        return "" if value is None else gbp(value)

    def is_by_lines(self, _name: str) -> bool:
        return False

    @property
    def choices_by_key(self) -> dict[str, str]:
        """Return the resolutions by history key: of the saved valuation, or of the one that was removed."""
        keys = {name: key for name, (_, key) in self.last_changes.items()}
        keys |= {name: Entry(VALUATION, row.id).key("amount") for name, row in self.saved.items()}
        return {keys[name]: choice for name, choice in self.resolved.choices.items() if name in keys}

    @property
    def merged_with(self) -> list[ClientRevision]:
        """Return the revisions that changed valuations of the day and that the sender did not know."""
        versions = {revision.version for revision, _ in self.last_changes.values()}
        return [revision for revision in self.newer_revisions if revision.version in versions]


def merge_day(client: Client, day: date, edit: Edit) -> MergedDay:
    """Merge the amounts of `edit.values` with those of the day. Raises InvalidInput (422) for a future version."""
    base_version = edit.context.base_version
    history = day_history(client, day, base_version)
    saved = {field_of(row.product_id): row for row in history.rows if row.valued_on == day}
    base, theirs = history.amounts_at(base_version.version), {name: row.amount for name, row in saved.items()}
    merged = merge(
        {name: UNKNOWN if base is None else base.get(name) for name in edit.values},
        {name: theirs.get(name) for name in edit.values},
        edit.values,
        by_lines={},
        budget=edit.context.budget,
        ask=edit.resolutions.keys(),
    )
    shown = None if base_version.seen_version is None else history.amounts_at(base_version.seen_version)
    changed = (name for name in edit.values if shown is None or shown.get(name) != theirs.get(name))
    return MergedDay(
        labels=labels_of(client),
        version=client.version,
        resolved=resolve(merged, edit.resolutions, frozenset(changed)),
        saved=saved,
        newer_revisions=history.newer_revisions,
        last_changes=history.last_changes(),
    )


def labels_of(client: Client) -> dict[str, str]:
    """Return the client's products by field: ISA A0001."""
    products = db.session.scalars(select(Product).where(Product.client_id == client.id).order_by(Product.id))
    return {field_of(product.id): part_name(PRODUCT, product) for product in products}


@dataclass(frozen=True)
class DayHistory:
    """The valuations of a client that are or were of one day, and the revisions that the sender did not know."""

    client: Client
    day: date
    newer_revisions: Sequence[ClientRevision]
    rows: Sequence[Valuation]

    def amounts_at(self, version: int) -> dict[str, Decimal] | None:
        """Return the amounts of the day at an earlier version by field, None if the history does not reach back."""
        later = [revision for revision in self.newer_revisions if revision.version > version]
        if len(later) != self.client.version - version:
            return None
        state = {row.id: VALUATION.as_json(row) for row in self.rows}
        for revision in reversed(later):
            for entry, column, (old, _) in valuation_changes(revision):
                if not column and old is None:
                    state.pop(entry.id, None)
                elif not column:
                    state[entry.id] = old
                elif entry.id in state:
                    state[entry.id] = {**state[entry.id], column: old}
        of_day = (columns for columns in state.values() if columns["valued_on"] == self.day.isoformat())
        return {field_of(columns["product_id"]): Decimal(columns["amount"]) for columns in of_day}

    def last_changes(self) -> dict[str, tuple[ClientRevision, str]]:
        """Return the newest change of each field, with the key of its valuation."""
        products = {row.id: row.product_id for row in self.rows}
        ids, found = _ids_of_day(self.newer_revisions, self.day) | products.keys(), {}
        for revision in self.newer_revisions:
            for entry, column, (old, new) in valuation_changes(revision):
                product_id = products.get(entry.id) if column else (new or old)["product_id"]
                if entry.id in ids and product_id:
                    found[field_of(product_id)] = (revision, entry.prefix)
        return found


def day_history(client: Client, day: date, base_version: BaseVersion) -> DayHistory:
    """Read the valuations of the day and the revisions since `base_version`."""
    newer_revisions = revisions_after(client, base_version)
    ids = literal(sorted(_ids_of_day(newer_revisions, day)), ARRAY(Integer))
    wanted = select(Valuation).join(Product, Product.id == Valuation.product_id)
    wanted = wanted.where(Product.client_id == client.id, or_(Valuation.valued_on == day, Valuation.id == any_(ids)))
    rows = db.session.scalars(wanted.order_by(Valuation.id).execution_options(populate_existing=True)).all()
    return DayHistory(client, day, newer_revisions, rows)


def _ids_of_day(revisions: Sequence[ClientRevision], day: date) -> set[int]:
    """Return the valuations that the revisions added to the day, removed from it or moved from or to it.

    An import may have changed thousands of other days.
    """
    text, ids = day.isoformat(), set()
    for revision in revisions:
        for entry, column, change in valuation_changes(revision):
            days = [columns["valued_on"] for columns in change if columns] if not column else change
            if column != "amount" and text in days:
                ids.add(entry.id)
    return ids


def valuation_changes(revision: ClientRevision) -> Iterator[tuple[Any, str, list[Any]]]:
    """Yield the entry, the column ('' for a whole valuation) and the [old, new] of each change of a valuation."""
    for key, change in revision.changes.items():
        if key.startswith("valuation/"):
            yield *split_key(key), change
