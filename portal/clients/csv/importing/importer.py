"""Imports a folder of five CSV files into the client records, all or nothing. Called by `flask clients` and demo.

Profiles are known by email, clients by client_ref, plans by plan_number, valuations by plan and day, people as
people_matching says. What is there is changed to what the file says; what the files do not name stays as it is.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy.exc import IntegrityError

from portal import clock
from portal.auth import administration
from portal.auth import profiles as operations
from portal.clients import permissions
from portal.clients.csv.importing import store
from portal.clients.csv.importing.changes import ImportCounts, RowChanges, Values, diff_rows
from portal.clients.csv.importing.references import reference_problems
from portal.clients.csv.importing.revisions import ImportHistory
from portal.clients.csv.importing.store import ExistingRecords
from portal.clients.csv.importing.valuations import ValuationImport
from portal.clients.csv.importing.value_checks import value_problems
from portal.clients.csv.problems import ImportProblems, first_of
from portal.clients.csv.schema import CLIENTS, FILES, PRODUCTS, VALUATIONS, AnyRow
from portal.clients.csv.tables import OnProgress, Tables, read_tables
from portal.clients.records.entries import CLIENT, PERSON, PRODUCT, Entry, EntryKind
from portal.clients.records.people_matching import match_people
from portal.clients.saving import auditing
from portal.clients.saving.auditing import AdviserChange
from portal.errors import PortalError, StaleVersion
from portal.extensions import db
from portal.web.actor import UNKNOWN_ACTOR, Actor


class ImportConflict(PortalError):
    """Records changed under the import's hands. The caller rolls back, and may import again."""


def import_folder(
    folder: Path, *, progress: OnProgress | None = None, warn: OnProgress | None = None, by: Actor = UNKNOWN_ACTOR
) -> ImportCounts:
    """Write what the folder's files say; return what was new, changed and unchanged. Flushes, never commits.

    A client that was there rises by one version for all that changes of it; nobody is named as its changer. Where
    somebody saves one of them meanwhile, the import rolls back and begins again, with all of them locked from then on.
    `progress` hears a line now and then, `warn` of amounts that are taken and may be wrong; the audit names `by` where
    the import changes a role, or who sees a restricted client. Raises ImportProblems, with every problem of every file
    and before anything is written, or ImportConflict; the caller then rolls back.
    """
    tell = progress or _no_progress
    counts, doubts = _import(read_tables(folder, tell), tell, by)
    for line in first_of(doubts):
        (warn or _no_progress)(line)
    return counts


def _import(tables: Tables, tell: OnProgress, by: Actor) -> tuple[ImportCounts, list[str]]:
    try:
        return _attempt(tables, tell, by, hold=False)
    except (StaleVersion, IntegrityError):
        db.session.rollback()
        tell("Records were saved meanwhile: importing again, which holds them")
    try:
        return _attempt(tables, tell, by, hold=True)
    except (StaleVersion, IntegrityError) as error:
        raise ImportConflict(
            "Records were added while they were being imported. Nothing was imported; try again."
        ) from error


def _attempt(tables: Tables, tell: OnProgress, by: Actor, *, hold: bool) -> tuple[ImportCounts, list[str]]:
    store.take_turns()
    kept = store.load_existing(tables, hold=hold)
    _raise_problems(tables, kept)
    try:
        return _write(tables, kept, tell, by)
    finally:
        db.session.expire_all()  # what is loaded there has been changed behind its back


def _raise_problems(tables: Tables, kept: ExistingRecords) -> None:
    owners = {plan: product["client_ref"] for plan, product in kept.products.items()}
    problems = (
        tables.problems
        + reference_problems(tables, emails=kept.profiles, client_refs=kept.clients, owners=owners)
        + value_problems(tables, kept, clock.today())
    )
    if problems:
        raise ImportProblems(sorted(problems, key=lambda found: (FILES.index(found.file), found.line or 0)))


