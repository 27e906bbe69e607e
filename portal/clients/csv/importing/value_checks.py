"""Find values that no form accepts and that the database does not contain already. Pure.

Stored values are accepted, so that an export of records from before a rule can be imported again.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from portal.clients.csv.importing.existing import ExistingRecords, Values
from portal.clients.csv.problems import Problem
from portal.clients.csv.schema import (
    CLIENTS,
    NOTES,
    PEOPLE,
    PRODUCTS,
    VALUATIONS,
    AnyRow,
    NoteRow,
    TableSchema,
    ValuationRow,
)
from portal.clients.csv.tables import Tables
from portal.clients.records.entries import CLIENT, NOTE, PERSON, PRODUCT, VALUATION, EntryKind
from portal.clients.records.entry_checks import problem_with
from portal.clients.records.parsers import quote_for_message
from portal.driver.turns import in_turns


def value_problems(tables: Tables, existing: ExistingRecords, today: date) -> list[Problem]:
    """Return a problem for each such value."""

    def stored_clients(row: Any) -> Sequence[Values]:
        return _as_list(existing.clients.get(row.client_ref))

    def stored_people(row: Any) -> Sequence[Values]:
        return existing.people.get(row.client_ref, [])

    def stored_products(row: Any) -> Sequence[Values]:
        return _as_list(existing.products.get(row.plan_number))

    valuations = _unstored_valuations(tables.valuations.rows, existing)
    notes = [row for row in tables.notes.rows if row.key is not None and row.key not in existing.notes]
    return [
        *_problems(CLIENTS, CLIENT, tables.clients.rows, stored_clients, today),
        *_problems(PEOPLE, PERSON, tables.people.rows, stored_people, today),
        *_problems(PRODUCTS, PRODUCT, tables.products.rows, stored_products, today),
        *_problems(VALUATIONS, VALUATION, valuations, lambda row: [], today),
        *_problems(NOTES, NOTE, notes, lambda row: [], today),
        *_texts(notes),
    ]


def _problems(
    schema: TableSchema[Any],
    kind: EntryKind,
    rows: Iterable[AnyRow],
    stored_of: Callable[[Any], Sequence[Values]],
    today: date,
) -> Iterator[Problem]:
    headings = dict(zip(schema.fields, schema.columns, strict=True))
    for row in in_turns(rows):
        for column, heading in headings.items():
            value = getattr(row, column)
            problem = problem_with(kind.name, column, value, today)
            if problem and value not in (stored[column] for stored in stored_of(row)):
                yield Problem(schema.file, row.line, heading, f"{quote_for_message(str(value))} {problem}")


def _texts(rows: Iterable[NoteRow]) -> Iterator[Problem]:
    """Yield a problem for each note without a text, except a redacted one, which has none."""
    for row in rows:
        if row.text == "" and row.redaction_reason == "":
            yield Problem(NOTES.file, row.line, "text", "is missing")
        elif row.text and row.redaction_reason:
            yield Problem(NOTES.file, row.line, "text", "must be empty for a note with a redaction_reason")


def _unstored_valuations(rows: Iterable[ValuationRow], existing: ExistingRecords) -> Iterator[ValuationRow]:
    """Yield the complete rows that are not stored as they are."""
    for row in in_turns(rows):
        if None not in row and (
            row.plan_number not in existing.products
            or (row.plan_number, row.valued_on) in existing.differing_valuations
        ):
            yield row


def _as_list(values: Values | None) -> list[Values]:
    return [values] if values else []
