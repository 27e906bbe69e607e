"""Merge the valuations that a user has typed for one day with those that are saved. Reads, never writes.

The fields are the products: `amount_12` is the amount of the product 12. An empty field changes nothing, so it is not
sent. In an undo None removes a valuation. The amounts of an earlier version are the current ones with the later
revisions undone.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple

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
State = dict[Any, dict[str, Any]]  # {id of a valuation: its columns, as the history stores them}


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
    theirs = {name: row.amount for name, row in saved.items()}
    base = {name: history.amount_at(name, base_version.version_of(name), theirs.get(name)) for name in edit.values}
    merged = merge(
        base,
        {name: theirs.get(name) for name in edit.values},
        edit.values,
        by_lines={},
        budget=edit.context.budget,
        ask=edit.resolutions.keys(),
    )
    shown = None if base_version.seen_version is None else history.amounts_at(base_version.seen_version)
    changed = (name for name in edit.values if shown is None or shown.get(name) != theirs.get(name))
    resolved = resolve(merged, edit.resolutions, frozenset(changed))
    choices = {**_overruled(history, edit, base, theirs), **resolved.choices}
    return MergedDay(
        labels=labels_of(client),
        version=client.version,
        resolved=replace(resolved, choices=choices),
        saved=saved,
        newer_revisions=history.newer_revisions,
        last_changes=history.last_changes(),
    )


def _overruled(
    history: "DayHistory", edit: Edit, base: Mapping[str, Any], theirs: Mapping[str, Decimal]
) -> dict[str, str]:
    """Return the fields whose newer amount the user was shown in the open grid and did not accept."""
    started_from = edit.context.base_version
    return {
        name: "yours"
        for name in started_from.seen.keys() & edit.values.keys()
        if edit.values[name] != base[name]
        and history.amount_at(name, started_from.version, theirs.get(name)) != base[name]
    }


def labels_of(client: Client) -> dict[str, str]:
    """Return the client's products by field: ISA A0001."""
    products = db.session.scalars(select(Product).where(Product.client_id == client.id).order_by(Product.id))
    return {field_of(product.id): part_name(PRODUCT, product) for product in products}


class AmountChange(NamedTuple):
    """The amount of one field, before and after a revision that changed the valuation `entry`."""

    revision: ClientRevision
    entry: Entry
    before: Decimal | None
    after: Decimal | None


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
        state = self._present_state()
        for revision in reversed(later):
            _undo(state, valuation_changes(revision))
        return {name: amount for name, (_, amount) in self._of_day(state).items()}

    def amount_at(self, name: str, version: int, present: Decimal | None) -> Any:
        """Return the amount of one field at an earlier version, UNKNOWN if the history does not reach back."""
        if version < self.client.version - len(self.newer_revisions):
            return UNKNOWN
        later = (change for change in self.changes.get(name, ()) if change.revision.version > version)
        first = next(later, None)
        return first.before if first else present

    @cached_property
    def changes(self) -> Mapping[str, Sequence[AmountChange]]:
        """Return the changes of the day's amounts by field, the oldest first."""
        found: dict[str, list[AmountChange]] = defaultdict(list)
        state = self._present_state()
        for revision in reversed(self.newer_revisions):
            changed = list(valuation_changes(revision))
            ids = {entry.id for entry, _, _ in changed}
            after = self._of_day({id_: state[id_] for id_ in ids & state.keys()})
            _undo(state, changed)
            before = self._of_day({id_: state[id_] for id_ in ids & state.keys()})
            for name in before.keys() | after.keys():
                (id_, old), (new_id, new) = before.get(name, (None, None)), after.get(name, (None, None))
                if old != new:
                    found[name].append(AmountChange(revision, Entry(VALUATION, new_id or id_), old, new))
        return {name: changes[::-1] for name, changes in found.items()}

    def _present_state(self) -> State:
        return {row.id: VALUATION.as_json(row) for row in self.rows}

    def _of_day(self, state: State) -> dict[str, tuple[int, Decimal]]:
        """Return the id and the amount of each valuation that is of the day, by field."""
        return {
            field_of(columns["product_id"]): (id_, Decimal(columns["amount"]))
            for id_, columns in state.items()
            if columns["valued_on"] == self.day.isoformat()
        }

    def last_changes(self) -> dict[str, tuple[ClientRevision, str]]:
        """Return the newest change of each field, with the key of its valuation."""
        return {name: (changes[-1].revision, changes[-1].entry.prefix) for name, changes in self.changes.items()}


def _undo(state: State, changes: Iterable[tuple[Any, str, list[Any]]]) -> None:
    """Bring the valuations by id to the state before the changes."""
    for entry, column, (old, _) in changes:
        if not column and old is None:
            state.pop(entry.id, None)
        elif not column:
            state[entry.id] = old
        elif entry.id in state:
            state[entry.id] = {**state[entry.id], column: old}


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
