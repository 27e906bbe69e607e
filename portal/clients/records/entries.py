"""What a client record is made of for whoever edits it: the client itself, and its people, products and valuations.

Each kind says which of its columns people edit, how they are called, and how two changes to one are merged. The keys of
fields (`phone`, `person/12/first_name`) are those of the history. Must not import views or forms.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from portal.clients.records.models import Client, ClientGrant, Person, Product, Valuation
from portal.clients.records.revisions import from_json, to_json

# The keys of a history are asked about over and over; a product that goes takes thousands of valuations with it.
MAX_REMEMBERED_KEYS = 20_000


def max_length(model: type[Any], column: str) -> int:
    """The most characters that a text column holds."""
    length: int = getattr(model, column).type.length
    return length


@dataclass(frozen=True, eq=False)  # each is the only one of its kind
class EntryKind:
    """A kind of entry. `labels` has every column that people edit, in the order of the form, with its label; `by_lines`
    the texts that are merged line by line, each with the most characters that it holds.
    """

    name: str
    label: str
    plural: str
    model: type[Any]
    labels: Mapping[str, str]
    by_lines: Mapping[str, int] = field(default_factory=dict)

    def python_type(self, column: str) -> type[Any]:
        kind: type[Any] = self.model.__table__.c[column].type.python_type
        return kind

    def values_of(self, row: Any) -> dict[str, Any]:
        """Column → value of what people edit."""
        return {column: getattr(row, column) for column in self.labels}

    def parsed(self, column: str, value: Any) -> Any:
        """A value of the history as the column holds it."""
        return from_json(self.python_type(column), value)

    def parsed_columns(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        """What `as_json` made, as the columns hold it."""
        return {column: self.parsed(column, value) for column, value in columns.items()}

    def as_json(self, row: Any) -> dict[str, Any]:
        """Every column but the id and the generated ones, as the history keeps an entry that was added or removed."""
        columns = self.model.__table__.c
        return {
            column.name: to_json(getattr(row, column.name))
            for column in columns
            if not column.primary_key and column.computed is None
        }


CLIENT = EntryKind(
    name="",
    label="client",
    plural="clients",
    model=Client,
    labels={
        "name": "Name",
        "client_type": "Type",
        "status": "Status",
        "adviser_id": "Adviser",
        "client_since": "Client since",
        "email": "Email",
        "phone": "Phone",
        "address_line1": "Address line 1",
        "address_line2": "Address line 2",
        "town": "Town",
        "postcode": "Postcode",
        "risk_profile": "Risk profile",
        "capacity_for_loss": "Capacity for loss",
        "next_review_on": "Next review",
        "objectives": "Objectives",
        "notes": "Notes",
        "is_restricted": "Restricted",
    },
    by_lines={column: max_length(Client, column) for column in ("objectives", "notes")},
)
PERSON = EntryKind(
    name="person",
    label="person",
    plural="people",
    model=Person,
    labels={
        "title": "Title",
        "first_name": "First name",
        "last_name": "Last name",
        "known_as": "Known as",
        "date_of_birth": "Date of birth",
        "ni_number": "NI number",
    },
)
PRODUCT = EntryKind(
    name="product",
    label="product",
    plural="products",
    model=Product,
    labels={
        "plan_number": "Plan number",
        "product_name": "Name",
        "product_type": "Type",
        "provider": "Provider",
        "status": "Status",
        "start_on": "Start date",
        "fixed_fee": "Fixed fee",
        "percentage_fee": "Percentage fee",
    },
)
VALUATION = EntryKind(
    name="valuation",
    label="valuation",
    plural="valuations",
    model=Valuation,
    labels={"valued_on": "Valued on", "amount": "Amount"},
)
# Who sees the client although it is restricted. Not edited with the rest: access_views.py.
GRANT = EntryKind(
    name="grant",
    label="grant of access",
    plural="grants of access",
    model=ClientGrant,
    labels={"profile_id": "Person"},
)
KINDS = {kind.name: kind for kind in (CLIENT, PERSON, PRODUCT, VALUATION, GRANT)}


@dataclass(frozen=True)
class Entry:
    """One entry: its kind and, for a part, its id. `Entry(CLIENT)` is the client itself."""

    kind: EntryKind
    id: int | None = None

    @property
    def prefix(self) -> str:
        """The key of the entry itself; '' for the client."""
        return f"{self.kind.name}/{self.id}" if self.kind.name else ""

    def key(self, column: str) -> str:
        """The key of one of its fields."""
        return f"{self.prefix}/{column}" if self.prefix else column


@lru_cache(maxsize=MAX_REMEMBERED_KEYS)
def split_key(key: str) -> tuple[Entry, str]:
    """The entry and the column that a key of the history names; the column is '' for a part added or removed."""
    kind_name, _, rest = key.partition("/")
    if not rest:
        return Entry(CLIENT), key
    number, _, column = rest.partition("/")
    return Entry(KINDS[kind_name], int(number)), column


@lru_cache(maxsize=MAX_REMEMBERED_KEYS)
def sort_key(key: str) -> tuple[int, int, int]:
    """Where a key stands among others: JSON keeps no order. The client first, products before their valuations."""
    entry, column = split_key(key)
    labels = list(entry.kind.labels)
    return list(KINDS).index(entry.kind.name), entry.id or 0, labels.index(column) if column else -1


def entries_in(keys: Iterable[str]) -> list[Entry]:
    """What a change with these keys touches, each entry once, in their order."""
    return list(dict.fromkeys(split_key(key)[0] for key in sorted(keys, key=sort_key)))
