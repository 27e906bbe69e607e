"""What the forms of client records are made of: controls that take their label, length and size from the record itself.

Labels come from entries.py, lengths from the columns, the rule for numbers from csv_cells.py, so that form,
importer and database agree. Used by forms.py.
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

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")


class EntryForm(FlaskForm):
    """A form on one entry of a client record; `GROUPS` has the fields that people see, by the title they stand under.

    The hidden fields say where the person started (editing.guard) and which drafts the form holds (editing.drafts).
    """

    GROUPS: ClassVar[Mapping[str, tuple[str, ...]]]

    version = HiddenField()
    seen = HiddenField()
    proceeded = HiddenField()
    draft = HiddenField()
    restored = HiddenField()

    @property
    def groups(self) -> list[tuple[str, list[Field]]]:
        return [(title, [self[name] for name in names]) for title, names in self.GROUPS.items()]

    @property
    def field_names(self) -> tuple[str, ...]:
        return tuple(name for names in self.GROUPS.values() for name in names)

    def sent_values(self) -> dict[str, Any]:
        """Column → value of the fields that were sent: a program may leave out what it does not change."""
        return {name: self[name].data for name in self.field_names if self[name].raw_data}


class NumberField(StringField):
    """An amount or a percentage, as people write them: 1234.5, 1,234.50, £1,234.50. Kept as a Decimal."""

    def __init__(
        self,
        label: str,
        validators: Any,
        *,
        column: Any,
        least: int | None = None,
        most: int | None = None,
        **options: Any,
    ) -> None:
        self._parse = number(column, least=least, most=most)
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
        text = _THOUSANDS.sub("", clean_line(valuelist[0]).removeprefix("£").removesuffix("%"))
        if not text:
            return
        try:
            self.data = self._parse(text)
        except InvalidCell as problem:
            raise ValueError(f"{problem}.") from problem


class DayInput(TextInput):
    """A text with room at its end for the calendar's button, which a script adds."""

    def __call__(self, field: Field, **attributes: Any) -> Markup:
        return Markup('<span class="day">{}</span>').format(super().__call__(field, **attributes))


class DayField(Field):
    """A date as people write it, see portal/dates.py. The value is text, so that impossible input stays as typed.

    A browser keeps the text of its own date control from scripts and sends nothing where it cannot read it.
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
    """The value is what entry_checks.py asks for, or it is stored already."""

    def __init__(self, entry: EntryKind, column: str) -> None:
        self._entry, self._column = entry, column

    def __call__(self, form: BaseForm, field: Field) -> None:
        if field.errors or field.data == field.object_data:
            return
        if problem := problem_with(self._entry.name, self._column, field.data, clock.today()):
            raise ValidationError(f"This {problem}.")


class Required(DataRequired):
    """A number or a day is there; nought is one, and a default need not be sent."""

    def __call__(self, form: BaseForm, field: Field) -> None:
        is_blank = not any(str(text).strip() for text in field.raw_data or ())
        if field.data is None and is_blank:
            raise StopValidation(self.message or "")


def text_field(
    entry: EntryKind, column: str, *checks: Any, kind: type[StringField] = StringField, needed: str = "", **options: Any
) -> Field:
    """A line of text, or several with `kind=TextAreaField`; `needed` says what to do where it is empty."""
    most = max_length(entry.model, column)
    required = [DataRequired(needed)] if needed else []
    clean = _clean_lines if issubclass(kind, TextAreaField) else _clean_line
    checked = [*required, *checks, MaxLength(most), _check_characters, Plausible(entry, column)]
    return kind(entry.labels[column], checked, filters=[clean], render_kw=max_length_attributes(most), **options)


def choice_field(
    entry: EntryKind, column: str, listed: Mapping[Any, str], *, blank: str | None = None, needed: str = ""
) -> SelectField:
    """One of a closed list; `blank` is what people read for none, `needed` says what to do where there must be one."""
    nothing = {} if blank is None else {"": blank}
    required = [DataRequired(needed)] if needed else []
    return SelectField(entry.labels[column], required, choices=options({**nothing, **listed}))


def number_choice_field(entry: EntryKind, column: str, listed: Mapping[Any, str] | None = None) -> SelectField:
    """One of a list of numbers, perhaps one that is known only when the form is made."""
    offered = None if listed is None else options(listed)
    return SelectField(entry.labels[column], coerce=_whole_number, choices=offered)


def day_field(entry: EntryKind, column: str, *, needed: str = "") -> DayField:
    checks = [Required(needed) if needed else Optional(), _check_date_range, Plausible(entry, column)]
    return DayField(entry.labels[column], checks)


def number_field(entry: EntryKind, column: str, needed: str, *, unit: str, **bounds: int) -> NumberField:
    """A number that must be there, within its column's size and the bounds `least` and `most`."""
    sized = getattr(entry.model, column)
    checks = [Required(needed), Plausible(entry, column)]
    return NumberField(entry.labels[column], checks, column=sized, description=unit, **bounds)


def options(labels: Mapping[Any, str]) -> list[SelectChoice]:
    """Value → label as WTForms wants it from 3.4 on."""
    return [SelectChoice(value, label) for value, label in labels.items()]


def _clean_line(value: str | None) -> str:
    return clean_line(value or "")


def _clean_lines(value: str | None) -> str:
    return clean_lines(value or "")


def _check_characters(form: Form, field: Field) -> None:
    if problem := control_character_problem(field.data or ""):
        raise ValidationError(f"This has {problem}. Delete it, or type that part again.")


def _check_date_range(form: Form, field: Field) -> None:
    if field.data and not MIN_DATE <= field.data <= MAX_DATE:
        raise ValidationError(f"Enter a date between {MIN_DATE.year} and {MAX_DATE.year}.")


def _whole_number(text: Any) -> int | None:
    return int(text) if text not in (None, "", "None") else None
