"""Compare the rows of the files with the existing records, and plan what an import writes. Pure.

Records are identified by natural keys: profiles by email, clients by client_ref, products by plan number, valuations by
plan number and day, people as people_matching.py defines, notes by client, author and time.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from portal.clients.csv.importing.existing import ExistingRecords, Values
from portal.clients.csv.importing.valuations import StoredValuation
from portal.clients.csv.schema import AnyRow, ClientRow, NoteRow, ValuationKey, ValuationRow
from portal.clients.csv.tables import Tables
from portal.clients.records.people_matching import match_people
from portal.driver.turns import in_turns


class Counts(NamedTuple):
    new: int = 0
    changed: int = 0
    unchanged: int = 0

    def __str__(self) -> str:
        return f"{self.new:,} new, {self.changed:,} changed, {self.unchanged:,} unchanged"


class ImportCounts(NamedTuple):
    """The result of an import for each file."""

    profiles: Counts
    clients: Counts
    people: Counts
    products: Counts
    valuations: Counts
    notes: Counts

    def __str__(self) -> str:
        return "\n".join(f"{name}: {counts}" for name, counts in self._asdict().items())


@dataclass
class RowChanges:
    """The rows to insert, the stored records to update with the values that differ, and the number of the others."""

    new: list[Values] = field(default_factory=list)
    changed: list[tuple[Values, Values]] = field(default_factory=list)
    unchanged: int = 0

    @property
    def counts(self) -> Counts:
        return Counts(len(self.new), len(self.changed), self.unchanged)


@dataclass(frozen=True)
class ValuationChanges:
    """The rows to write, in the order of the file, the stored valuations that some of them change, and the counts."""

    rows: list[ValuationRow]
    stored: Mapping[ValuationKey, StoredValuation | None]
    unchanged: int

    @property
    def counts(self) -> Counts:
        new = sum(self.stored.get((row.plan_number, row.valued_on)) is None for row in self.rows)
        return Counts(new, len(self.rows) - new, self.unchanged)


@dataclass(frozen=True)
class ImportPlan:
    """What an import writes. New rows and changes name clients and advisers by `client_ref` and `adviser_email`.

    A note that is stored already stays as it is: its author may have corrected it, or an administrator redacted it.
    `base_versions` has the existing clients that change: {client id: version that the plan was compared with}.
    """

    profiles: RowChanges
    clients: RowChanges
    people: RowChanges
    products: RowChanges
    valuations: ValuationChanges
    notes: RowChanges
    base_versions: Mapping[int, int]

    @property
    def counts(self) -> ImportCounts:
        parts = (self.profiles, self.clients, self.people, self.products, self.valuations, self.notes)
        return ImportCounts(*(part.counts for part in parts))


def build_plan(tables: Tables, existing: ExistingRecords) -> ImportPlan:
    """Return what an import of the files writes. The files must have no problems."""
    profiles = diff_rows((_values(row), existing.profiles.get(row.email.lower())) for row in tables.profiles.rows)
    clients = diff_rows((_client(row, existing), existing.clients.get(row.client_ref)) for row in tables.clients.rows)
    people = diff_rows(_people(tables, existing))
    products = diff_rows((_values(row), existing.products.get(row.plan_number)) for row in tables.products.rows)
    valuations = _valuations(tables.valuations.rows, existing)
    notes = _notes(tables.notes.rows, existing)
    versions = {client["id"]: client["version"] for client in existing.clients.values()}
    versions |= {product["client_id"]: product["client_version"] for product in existing.products.values()}
    changed_ids = _changed_clients(existing, clients, (people, products, notes), valuations)
    base_versions = {id_: versions[id_] for id_ in changed_ids}
    return ImportPlan(profiles, clients, people, products, valuations, notes, base_versions)


def diff_rows(pairs: Iterable[tuple[Values, Values | None]]) -> RowChanges:
    """Sort pairs of a row and its stored record (None: new). Compares the columns of the row only."""
    changes = RowChanges()
    for values, stored in in_turns(pairs):
        if stored is None:
            changes.new.append(values)
        elif differences := {name: value for name, value in values.items() if stored[name] != value}:
            changes.changed.append((stored, differences))
        else:
            changes.unchanged += 1
    return changes


def _client(row: ClientRow, existing: ExistingRecords) -> Values:
    """Return the row with the adviser's email as stored, because emails may differ in case."""
    adviser = existing.profiles.get(row.adviser_email.lower())
    return _values(row) | {"adviser_email": adviser["email"] if adviser else row.adviser_email or None}


def _people(tables: Tables, existing: ExistingRecords) -> Iterator[tuple[Values, Values | None]]:
    by_client: dict[str, list[Values]] = defaultdict(list)
    for row in tables.people.rows:
        by_client[row.client_ref].append(_values(row))
    for client_ref, people in by_client.items():
        yield from match_people(people, existing.people.get(client_ref, []))


def _valuations(rows: list[ValuationRow], existing: ExistingRecords) -> ValuationChanges:
    stored = existing.differing_valuations
    written = [
        row
        for row in in_turns(rows)
        if row.plan_number not in existing.products or (row.plan_number, row.valued_on) in stored
    ]
    return ValuationChanges(written, stored, len(rows) - len(written))


def _notes(rows: list[NoteRow], existing: ExistingRecords) -> RowChanges:
    new: list[Values] = [_values(row) for row in in_turns(rows) if row.key not in existing.notes]
    return RowChanges(new, unchanged=len(rows) - len(new))


def _changed_clients(
    existing: ExistingRecords,
    clients: RowChanges,
    parts: Iterable[RowChanges],
    valuations: ValuationChanges,
) -> set[int]:
    """Return the ids of the existing clients of which anything changes. `parts` are people, products and notes."""
    ids = {client["id"] for client, _ in clients.changed}
    for changes in parts:
        ids |= {part["client_id"] for part, _ in changes.changed}
        refs = {values["client_ref"] for values in changes.new}
        ids |= {existing.clients[ref]["id"] for ref in refs & existing.clients.keys()}
    plans = {row.plan_number for row in valuations.rows}
    return ids | {existing.products[plan]["client_id"] for plan in plans & existing.products.keys()}


def _values(row: AnyRow) -> dict[str, Any]:
    """Return the row without its line number."""
    values = row._asdict()
    del values["line"]
    return values
