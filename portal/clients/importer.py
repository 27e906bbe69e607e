"""Imports a folder of five CSV files into the client records, all or nothing. Called by `flask clients` and demo.

Profiles are known by e-mail, clients by client_ref, plans by plan_number, valuations by plan and day, people as
people_matching says. What is there is changed to what the file says; what the files do not name stays as it is.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy.exc import IntegrityError

from portal import clock
from portal.clients import import_store
from portal.clients.csv_problems import ImportProblems
from portal.clients.csv_shapes import CLIENTS, FILES, PRODUCTS, VALUATIONS, AnyRow
from portal.clients.csv_tables import Tables, Tell, read_tables
from portal.clients.entries import CLIENT, PERSON, PRODUCT, Entry
from portal.clients.import_changes import Counts, ImportCounts, Values, changes_between
from portal.clients.import_checks import reference_problems
from portal.clients.import_history import ImportHistory
from portal.clients.import_store import Kept
from portal.clients.models import Person, Product
from portal.clients.people_matching import match_people
from portal.errors import PortalError, StaleVersion
from portal.extensions import db


class ImportOvertaken(PortalError):
    """Records changed under the import's hands. The caller rolls back, and may import again."""


def import_folder(folder: Path, *, progress: Tell | None = None) -> ImportCounts:
    """Write what the folder's files say; return what was new, changed and unchanged. Flushes, never commits.

    A client that was there rises by one version for all that changes of it; nobody is named as its changer.
    `progress` hears a line now and then. Raises ImportProblems, with every problem of every file and before anything is
    written, or ImportOvertaken; the caller then rolls back.
    """
    tell = progress or _tell_nobody
    tables = read_tables(folder, tell)
    import_store.take_turns()
    kept = import_store.kept_records(tables)
    _refuse_problems(tables, kept)
    try:
        return _write(tables, kept, tell)
    except (StaleVersion, IntegrityError) as error:
        raise ImportOvertaken(
            "Records were changed while they were being imported. Nothing was imported; try again."
        ) from error
    finally:
        db.session.expire_all()  # what is loaded there has been changed behind its back


def _refuse_problems(tables: Tables, kept: Kept) -> None:
    owners = {plan: product["client_ref"] for plan, product in kept.products.items()}
    problems = tables.problems + reference_problems(
        tables, emails=kept.profiles, client_refs=kept.clients, owners=owners
    )
    if problems:
        raise ImportProblems(sorted(problems, key=lambda found: (FILES.index(found.file), found.line or 0)))


def _write(tables: Tables, kept: Kept, tell: Tell) -> ImportCounts:
    """In this order: each file names what the one before it has brought, and nothing that was there is changed before
    the version of its client has been claimed.
    """
    at = clock.now()
    profiles = changes_between(_profiles(tables, kept))
    import_store.write_profiles(profiles)
    clients = changes_between(_clients(tables, kept))
    import_store.add_clients(clients, stamp={"updated_at": at, "updated_by": None})
    refs = {row.client_ref for table in (tables.clients, tables.people, tables.products) for row in table.rows}
    client_ids = import_store.client_ids(refs)
    people = changes_between(_people(tables, kept, client_ids))
    products = changes_between(_products(tables, kept, client_ids))
    history = ImportHistory(
        known={client["id"]: client["version"] for client in kept.clients.values()},
        new_clients={client_ids[client["client_ref"]] for client in clients.new},
    )
    for client, values in clients.changed:
        history.changed(client["id"], Entry(CLIENT), client, values)
    for kind, parts in ((PERSON, people), (PRODUCT, products)):
        for row in import_store.add_parts(kind.model, parts):
            history.added(row.client_id, kind, row)
        for part, values in parts.changed:
            history.changed(part["client_id"], Entry(kind, part["id"]), part, values)
    plans = import_store.product_ids({row.plan_number for row in tables.valuations.rows})
    differing = import_store.differing_valuations(tables.valuations.rows, plans)
    owners = import_store.owners_of({row.product_id for row in differing})
    history.expect(owners.values())
    history.claim(at)
    import_store.write_clients(clients)
    tell(f"{CLIENTS.file}: {len(tables.clients.rows):,} written")
    import_store.write_parts(Person, people)
    import_store.write_parts(Product, products)
    tell(f"{PRODUCTS.file}: {len(tables.products.rows):,} written")
    ids = import_store.write_valuations(
        differing, lambda count: tell(f"{VALUATIONS.file}: {count:,} of {len(differing):,} written")
    )
    for row in differing:
        history.valued(owners[row.product_id], ids[row.product_id, row.valued_on], row)
    history.record(at)
    new = sum(row.kept_id is None for row in differing)
    valuations = Counts(new, len(differing) - new, len(tables.valuations.rows) - len(differing))
    return ImportCounts(profiles.counts, clients.counts, people.counts, products.counts, valuations)


def _profiles(tables: Tables, kept: Kept) -> Iterator[tuple[Values, Values | None]]:
    for row in tables.profiles.rows:
        yield _values(row), kept.profiles.get(row.key or "")


def _clients(tables: Tables, kept: Kept) -> Iterator[tuple[Values, Values | None]]:
    ids = import_store.profile_ids()
    for row in tables.clients.rows:
        adviser_id = ids[row.adviser_email.lower()] if row.adviser_email else None
        yield _values(row, "adviser_email", adviser_id=adviser_id), kept.clients.get(row.client_ref)


def _people(tables: Tables, kept: Kept, client_ids: dict[str, int]) -> Iterator[tuple[Values, Values | None]]:
    given: dict[int, list[Values]] = defaultdict(list)
    for row in tables.people.rows:
        client_id = client_ids[row.client_ref]
        given[client_id].append(_values(row, "client_ref", client_id=client_id))
    for client_id, people in given.items():
        yield from match_people(people, kept.people.get(client_id, []))


def _products(tables: Tables, kept: Kept, client_ids: dict[str, int]) -> Iterator[tuple[Values, Values | None]]:
    for row in tables.products.rows:
        values = _values(row, "client_ref", client_id=client_ids[row.client_ref])
        yield values, kept.products.get(row.plan_number)


def _values(row: AnyRow, *left_out: str, **added: Any) -> dict[str, Any]:
    """The row as columns of its model, without `left_out` and with `added`."""
    kept = {name: value for name, value in row._asdict().items() if name not in ("line", *left_out)}
    return kept | added


def _tell_nobody(line: str) -> None:
    """Progress that nobody asked for."""
