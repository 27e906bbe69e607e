"""Define the six files of client records for import and export: names, columns and rows.

The headings of a file are in the order of its row's fields after `line`. A row's `key` is unique in its file.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from portal.auth.models import ROLES, Profile
from portal.clients.records import choices
from portal.clients.records.models import Client, Person, Product, Valuation
from portal.clients.records.note_models import ClientNote
from portal.clients.records.parsers import (
    Parser,
    day,
    email,
    moment,
    number,
    one_of,
    optional_day,
    optional_moment,
    text,
    whole_number,
)


class AnyRow(Protocol):
    """A row of any file. Its key is None if the key's cell is invalid or the rows of the file have no key."""

    @property
    def line(self) -> int: ...

    @property
    def key(self) -> Hashable | None: ...

    def _asdict(self) -> dict[str, Any]: ...


Row = TypeVar("Row", bound=AnyRow)


class ProfileRow(NamedTuple):
    line: int
    first_name: str
    last_name: str
    email: str
    role: str

    @property
    def key(self) -> str | None:
        """Return the email in lower case, because emails are unique ignoring case."""
        return self.email and self.email.lower()


class ClientRow(NamedTuple):
    line: int
    client_ref: str
    name: str
    client_type: str
    status: str
    adviser_email: str
    client_since: date | None
    email: str
    phone: str
    address_line1: str
    address_line2: str
    town: str
    postcode: str
    risk_profile: int | None
    capacity_for_loss: str
    objectives: str
    next_review_on: date | None
    notes: str

    @property
    def key(self) -> str | None:
        return self.client_ref


class PersonRow(NamedTuple):
    line: int
    client_ref: str
    title: str
    first_name: str
    last_name: str
    known_as: str
    date_of_birth: date | None
    ni_number: str

    @property
    def key(self) -> None:
        """Return None: two people of a client may be equal in all columns."""
        return None


class ProductRow(NamedTuple):
    line: int
    client_ref: str
    plan_number: str
    product_name: str
    product_type: str
    provider: str
    status: str
    start_on: date | None
    fixed_fee: Decimal
    percentage_fee: Decimal

    @property
    def key(self) -> str | None:
        return self.plan_number


ValuationKey = tuple[str, date]  # plan number and day


class ValuationRow(NamedTuple):
    line: int
    plan_number: str
    valued_on: date
    amount: Decimal

    @property
    def key(self) -> ValuationKey | None:
        return (self.plan_number, self.valued_on) if self.plan_number and self.valued_on else None


class NoteKey(NamedTuple):
    """What identifies a note. `author_email` is in lower case, '' for a note without an author."""

    client_ref: str
    author_email: str
    written_at: datetime


class NoteRow(NamedTuple):
    line: int
    client_ref: str
    kind: str
    happened_on: date
    author_email: str
    written_at: datetime
    edited_at: datetime | None
    redaction_reason: str
    text: str

    @property
    def key(self) -> NoteKey | None:
        is_valid = self.client_ref and self.author_email is not None and self.written_at
        return NoteKey(self.client_ref, self.author_email.lower(), self.written_at) if is_valid else None


@dataclass(frozen=True)
class TableSchema(Generic[Row]):
    """A file: parsers by heading, and `make_row` from the line and a value for each. Duplicates name `key_column`.

    A folder without an optional file has no rows of it.
    """

    file: str
    make_row: Callable[..., Row]
    key_column: str
    columns: dict[str, Parser]
    is_optional: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the fields of the rows as the models name them: the headings without the unit of money."""
        return tuple(heading.removesuffix("_gbp") for heading in self.columns)


PROFILES = TableSchema(
    "profiles.csv",
    ProfileRow,
    "email",
    {
        "first_name": text(Profile.first_name, required=True),
        "last_name": text(Profile.last_name, required=True),
        "email": email(Profile.email, required=True),
        "role": one_of(ROLES),
    },
)
CLIENTS = TableSchema(
    "clients.csv",
    ClientRow,
    "client_ref",
    {
        "client_ref": text(Client.client_ref, required=True),
        "name": text(Client.name, required=True),
        "client_type": one_of(choices.CLIENT_TYPES),
        "status": one_of(choices.CLIENT_STATUSES),
        "adviser_email": text(Profile.email),
        "client_since": optional_day,
        "email": email(Client.email),
        "phone": text(Client.phone),
        "address_line1": text(Client.address_line1),
        "address_line2": text(Client.address_line2),
        "town": text(Client.town),
        "postcode": text(Client.postcode),
        "risk_profile": whole_number(choices.RISK_PROFILES),
        "capacity_for_loss": one_of(choices.CAPACITIES_FOR_LOSS, required=False),
        "objectives": text(Client.objectives, several_lines=True),
        "next_review_on": optional_day,
        "notes": text(Client.notes, several_lines=True),
    },
)
PEOPLE = TableSchema(
    "people.csv",
    PersonRow,
    "client_ref",
    {
        "client_ref": text(Client.client_ref, required=True),
        "title": text(Person.title),
        "first_name": text(Person.first_name, required=True),
        "last_name": text(Person.last_name, required=True),
        "known_as": text(Person.known_as),
        "date_of_birth": optional_day,
        "ni_number": text(Person.ni_number),
    },
)
PRODUCTS = TableSchema(
    "products.csv",
    ProductRow,
    "plan_number",
    {
        "client_ref": text(Client.client_ref, required=True),
        "plan_number": text(Product.plan_number, required=True),
        "product_name": text(Product.product_name, required=True),
        "product_type": one_of(choices.PRODUCT_TYPES),
        "provider": text(Product.provider, required=True),
        "status": one_of(choices.PRODUCT_STATUSES),
        "start_on": optional_day,
        "fixed_fee_gbp": number(Product.fixed_fee, minimum=0),
        "percentage_fee": number(Product.percentage_fee, minimum=0, maximum=100),
    },
)
VALUATIONS = TableSchema(
    "valuations.csv",
    ValuationRow,
    "valued_on",
    {
        "plan_number": text(Product.plan_number, required=True),
        "valued_on": day,
        "amount_gbp": number(Valuation.amount),
    },
)
NOTES = TableSchema(
    "notes.csv",
    NoteRow,
    "written_at",
    {
        "client_ref": text(Client.client_ref, required=True),
        "kind": one_of(choices.NOTE_KINDS),
        "happened_on": day,
        "author_email": text(Profile.email),
        "written_at": moment,
        "edited_at": optional_moment,
        "redaction_reason": text(ClientNote.redaction_reason),
        "text": text(ClientNote.text, several_lines=True),
    },
    is_optional=True,  # folders from before there were notes
)
FILES = (PROFILES.file, CLIENTS.file, PEOPLE.file, PRODUCTS.file, VALUATIONS.file, NOTES.file)
