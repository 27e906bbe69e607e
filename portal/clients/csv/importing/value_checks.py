"""Values of the files that no form would take, and that the database does not hold already. Called by the importer.

What is there already stays: an export of records from before a rule can be imported again.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

from portal.clients.csv.importing import store
from portal.clients.csv.importing.changes import Values
from portal.clients.csv.importing.store import ExistingRecords
from portal.clients.csv.problems import Problem
from portal.clients.csv.schema import CLIENTS, PEOPLE, PRODUCTS, VALUATIONS, AnyRow, TableSchema, ValuationRow
from portal.clients.csv.tables import Tables
from portal.clients.records.entries import CLIENT, PERSON, PRODUCT, VALUATION, EntryKind
from portal.clients.records.entry_checks import problem_with
from portal.clients.records.parsers import quote_for_message


def value_problems(tables: Tables, kept: ExistingRecords, today: date) -> list[Problem]:
    """Name the rows with such values. Reads from the database what it holds of valuations that look wrong."""

    def client_of(row: Any) -> list[Values]:
        return _one(kept.clients.get(row.client_ref))

    def people_of(row: Any) -> list[Values]:
        return [person for client in client_of(row) for person in kept.people.get(client["id"], [])]

    def product_of(row: Any) -> list[Values]:
        return _one(kept.products.get(row.plan_number))

    return [
        *_problems(CLIENTS, CLIENT, tables.clients.rows, client_of, today),
        *_problems(PEOPLE, PERSON, tables.people.rows, people_of, today),
        *_problems(PRODUCTS, PRODUCT, tables.products.rows, product_of, today),
        *_problems(VALUATIONS, VALUATION, _new_valuations(tables.valuations.rows, kept, today), lambda row: [], today),
    ]


def _problems(
    shape: TableSchema[Any], kind: EntryKind, rows: Iterable[AnyRow], stored: Callable[[Any], list[Values]], today: date
) -> Iterator[Problem]:
    headings = dict(zip(shape.fields, shape.columns, strict=True))
    for row in rows:
        for column, heading in headings.items():
            value = getattr(row, column)
            problem = problem_with(kind.name, column, value, today)
            if problem and value not in (other[column] for other in stored(row)):
                yield Problem(shape.file, row.line, heading, f"{quote_for_message(str(value))} {problem}")


def _new_valuations(rows: Iterable[ValuationRow], kept: ExistingRecords, today: date) -> list[ValuationRow]:
    """Those with a value that a form would not take, but for those that are there already."""
    odd = [row for row in rows if None not in row and _is_odd(row, today)]
    ids = {plan: product["id"] for plan, product in kept.products.items()}
    known = [row for row in odd if row.plan_number in ids]
    differing = {(row.product_id, row.valued_on) for row in store.differing_valuations(known, ids)}
    return [row for row in odd if row.plan_number not in ids or (ids[row.plan_number], row.valued_on) in differing]


def _is_odd(row: ValuationRow, today: date) -> bool:
    return any(problem_with(VALUATION.name, column, getattr(row, column), today) for column in VALUATION.labels)


def _one(values: Values | None) -> list[Values]:
    return [values] if values else []
