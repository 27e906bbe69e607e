"""Save the valuations of a client of one day as one change. Flushes, never commits."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from sqlalchemy import func, select

from portal.clients.records import queries, valuation_jumps
from portal.clients.records.entries import VALUATION, Entry
from portal.clients.records.limits import MAX_VALUATIONS
from portal.clients.records.models import Client, Valuation
from portal.clients.records.revisions import FieldChanges, to_json
from portal.clients.saving.day_merging import MergedDay, merge_day, product_id_of
from portal.clients.saving.edits import Edit, EditConflict, Saved
from portal.clients.saving.operations import is_duplicate_resolution, lock
from portal.clients.saving.versions import create_version
from portal.errors import InvalidInput, StaleVersion
from portal.extensions import db


class RejectedAmounts(InvalidInput):
    """Amounts that cannot be saved (422): the problem of each field.

    `to_confirm` has the amounts far from the previous valuation. The user confirms them by sending them as confirmed.
    """

    def __init__(self, problems: Mapping[str, str], to_confirm: Mapping[str, Decimal]) -> None:
        super().__init__(*next(iter(problems.items())))
        self.problems = problems
        self.to_confirm = to_confirm


class ProductsRemoved(StaleVersion):
    """Products were removed since the form was opened (409). Nothing was changed."""


def save_valuations(client: Client, day: date, edit: Edit, confirmed: Mapping[str, Decimal]) -> Saved:
    """Write the amounts of the day that differ, merged with other users' saves since, as one version.

    `edit.values` has an amount for each field (`day_merging.field_of`); None, in an undo, removes the valuation.
    `confirmed` has the amounts that the user has confirmed. A save that neither changes nor resolves anything keeps the
    version. Raises EditConflict or ProductsRemoved (409), or RejectedAmounts (422); the caller rolls back.
    """
    lock(client, edit)
    merged = merge_day(client, day, edit)
    if edit.values.keys() - merged.labels.keys():
        raise ProductsRemoved("A product has been removed since you opened this.")
    changed = merged.resolved.changes
    if rejection := rejection_of(merged, day, edit, confirmed):
        raise rejection
    if merged.resolved.unresolved:
        raise EditConflict(merged)
    resolutions, others = merged.choices_by_key, merged.merged_with
    if not changed and (not resolutions or is_duplicate_resolution(merged.newer_revisions, edit, resolutions)):
        return Saved(client.version, others, frozenset(resolutions), is_change=False)
    changes = _write(merged, day)
    version = create_version(client, changes, edit, resolutions=resolutions, merged_with=others)
    return Saved(version, others, frozenset(resolutions))


def rejection_of(merged: MergedDay, day: date, edit: Edit, confirmed: Mapping[str, Decimal]) -> RejectedAmounts | None:
    """Return every changed amount that is unusual or exceeds the valuations of its product, None without any.

    Choosing an amount on the conflict page, beside another one, confirms it. An undo restores amounts of the history.
    """
    changed = {name: amount for name, amount in merged.resolved.changes.items() if amount is not None}
    product_ids = {name: product_id_of(name) for name in changed}
    before = queries.valuations_before(product_ids.values(), day) if changed else {}
    problems, to_confirm = {}, {}
    for name, amount in changed.items():
        previous, resolution = before.get(product_ids[name]), edit.resolutions.get(name)
        is_typed = resolution.choice == "custom" if resolution else edit.reverts is None
        if is_typed and amount != confirmed.get(name) and previous and valuation_jumps.is_jump(amount, previous.amount):
            problems[name] = f"{valuation_jumps.describe_jump(amount, previous)}. Correct it, or confirm it."
            to_confirm[name] = amount
    full = _full_products([product_ids[name] for name in changed if name not in merged.saved])
    full_fields = [name for name in changed if product_ids[name] in full and name not in merged.saved]
    problems |= dict.fromkeys(full_fields, f"A product has at most {MAX_VALUATIONS:,} valuations.")
    return RejectedAmounts(problems, to_confirm) if problems else None


def _full_products(product_ids: list[int]) -> set[int]:
    """Return the products that have no room for another valuation."""
    if not product_ids:
        return set()
    counted = select(Valuation.product_id).where(Valuation.product_id.in_(product_ids)).group_by(Valuation.product_id)
    return set(db.session.scalars(counted.having(func.count() >= MAX_VALUATIONS)))


def _write(merged: MergedDay, day: date) -> FieldChanges:
    """Write the changed amounts, and return them as the history stores them."""
    changes: FieldChanges = {}
    added = []
    for name, amount in merged.resolved.changes.items():
        row = merged.saved.get(name)
        if row is None:
            added.append(Valuation(product_id=product_id_of(name), valued_on=day, amount=amount))
        elif amount is None:
            changes[Entry(VALUATION, row.id).prefix] = [VALUATION.as_json(row), None]
            db.session.delete(row)
        else:
            changes[Entry(VALUATION, row.id).key("amount")] = [to_json(row.amount), to_json(amount)]
            row.amount = amount
    db.session.add_all(added)
    db.session.flush()
    return changes | {Entry(VALUATION, row.id).prefix: [None, VALUATION.as_json(row)] for row in added}
