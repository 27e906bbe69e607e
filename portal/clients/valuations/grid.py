"""Describe the grid of a client's valuations of one day: its rows, form, draft and totals. Must not import views."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, cast

from flask import url_for
from sqlalchemy import Row
from werkzeug.datastructures import MultiDict
from wtforms import HiddenField, TextAreaField, ValidationError
from wtforms.validators import Optional

from portal import clock
from portal.clients.editor.drafts import aside_of
from portal.clients.editor.form_fields import (
    AmountField,
    EntryForm,
    Plausible,
    Required,
    check_characters,
    day_field,
)
from portal.clients.records.entries import PRODUCT, VALUATION, Entry
from portal.clients.records.limits import MAX_DATE, MAX_PRODUCTS, MIN_DATE
from portal.clients.records.models import Client, Valuation
from portal.clients.records.part_names import names_of, part_name
from portal.clients.records.queries import valuation_rows
from portal.clients.saving.day_merging import AMOUNT, day_history, field_of, product_id_of
from portal.editing.base_version import BaseVersion
from portal.editing.drafts import store
from portal.editing.drafts.context import EditorDraft, base_of
from portal.editing.drafts.store import DraftKey, EditDraft
from portal.formatting import day as day_in_words
from portal.integers import MAX_INTEGER
from portal.text_input import clean_lines
from portal.web.max_length import max_length_attributes

FORM_NAME = re.compile(r"valuations/(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})", re.ASCII)
FIELD_NAME = re.compile(rf"{AMOUNT}(?P<id>[1-9][0-9]{{0,9}})", re.ASCII)
UNPLACED = "unplaced"
MAX_UNPLACED_CHARACTERS = 15_000  # which the browser sends: a form has up to 12 bytes for each (security_headers.py)
STILL_UNPLACED = "These rows belong to no product. Enter their amounts above, and delete them here."


class GridForm(EntryForm):
    """The form of the grid, without the amounts. `shown_on` is the day whose amounts the page showed.

    `unplaced` has pasted rows that belong to no product, so that none of them is lost.
    """

    GROUPS: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    LABELS: ClassVar[Mapping[str, str]] = {UNPLACED: "Rows that are not placed"}

    shown_on = HiddenField()
    valued_on = day_field(VALUATION, "valued_on", required_message="Enter the day of the valuations.")
    unplaced = TextAreaField(
        LABELS[UNPLACED],
        filters=[lambda text: clean_lines(text or "")],
        render_kw=max_length_attributes(MAX_UNPLACED_CHARACTERS),
    )

    def validate_unplaced(self, field: TextAreaField) -> None:
        check_characters(self, field)
        if field.data:
            raise ValidationError(STILL_UNPLACED)


class FieldNames(Collection[str]):
    """The fields that a draft of the grid may contain. The form of a draft does not tell which products there are."""

    def __contains__(self, name: object) -> bool:
        return name in ("valued_on", UNPLACED) or (isinstance(name, str) and is_amount_field(name))

    def __iter__(self) -> Any:
        return iter(("valued_on", UNPLACED))

    def __len__(self) -> int:
        return 2


@dataclass(frozen=True)
class Totals:
    """The amounts that are entered, and the values of all products before the day and with the entered amounts."""

    entered: int
    entered_gbp: Decimal
    before_gbp: Decimal
    after_gbp: Decimal


@dataclass(frozen=True)
class DayGrid:
    """The grid of one day for one user (responses.ConflictSubject)."""

    client: Client
    day: date
    profile_id: int
    rows: Sequence[Row[Any]]

    name = ""  # of a part in other users' rosters: the fields themselves name their products
    is_named_by_client = False
    shown_product = None

    @property
    def labels(self) -> dict[str, str]:
        return {field_of(row.id): part_name(PRODUCT, row) for row in self.rows}

    @property
    def saved(self) -> dict[str, Decimal | None]:
        """Return the saved amounts of the day by field."""
        return {field_of(row.id): row.amount_gbp for row in self.rows}

    @property
    def full_name(self) -> str:
        return f"the valuations of {day_in_words(self.day)}"

    @property
    def url(self) -> str:
        return url_of(self.client.id, self.day)

    @property
    def back_url(self) -> str:
        return url_for("clients.show", client_id=self.client.id)

    @property
    def draft_key(self) -> DraftKey:
        return DraftKey(self.profile_id, f"client-{self.client.id}", f"valuations/{self.day.isoformat()}")

    def make_form(self, sent: MultiDict[str, str] | None, prefix: str = "") -> EntryForm:
        """Return the form with the sent values. Fields that were not sent have the saved amounts.

        With a prefix it has the custom values of the conflict page, which are not empty.
        """
        is_filled: Any = Required("Enter the amount.") if prefix else Optional()
        checks = [is_filled, Plausible(VALUATION, "amount")]
        amounts = {name: AmountField(label, checks, column=Valuation.amount) for name, label in self.labels.items()}
        form_class = cast(type[GridForm], type("AmountsForm", (GridForm,), {"GROUPS": {"": tuple(amounts)}, **amounts}))
        shown = {"version": self.client.version, "valued_on": self.day, "shown_on": self.day.isoformat()}
        return form_class(sent, prefix=prefix, data={**shown, **self.saved})

    def totals(self, form: EntryForm) -> Totals:
        """Return the totals of the form's amounts. Text that is no amount does not count."""
        before = sum((row.before_amount_gbp or Decimal(0) for row in self.rows), Decimal(0))
        kept = {row.id: kept_gbp(row) for row in self.rows}
        entered = {row.id: form[field_of(row.id)].data for row in self.rows}
        amounts = {product_id: amount for product_id, amount in entered.items() if isinstance(amount, Decimal)}
        after = sum((kept | amounts).values(), Decimal(0))
        return Totals(len(amounts), sum(amounts.values(), Decimal(0)), before, after)


