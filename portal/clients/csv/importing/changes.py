"""Describe in words what an import would create and change, for its preview and as CSV. Pure.

An import removes nothing. A name is the one in the files, except that of a client whose name changes.
"""

from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from itertools import chain
from typing import Any, NamedTuple

from portal.auth.models import ROLES
from portal.clients.csv.importing.existing import Values
from portal.clients.csv.importing.plan import ImportPlan, RowChanges
from portal.clients.csv.schema import CLIENTS, NOTES, PEOPLE, PRODUCTS, PROFILES, VALUATIONS, ValuationRow
from portal.clients.records.choices import CLIENT_TYPES, NOTE_KINDS
from portal.clients.records.display import display_value
from portal.clients.records.entries import CLIENT, PERSON, PRODUCT, EntryKind
from portal.clients.records.revisions import to_json
from portal.driver.turns import in_turns
from portal.formatting import day, gbp

PROFILE_LABELS = {"first_name": "First name", "last_name": "Last name", "email": "Email", "role": "Role"}


class FieldChange(NamedTuple):
    label: str
    before: str
    after: str


class Change(NamedTuple):
    """A record that is created or changed. `details` describe a new record, `fields` a changed one."""

    file: str
    record: str
    details: str = ""
    fields: tuple[FieldChange, ...] = ()
    client_id: int | None = None

    @property
    def is_new(self) -> bool:
        return not self.fields


def mark_of(plan: ImportPlan) -> str:
    """Return a text that is equal for equal plans, to notice that a preview is outdated."""
    digest = sha256()
    for part in in_turns(_written(plan)):
        digest.update(repr(part).encode())
    digest.update(repr(sorted(plan.base_versions.items())).encode())
    return digest.hexdigest()


def changes_by_file(plan: ImportPlan) -> dict[str, Iterator[Change]]:
    """Return, for each file, the records that the import changes and then those that it creates."""
    return {
        PROFILES.file: _rows(PROFILES.file, plan.profiles, _full_name, _profile_field, _profile_details),
        CLIENTS.file: _rows(CLIENTS.file, plan.clients, _client_name, _field_of(CLIENT), _client_details),
        PEOPLE.file: _rows(PEOPLE.file, plan.people, _full_name, _field_of(PERSON), _person_details),
        PRODUCTS.file: _rows(PRODUCTS.file, plan.products, _product_name, _field_of(PRODUCT), _product_details),
        VALUATIONS.file: chain(_changed_valuations(plan), _new_valuations(plan)),
        NOTES.file: (Change(NOTES.file, _note_name(values), values["author_email"]) for values in plan.notes.new),
    }


def _written(plan: ImportPlan) -> Iterator[object]:
    for changes in (plan.profiles, plan.clients, plan.people, plan.products, plan.notes):
        yield from changes.new
        for stored, values in changes.changed:
            yield stored["id"], [(name, stored[name], value) for name, value in values.items()]
    for row in plan.valuations.rows:
        yield row, plan.valuations.stored.get((row.plan_number, row.valued_on))


def _rows(
    file: str,
    changes: RowChanges,
    name: Callable[[Values], str],
    field: Callable[[str, Any, Any], FieldChange],
    details: Callable[[Values], str],
) -> Iterator[Change]:
    for stored, values in changes.changed:
        fields = tuple(field(column, stored[column], value) for column, value in values.items())
        yield Change(file, name(stored), fields=fields, client_id=stored["id"] if file == CLIENTS.file else None)
    for values in changes.new:
        yield Change(file, name(values), details(values))


def _changed_valuations(plan: ImportPlan) -> Iterator[Change]:
    for row in in_turns(plan.valuations.rows):
        stored = plan.valuations.stored.get((row.plan_number, row.valued_on))
        if stored is not None:
            amounts = FieldChange("Amount", gbp(stored.amount), gbp(row.amount))
            yield Change(VALUATIONS.file, _valuation_name(row), fields=(amounts,))


def _new_valuations(plan: ImportPlan) -> Iterator[Change]:
    for row in in_turns(plan.valuations.rows):
        if plan.valuations.stored.get((row.plan_number, row.valued_on)) is None:
            yield Change(VALUATIONS.file, _valuation_name(row), gbp(row.amount))


def _field_of(kind: EntryKind) -> Callable[[str, Any, Any], FieldChange]:
    def field(column: str, before: Any, after: Any) -> FieldChange:
        if column == "adviser_email":
            return FieldChange(CLIENT.labels["adviser_id"], before or "", after or "")
        texts = (display_value(kind, column, to_json(value)) for value in (before, after))
        return FieldChange(kind.labels[column], *texts)

    return field


def _profile_field(column: str, before: Any, after: Any) -> FieldChange:
    texts: Mapping[str, str] = ROLES if column == "role" else {}
    return FieldChange(PROFILE_LABELS[column], texts.get(before, before), texts.get(after, after))


def _profile_details(values: Values) -> str:
    return f"{ROLES[values['role']]}, {values['email']}"


def _client_name(values: Values) -> str:
    return f"{values['client_ref']} {values['name']}"


def _client_details(values: Values) -> str:
    kind = CLIENT_TYPES[values["client_type"]]
    return f"{kind}, adviser {values['adviser_email']}" if values["adviser_email"] else f"{kind}, no adviser"


def _full_name(values: Values) -> str:
    return f"{values['first_name']} {values['last_name']}"


def _person_details(values: Values) -> str:
    return f"of {values['client_ref']}"


def _product_name(values: Values) -> str:
    return f"{values['product_type']} {values['plan_number']}"


def _product_details(values: Values) -> str:
    return f"of {values['client_ref']}, {values['provider']}"


def _valuation_name(row: ValuationRow) -> str:
    return f"{row.plan_number}, {day(row.valued_on)}"


def _note_name(values: Values) -> str:
    return f"{values['client_ref']}, {NOTE_KINDS[values['kind']].lower()} of {day(values['happened_on'])}"
