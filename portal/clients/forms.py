"""The client form: the client's own fields in groups, each checked beside its label.

Lengths come from the columns, choices from choices.py, so that form, importer and database agree.
"""

from collections.abc import Mapping
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    EmailField,
    Field,
    Form,
    HiddenField,
    SelectField,
    StringField,
    TelField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import DataRequired, Email, Length, Optional

from portal.clients import choices
from portal.clients.limits import EARLIEST, LATEST, control_character_in
from portal.clients.models import Client

GROUPS = {
    "Client": ("name", "client_type", "status", "adviser_id", "client_since"),
    "Contact": ("email", "phone", "address_line1", "address_line2", "town", "postcode"),
    "Advice": ("risk_profile", "capacity_for_loss", "next_review_on", "objectives"),
    "Notes": ("notes",),
}
FIELDS = tuple(name for names in GROUPS.values() for name in names)


def _stripped(value: str | None) -> str:
    return (value or "").replace("\r\n", "\n").strip()


def _printable(form: Form, field: Field) -> None:
    if control_character_in(field.data or "", several_lines=isinstance(field, TextAreaField)):
        raise ValidationError("Remove the control characters: they cannot be kept.")


def _within_dates(form: Form, field: Field) -> None:
    if field.data and not EARLIEST <= field.data <= LATEST:
        raise ValidationError(f"Enter a date between {EARLIEST.year} and {LATEST.year}.")


def _text(kind: type[StringField], label: str, column: str, *checks: Any, **options: Any) -> Field:
    longest: int = getattr(Client, column).type.length
    too_long = Length(max=longest, message=f"Use at most {longest:,} characters.")
    return kind(label, [*checks, too_long, _printable], filters=[_stripped], **options)


def _choice(label: str, listed: dict[str, str], *, blank: str | None = None) -> SelectField:
    nothing = {} if blank is None else {"": blank}
    return SelectField(label, choices=_options({**nothing, **listed}))


def _options(labels: Mapping[Any, str]) -> list[SelectChoice]:
    """Value → label as WTForms wants it from 3.4 on."""
    return [SelectChoice(value, label) for value, label in labels.items()]


def _day(label: str) -> DateField:
    return DateField(label, [Optional(), _within_dates])


def _whole_number(text: Any) -> int | None:
    return int(text) if text not in (None, "", "None") else None


class ClientForm(FlaskForm):
    """The hidden fields say where the person started, to editing.guard, and whose the draft is, to editing.drafts."""

    version = HiddenField()
    seen = HiddenField()
    proceeded = HiddenField()
    draft = HiddenField()
    name = _text(StringField, "Name", "name", DataRequired("Enter the client's name."))
    client_type = _choice("Type", choices.CLIENT_TYPES)
    status = _choice("Status", choices.CLIENT_STATUSES)
    adviser_id = SelectField("Adviser", coerce=_whole_number)
    client_since = _day("Client since")
    email = _text(EmailField, "Email", "email", Optional(), Email("Enter an e-mail address such as ruth@mail.example."))
    phone = _text(TelField, "Phone", "phone")
    address_line1 = _text(StringField, "Address line 1", "address_line1")
    address_line2 = _text(StringField, "Address line 2", "address_line2")
    town = _text(StringField, "Town", "town")
    postcode = _text(StringField, "Postcode", "postcode")
    risk_profile = SelectField(
        "Risk profile",
        coerce=_whole_number,
        choices=_options({"": "Not assessed", **{n: f"{n} of 7" for n in choices.RISK_PROFILES}}),
    )
    capacity_for_loss = _choice("Capacity for loss", choices.CAPACITIES_FOR_LOSS, blank="Not assessed")
    next_review_on = _day("Next review")
    objectives = _text(TextAreaField, "Objectives", "objectives")
    notes = _text(TextAreaField, "Notes", "notes")

    def offer_advisers(self, names: Mapping[int, str]) -> None:
        """Call before validating: the advisers on offer (id → name) are data."""
        self.adviser_id.choices = _options({"": "Nobody", **names})

    @property
    def groups(self) -> list[tuple[str, list[Field]]]:
        return [(title, [self[name] for name in names]) for title, names in GROUPS.items()]

    def sent_values(self) -> dict[str, Any]:
        """Column → value of the fields that were sent: a program may leave out what it does not change."""
        return {name: self[name].data for name in FIELDS if self[name].raw_data}