def kept_gbp(row: Row[Any]) -> Decimal:
    """Return the value that the product keeps if its amount is empty: that of the day, or the last one before it."""
    kept = row.before_amount_gbp if row.amount_gbp is None else row.amount_gbp
    return Decimal(0) if kept is None else kept


def grid_of(client: Client, day: date, profile_id: int) -> DayGrid:
    return DayGrid(client, day, profile_id, valuation_rows(client, day))


def url_of(client_id: int, day: date | None = None) -> str:
    """Return the address of the grid of a day, of today by default."""
    return url_for("client_valuations.show", client_id=client_id, day=day.isoformat() if day else None)


def parse_day(text: str) -> date | None:
    """Return the day of an address or a hidden field: 2026-12-08. None for other text and for a day of no valuation."""
    try:
        day = date.fromisoformat(text) if len(text) == len("2026-12-08") else None
    except ValueError:
        return None
    return day if day and MIN_DATE <= day <= min(MAX_DATE, clock.today()) else None


def is_amount_field(name: str) -> bool:
    found = FIELD_NAME.fullmatch(name)
    return bool(found and int(found["id"]) <= MAX_INTEGER)


def fields_of(form_name: str) -> Collection[str]:
    """Return the fields that a draft of this form may contain, none for a form that is no grid."""
    return FieldNames() if day_of_form(form_name) else ()


def day_of_form(form_name: str) -> date | None:
    """Return the day of a grid's form, as drafts name it. None for other forms."""
    found = FORM_NAME.fullmatch(form_name)
    return parse_day(found["day"]) if found else None


def open_grid(grid: DayGrid) -> tuple[EntryForm, EditorDraft]:
    """Return the form with the newest draft of it, or with the saved amounts."""
    untouched, own = grid.make_form(None), EditorDraft(grid.draft_key, store.new_id())
    found = next(iter(store.drafts_of(grid.draft_key)), None)
    form = untouched
    if found is not None:
        form = grid.make_form(with_removed_products(grid, MultiDict(found.values)))
        form.version.data, form.seen.data, form.restored.data = _base_version(grid, found), found.seen, str(found.mark)
        aside = aside_of(grid.labels, found.values)
        own = replace(own, base=base_of(form, untouched), is_restored=True, aside=aside)
    form.draft.data = own.draft_id
    return form, own


def _base_version(grid: DayGrid, draft: EditDraft) -> str:
    """Return the version from which the restored form starts.

    It is the present one if no amount of the draft has been changed since: the other fields show the present amounts,
    and a later change of one that the user has not typed is no conflict.
    """
    if draft.base_version < grid.client.version:
        base_version = BaseVersion(draft.base_version)
        base = day_history(grid.client, grid.day, base_version).amounts_at(base_version.version)
        saved = grid.saved
        typed = [name for name in draft.values if is_amount_field(name)]
        if base is not None and all(base.get(name) == saved.get(name) for name in typed):
            return str(grid.client.version)
    return str(draft.base_version)


def sent_grid(grid: DayGrid, form: EntryForm, fields: Mapping[str, str]) -> tuple[EntryForm, EditorDraft]:
    """Return a form that was sent as `fields` and rejected, with its draft."""
    form.draft.data = form.draft.data or store.new_id()
    base, aside = base_of(form, grid.make_form(None)), aside_of(grid.labels, fields)
    return form, EditorDraft(grid.draft_key, form.draft.data, base=base, aside=aside)


def with_removed_products(grid: DayGrid, fields: MultiDict[str, str]) -> MultiDict[str, str]:
    """Return the fields with the amounts of products that were removed since as rows that are not placed.

    The name of each is looked for in the whole history, so only as many are named as a client can have.
    """
    gone = [name for name in fields if is_amount_field(name) and name not in grid.labels and fields[name].strip()]
    if not gone:
        return fields
    names = names_of({Entry(PRODUCT, product_id_of(name)): grid.client.id for name in gone[:MAX_PRODUCTS]}, {})
    rows = [f"{names.get(Entry(PRODUCT, product_id_of(name)), name)}\t{fields[name]}" for name in gone]
    kept = MultiDict(fields)
    for name in gone:
        kept.pop(name)
    kept[UNPLACED] = "\n".join(filter(None, [fields.get(UNPLACED, ""), *rows]))
    return kept
