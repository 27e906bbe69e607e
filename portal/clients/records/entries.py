"""Define the entries of a client record: the client itself, and its people, products, valuations and notes.

Each kind defines its editable columns, their labels and how they are merged. The keys of fields (`phone`,
`person/12/first_name`) are those of the history. Must not import views or forms.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from portal.clients.records.models import Client, ClientGrant, Person, Product, Record, Valuation
from portal.clients.records.note_models import ClientNote
from portal.clients.records.revisions import from_json, to_json

# Cached, because the same keys are split repeatedly: removing a product also removes thousands of valuations.
MAX_REMEMBERED_KEYS = 20_000
NEWER_FIELD = "Field of a newer release"


def max_length(model: type[Any], column: str) -> int:
    """Return the maximum length of a text column."""
    length: int = getattr(model, column).type.length
    return length


@dataclass(frozen=True, eq=False)  # compared by identity
class EntryKind:
    """A kind of entry.

    `labels` has the editable columns in the order of the form. `by_lines` has the texts that are merged line by line,
    each with its maximum length.
    """

    name: str
    label: str
    plural: str
    model: type[Any]
    labels: Mapping[str, str]
    by_lines: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Return whether this release has the kind. The history may have entries of a newer release."""
        return KINDS.get(self.name) is self

    def label_of(self, column: str) -> str:
        """Return the label of a column, also of one that only a newer release has."""
        return self.labels.get(column, NEWER_FIELD)

    def python_type(self, column: str) -> type[Any]:
        columns = self.model.__table__.c if self.is_known else {}
        return columns[column].type.python_type if column in columns else str

    def values_of(self, row: Record) -> dict[str, Any]:
        """Return the editable values as {column: value}."""
        return {column: getattr(row, column) for column in self.labels}

    def parsed(self, column: str, value: Any) -> Any:
        """Convert a value of the history to the type of its column."""
        return from_json(self.python_type(column), value)

    def parsed_columns(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        """Convert the result of `as_json` to the types of the columns."""
        return {column: self.parsed(column, value) for column, value in columns.items()}

    def as_json(self, row: Any) -> dict[str, Any]:
        """Return the columns except the id and generated ones, as the history stores an added or removed entry."""
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
        "notes": "Key information",
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
# Profiles that may see a restricted client. Only sharing/views.py edits them.
GRANT = EntryKind(
    name="grant",
    label="grant of access",
    plural="grants of access",
    model=ClientGrant,
    labels={"profile_id": "Person"},
)
# The history has neither the text nor the redacted text: `edits` and `redacted_by` stand for their changes.
NOTE = EntryKind(
    name="note",
    label="note",
    plural="notes",
    model=ClientNote,
    labels={
        "kind": "Kind",
        "happened_on": "Day",
        "text": "Note",
        "edits": "Text",
        "redacted_by": "Redaction",
    },
)
KINDS = {kind.name: kind for kind in (CLIENT, PERSON, PRODUCT, VALUATION, GRANT, NOTE)}


@dataclass(frozen=True)
class Entry:
    """One entry: its kind and, for a part, its id. `Entry(CLIENT)` is the client itself."""

    kind: EntryKind
    id: int | None = None

    @property
    def prefix(self) -> str:
        """Return the key of the entry itself, which is empty for the client."""
        return f"{self.kind.name}/{self.id}" if self.kind.name else ""

    def key(self, column: str) -> str:
        """Return the key of one of its fields."""
        return f"{self.prefix}/{column}" if self.prefix else column


@lru_cache(maxsize=MAX_REMEMBERED_KEYS)
def split_key(key: str) -> tuple[Entry, str]:
    """Return the entry and the column of a history key. The column is empty for a part that was added or removed.

    Processes of two releases run at the same time during a deployment. A kind that only the newer one has is no known
    kind, and a key of another form is a column of the client that this release does not have.
    """
    kind_name, _, rest = key.partition("/")
    number, _, column = rest.partition("/")
    if not (kind_name and number.isdecimal()):
        return Entry(CLIENT), key
    return Entry(KINDS.get(kind_name) or _kind_of_a_newer_release(kind_name), int(number)), column


@lru_cache(maxsize=MAX_REMEMBERED_KEYS)  # kinds are compared by identity
def _kind_of_a_newer_release(name: str) -> EntryKind:
    return EntryKind(
        name,
        label="part of a newer release",
        plural="parts of a newer release",
        model=object,
        labels=MappingProxyType({}),
    )


@lru_cache(maxsize=MAX_REMEMBERED_KEYS)
def sort_key(key: str) -> tuple[int, int, int]:
    """Return the sort key of a history key: the client first, products before their valuations. JSON has no order."""
    entry, column = split_key(key)
    kinds, labels = list(KINDS), list(entry.kind.labels)
    return _place_in(kinds, entry.kind.name), entry.id or 0, _place_in(labels, column) if column else -1


def _place_in(names: list[str], name: str) -> int:
    return names.index(name) if name in names else len(names)


def entries_in(keys: Iterable[str]) -> list[Entry]:
    """Return the entries that a change of these keys touches, each once, in order."""
    return list(dict.fromkeys(split_key(key)[0] for key in sorted(keys, key=sort_key)))


def has_known_columns(entry: Entry, columns: Iterable[str]) -> bool:
    """Return whether this release has the kind of the entry and all these columns."""
    return entry.kind.is_known and entry.kind.labels.keys() >= set(columns)
