"""Find clients and products that would have more parts than a page can show. Pure.

An import removes nothing, so the stored parts count, also those that the files do not name. An import that adds nothing
is accepted: an export of records from before the limits can be imported again.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from portal.clients.csv.importing.existing import ExistingRecords
from portal.clients.csv.problems import Problem
from portal.clients.csv.schema import (
    NOTES,
    PEOPLE,
    PRODUCTS,
    VALUATIONS,
    NoteRow,
    PersonRow,
    ProductRow,
    TableSchema,
    ValuationRow,
)
from portal.clients.csv.tables import Tables
from portal.clients.records import limits
from portal.clients.records.parsers import quote_for_message
from portal.clients.records.people_matching import match_people
from portal.driver.turns import in_turns


def limit_problems(tables: Tables, existing: ExistingRecords) -> list[Problem]:
    """Return a problem for the first row of each client or product that adds a part too many."""
    people = {ref: len(of_client) for ref, of_client in existing.people.items()}
    notes = Counter(key.client_ref for key in existing.notes)
    new_valuations = _new_valuations(tables, existing)
    return [
        *_excess(PEOPLE, "client_ref", _new_people(tables, existing), people, limits.MAX_PEOPLE),
        *_excess(PRODUCTS, "client_ref", _new_products(tables, existing), existing.product_counts, limits.MAX_PRODUCTS),
        *_excess(VALUATIONS, "plan_number", new_valuations, existing.valuation_counts, limits.MAX_VALUATIONS),
        *_excess(NOTES, "client_ref", _new_notes(tables, existing), notes, limits.MAX_NOTES),
    ]


def _excess(
    schema: TableSchema[Any], column: str, new: Iterable[Any], stored: Mapping[str, int], maximum: int
) -> Iterator[Problem]:
    """Yield a problem for each owner with too many parts. `column` names the owner, `new` has the rows that add one."""
    lines: dict[str, list[int]] = defaultdict(list)
    for row in in_turns(new):
        if owner := getattr(row, column):
            lines[owner].append(row.line)
    parts = schema.file.removesuffix(".csv")
    kind_of_owner = "product" if column == "plan_number" else "client"
    for owner, lines_of_owner in lines.items():
        before = stored.get(owner, 0)
        total = before + len(lines_of_owner)
        if total > maximum:
            text = f"{quote_for_message(owner)} would have {total:,} {parts}; a {kind_of_owner} has at most {maximum:,}"
            yield Problem(schema.file, lines_of_owner[max(0, maximum - before)], column, text)


def _new_people(tables: Tables, existing: ExistingRecords) -> Iterator[PersonRow]:
    """Yield the rows that match no stored person, of clients that may get too many. Invalid rows are not compared."""
    by_client: dict[str, list[PersonRow]] = defaultdict(list)
    for row in tables.people.rows:
        if None not in (row.client_ref, row.first_name, row.last_name, row.ni_number):
            by_client[row.client_ref].append(row)
    for client_ref, rows in by_client.items():
        stored_people = existing.people.get(client_ref, [])
        if len(stored_people) + len(rows) <= limits.MAX_PEOPLE:
            continue  # the plan matches the people of all clients
        matches = match_people([row._asdict() for row in rows], stored_people)
        yield from (row for row, (_, stored) in zip(rows, matches, strict=True) if stored is None)


def _new_products(tables: Tables, existing: ExistingRecords) -> Iterator[ProductRow]:
    return (row for row in tables.products.rows if row.key and row.key not in existing.products)


def _new_valuations(tables: Tables, existing: ExistingRecords) -> Iterator[ValuationRow]:
    differing = existing.differing_valuations
    for row in tables.valuations.rows:
        key = row.key
        if key and (key[0] not in existing.products or (key in differing and differing[key] is None)):
            yield row


def _new_notes(tables: Tables, existing: ExistingRecords) -> Iterator[NoteRow]:
    return (row for row in tables.notes.rows if row.key and row.key not in existing.notes)
