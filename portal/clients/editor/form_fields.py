"""Define the fields of the forms of client records.

Labels come from entries.py, lengths from the columns, and the rule for numbers from parsers.py. Forms, imports and the
database therefore accept the same values.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

from flask_wtf import FlaskForm
from markupsafe import Markup
from wtforms import Field, Form, HiddenField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.form import BaseForm
from wtforms.validators import DataRequired, Optional, StopValidation
from wtforms.widgets import TextInput

from portal import clock, dates
from portal.clients.records.entries import EntryKind, max_length
from portal.clients.records.entry_checks import problem_with
from portal.clients.records.limits import MAX_DATE, MIN_DATE
from portal.clients.records.parsers import InvalidCell, number
from portal.text_input import clean_line, clean_lines, control_character_problem
from portal.web.max_length import MaxLength, max_length_attributes

# A comma elsewhere may be a decimal comma: 0,075 is not 75.
_WITH_THOUSANDS = re.compile(r"-?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]+)?")


class EntryForm(FlaskForm):
    """The form of one entry of a client record. `GROUPS` has the visible fields by the title of their group.

    The hidden fields contain the base version (editing.base_version) and the form's drafts (editing.drafts).
    """

    GROUPS: ClassVar[Mapping[str, tuple[str, ...]]]

    version = HiddenField()
    seen = HiddenField()
    proceeded = HiddenField()
    draft = HiddenField()
    restored = HiddenField()

    @classmethod
    def field_names(cls) -> tuple[str, ...]:
        """Return the names of the visible fields."""
        return tuple(name for names in cls.GROUPS.values() for name in names)

    @property
    def groups(self) -> list[tuple[str, list[Field]]]:
        return [(title, [self[name] for name in names]) for title, names in self.GROUPS.items()]

    def sent_values(self) -> dict[str, Any]:
        """Return the sent values by column. A program may omit fields that it does not change."""
        return {name: self[name].data for name in self.field_names() if self[name].raw_data}


class NumberField(StringField):
    """An amount or a percentage as users write them: 1234.5, 1,234.50, £1,234.50. The value is a Decimal."""

    def __init__(
        self,
        label: str,
        validators: Any,
        *,
        column: Any,
        minimum: int | None = None,
        maximum: int | None = None,
        **options: Any,
    ) -> None:
        self._parse = number(column, minimum=minimum, maximum=maximum)
        self._decimals: int = column.property.columns[0].type.scale
        super().__init__(label, validators, render_kw={"inputmode": "decimal"}, **options)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else f"{self.data:.{self._decimals}f}"

    def process_formdata(self, valuelist: list[str]) -> None:
        if not valuelist:
            return
        self.data = None
        typed = clean_line(valuelist[0])
        if not typed:
            return
        try:
            self.data = self._parse(_plain_number(typed) or typed)
        except InvalidCell as problem:
            raise ValueError(f"{problem}.") from problem


class AmountInput(TextInput):
    """A text control with a pound sign before it. A script formats the amount when the user leaves the control."""

    def __call__(self, field: Field, **attributes: Any) -> Markup:
        control = super().__call__(field, **{"data-amount": True, **attributes})
        return Markup('<span class="amount"><span aria-hidden="true">£</span>{}</span>').format(control)


class AmountField(NumberField):
    """An amount in pounds. The control shows the thousands: 1,234.50."""

    widget = AmountInput()

    def _value(self) -> str:
        return super()._value() if self.raw_data or self.data is None else f"{self.data:,.{self._decimals}f}"


class DayInput(TextInput):
    """A text control in a wrapper to which a script adds the calendar button."""

    def __call__(self, field: Field, **attributes: Any) -> Markup:
        return Markup('<span class="day">{}</span>').format(super().__call__(field, **attributes))


class DayField(Field):
    """A date as users write it (portal/dates.py), in a text control, so that invalid input is kept.

    A browser's own date control hides its text from scripts and sends nothing for invalid input.
    """

    widget = DayInput()
    data: date | None

    def __init__(self, label: str, validators: Any, **options: Any) -> None:
        hint = "Day first, such as 31/12/2026"
        super().__init__(label, validators, description=hint, render_kw={"data-day": True}, **options)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else dates.written(self.data)

    def process_formdata(self, valuelist: list[str]) -> None:
        if valuelist:
            text = clean_line(valuelist[0])
            self.data = dates.read(text) if text else None


class Plausible:
    """Require that entry_checks.py accepts the value, unless the value is stored already."""

    def __init__(self, entry: EntryKind, column: str) -> None:
        self._entry, self._column = entry, column

    def __call__(self, form: BaseForm, field: Field) -> None:
        if field.errors or field.data == field.object_data:
            return
        if problem := problem_with(self._entry.name, self._column, field.data, clock.today()):
            raise ValidationError(f"This {problem}.")


class Required(DataRequired):
    """Require a number or a date. 0 is accepted, and a field with a default need not be sent."""

    def __call__(self, form: BaseForm, field: Field) -> None:
        is_blank = not any(str(text).strip() for text in field.raw_data or ())
        if field.data is None and is_blank:
            raise StopValidation(self.message or "")


def text_field(
    entry: EntryKind,
    column: str,
    *checks: Any,
    kind: type[StringField] = StringField,
    required_message: str = "",
    **options: Any,
) -> Field:
    """Return a field for a line of text, or for several with `kind=TextAreaField`.

    `required_message` makes the field required and is the error for an empty one.
    """
    maximum = max_length(entry.model, column)
    required = [DataRequired(required_message)] if required_message else []
    clean = _clean_lines if issubclass(kind, TextAreaField) else _clean_line
    checked = [*required, *checks, MaxLength(maximum), check_characters, Plausible(entry, column)]
    return kind(entry.labels[column], checked, filters=[clean], render_kw=max_length_attributes(maximum), **options)


def choice_field(
    entry: EntryKind, column: str, listed: Mapping[Any, str], *, blank: str | None = None, required_message: str = ""
) -> SelectField:
    """Return a field for one value of a closed list. `blank` is the label of the empty choice."""
    nothing = {} if blank is None else {"": blank}
    required = [DataRequired(required_message)] if required_message else []
    return SelectField(entry.labels[column], required, choices=options({**nothing, **listed}))


def number_choice_field(entry: EntryKind, column: str, listed: Mapping[Any, str] | None = None) -> SelectField:
    """Return a field for one of several numbers. The form sets the choices later if `listed` is None."""
    offered = None if listed is None else options(listed)
    return SelectField(entry.labels[column], coerce=_whole_number, choices=offered)


def day_field(entry: EntryKind, column: str, *, required_message: str = "") -> DayField:
    checks = [
        Required(required_message) if required_message else Optional(),
        _check_date_range,
        Plausible(entry, column),
    ]
    return DayField(entry.labels[column], checks)


def number_field(
    entry: EntryKind,
    column: str,
    required_message: str,
    *,
    unit: str,
    kind: type[NumberField] = NumberField,
    **bounds: int,
) -> NumberField:
    """Return a required number field within the column's size and the bounds `minimum` and `maximum`."""
    sized = getattr(entry.model, column)
    checks = [Required(required_message), Plausible(entry, column)]
    return kind(entry.labels[column], checks, column=sized, description=unit, **bounds)


def options(labels: Mapping[Any, str]) -> list[SelectChoice]:
    """Convert {value: label} to the choices that WTForms requires since version 3.4."""
    return [SelectChoice(value, label) for value, label in labels.items()]


def _plain_number(typed: str) -> str:
    """Return the text without its unit and its thousands separators."""
    text = typed.removeprefix("£").removesuffix("%").strip()
    return text.replace(",", "") if _WITH_THOUSANDS.fullmatch(text) else text


def _clean_line(value: str | None) -> str:
    return clean_line(value or "")


def _clean_lines(value: str | None) -> str:
    return clean_lines(value or "")


def check_characters(form: Form, field: Field) -> None:
    if problem := control_character_problem(field.data or ""):
        raise ValidationError(f"This has {problem}. Delete it, or type that part again.")


def _check_date_range(form: Form, field: Field) -> None:
    if field.data and not MIN_DATE <= field.data <= MAX_DATE:
        raise ValidationError(f"Enter a date between {MIN_DATE.year} and {MAX_DATE.year}.")


def _whole_number(text: Any) -> int | None:
    return int(text) if text not in (None, "", "None") else None