def _write(tables: Tables, kept: ExistingRecords, tell: OnProgress, by: Actor) -> tuple[ImportCounts, list[str]]:
    """Write it all; return what was done, and the amounts that may be wrong.

    In this order: each file names what the one before it has brought, and nothing that belongs to a client which was
    there is touched before its row is locked and its version claimed.
    """
    at = clock.now()
    profiles = diff_rows(_profiles(tables, kept))
    store.add_profiles(profiles)
    clients = diff_rows(_clients(tables, kept))
    store.add_clients(clients, stamp={"updated_at": at, "updated_by": None})
    client_ids = store.client_ids(tables.client_refs)
    people = diff_rows(_people(tables, kept, client_ids))
    products = diff_rows(_products(tables, kept, client_ids))
    valuations = ValuationImport(tables.valuations.rows, kept.products)
    history = ImportHistory(
        known={client["id"]: client["version"] for client in kept.clients.values()}
        | {product["client_id"]: product["client_version"] for product in kept.products.values()},
        new_clients={client_ids[client["client_ref"]] for client in clients.new},
    )
    history.claim(at, _touched(clients, people, products) | valuations.touched)
    _write_profiles(profiles, by)
    store.write_clients(clients)
    for client, values in clients.changed:
        history.changed(client["id"], Entry(CLIENT), client, values)
    tell(f"{CLIENTS.file}: {len(tables.clients.rows):,} written")
    _write_parts(PERSON, people, history)
    valuations.expect(_write_parts(PRODUCT, products, history))
    tell(f"{PRODUCTS.file}: {len(tables.products.rows):,} written")
    valuations.write(history, lambda done, all_: tell(f"{VALUATIONS.file}: {done:,} of {all_:,} written"))
    history.record(at)
    _tell_of_access(clients, history, by)
    counts = ImportCounts(profiles.counts, clients.counts, people.counts, products.counts, valuations.counts)
    return counts, valuations.jumps()


def _write_profiles(profiles: RowChanges, by: Actor) -> None:
    """Bring those that were there up to date, after the clients are locked: a save locks its client first, too."""
    store.write_profiles(profiles)
    ids = store.profile_ids()
    for values in profiles.new:
        administration.record_restricted_access(by, ids[values["email"].lower()], before=None, after=values["role"])
    for kept, values in profiles.changed:
        if "role" in values:
            administration.change_role(by, operations.profile_with_id(kept["id"]), values["role"])


def _tell_of_access(clients: RowChanges, history: ImportHistory, by: Actor) -> None:
    """Take off the pages of clients whoever may not see them any more; name to the audit who lost and gained access."""
    advisers = [(client, values["adviser_id"]) for client, values in clients.changed if "adviser_id" in values]
    for client, _ in advisers:
        permissions.evict(client["id"])
    auditing.note_advisers(
        [
            AdviserChange(client["id"], history.version_of(client["id"]), client["adviser_id"], new_id)
            for client, new_id in advisers
            if client["is_restricted"]
        ],
        by,
    )


def _touched(clients: RowChanges, *parts: RowChanges) -> set[int]:
    """The ids of the clients that something is written of."""
    ids = {client["id"] for client, _ in clients.changed}
    for changes in parts:
        ids |= {row["client_id"] for row in changes.new} | {kept["client_id"] for kept, _ in changes.changed}
    return ids


def _write_parts(kind: EntryKind, changes: RowChanges, history: ImportHistory) -> Sequence[Any]:
    """Write people or products; return the rows that are new."""
    added = store.add_parts(kind.model, changes)
    for row in added:
        history.added(row.client_id, kind, row)
    store.write_parts(kind.model, changes)
    for part, values in changes.changed:
        history.changed(part["client_id"], Entry(kind, part["id"]), part, values)
    return added


def _profiles(tables: Tables, kept: ExistingRecords) -> Iterator[tuple[Values, Values | None]]:
    for row in tables.profiles.rows:
        yield _values(row), kept.profiles.get(row.key or "")


def _clients(tables: Tables, kept: ExistingRecords) -> Iterator[tuple[Values, Values | None]]:
    ids = store.profile_ids()
    for row in tables.clients.rows:
        adviser_id = ids[row.adviser_email.lower()] if row.adviser_email else None
        yield _values(row, "adviser_email", adviser_id=adviser_id), kept.clients.get(row.client_ref)


def _people(
    tables: Tables, kept: ExistingRecords, client_ids: dict[str, int]
) -> Iterator[tuple[Values, Values | None]]:
    given: dict[int, list[Values]] = defaultdict(list)
    for row in tables.people.rows:
        client_id = client_ids[row.client_ref]
        given[client_id].append(_values(row, "client_ref", client_id=client_id))
    for client_id, people in given.items():
        yield from match_people(people, kept.people.get(client_id, []))


def _products(
    tables: Tables, kept: ExistingRecords, client_ids: dict[str, int]
) -> Iterator[tuple[Values, Values | None]]:
    for row in tables.products.rows:
        values = _values(row, "client_ref", client_id=client_ids[row.client_ref])
        yield values, kept.products.get(row.plan_number)


def _values(row: AnyRow, *left_out: str, **added: Any) -> dict[str, Any]:
    """The row as columns of its model, without `left_out` and with `added`."""
    kept = {name: value for name, value in row._asdict().items() if name not in ("line", *left_out)}
    return kept | added


def _no_progress(line: str) -> None:
    """Progress that nobody asked for."""
