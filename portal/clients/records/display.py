"""Format values of the history for pages and for the controls of forms.

Takes values as revisions store them, as JSON. Only the name of an adviser is looked up. Must not import forms.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from portal.auth.directory import name_of
from portal.clients.records import choices
from portal.clients.records.entries import EntryKind
from portal.clients.records.models import Record
from portal.clients.records.revisions import to_json
from portal.formatting import day, gbp, percent


def display_value(kind: EntryKind, column: str, value: object) -> str:
    """Return the text of one column's value: "Family", "8 Dec 2026", "£1,200.00", or "" for an empty one."""
    if value is None or value == "":
        return ""
    parsed = kind.parsed(column, value)
    if isinstance(parsed, date):
        return day(parsed)
    return FORMATTERS.get((kind.name, column), str)(parsed)


def display_columns(kind: EntryKind, row: Record) -> list[tuple[str, str]]:
    """Return (label, value) of every column of a row that is not empty."""
    shown = (
        (label, display_value(kind, column, to_json(getattr(row, column)))) for column, label in kind.labels.items()
    )
    return [(label, value) for label, value in shown if value]


def form_value(value: object) -> str:
    """Return the value as a form's control shows it."""
    return "" if value is None else str(value)


def _one_of(labels: Mapping[str, str]) -> Callable[[Any], str]:
    return lambda value: labels.get(value, str(value))


FORMATTERS: Mapping[tuple[str, str], Callable[[Any], str]] = {
    ("", "client_type"): _one_of(choices.CLIENT_TYPES),
    ("", "status"): _one_of(choices.CLIENT_STATUSES),
    ("", "adviser_id"): name_of,
    ("", "risk_profile"): lambda step: f"{step} of {choices.RISK_PROFILES[-1]}",
    ("", "capacity_for_loss"): _one_of(choices.CAPACITIES_FOR_LOSS),
    ("", "is_restricted"): lambda value: "Yes" if value else "No",
    ("grant", "profile_id"): name_of,
    ("note", "kind"): _one_of(choices.NOTE_KINDS),
    ("note", "edits"): lambda edits: f"correction {edits}" if edits else "as first written",
    ("note", "redacted_by"): lambda profile_id: f"by {name_of(profile_id)}",
    ("product", "product_type"): _one_of(choices.PRODUCT_TYPES),
    ("product", "status"): _one_of(choices.PRODUCT_STATUSES),
    ("product", "fixed_fee"): gbp,
    ("product", "percentage_fee"): percent,
    ("valuation", "amount"): gbp,
}
