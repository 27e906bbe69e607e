"""Import a folder of six CSV files into the client records, all or nothing.

Records are changed to what the files contain. Records that the files do not name stay as they are.
"""

from pathlib import Path

from sqlalchemy.exc import IntegrityError

from portal import clock
from portal.clients.csv.importing.advisers import adviser_problems
from portal.clients.csv.importing.apply import apply_plan
from portal.clients.csv.importing.existing import ExistingRecords, acquire_import_lock, load_existing
from portal.clients.csv.importing.plan import ImportCounts, build_plan
from portal.clients.csv.importing.references import reference_problems
from portal.clients.csv.importing.value_checks import value_problems
from portal.clients.csv.problems import ImportProblems, first_of
from portal.clients.csv.schema import FILES
from portal.clients.csv.tables import OnProgress, Tables, read_tables
from portal.errors import PortalError, StaleVersion
from portal.extensions import db
from portal.web.actor import UNKNOWN_ACTOR, Actor


class ImportConflict(PortalError):
    """Records changed while they were being imported. The caller rolls back and may import again."""


def import_folder(
    folder: Path, *, progress: OnProgress | None = None, warn: OnProgress | None = None, by: Actor = UNKNOWN_ACTOR
) -> ImportCounts:
    """Write the content of the folder's files; return the numbers of new, changed and unchanged records.

    Flushes, never commits. An existing client that changes gets one new version and one revision without an author. If
    a user saves one of them meanwhile, the import rolls back and begins again with all of them locked.

    `progress` receives a line from time to time, `warn` a line for each amount that was imported and may be wrong. The
    audit log names `by` for changes of roles and of access to restricted clients.

    Raises ImportProblems with every problem of every file before anything is written, or ImportConflict. The caller
    then rolls back.
    """
    on_progress, on_warning = progress or _ignore, warn or _ignore
    counts, warnings = _import(read_tables(folder, on_progress), on_progress, by)
    for line in first_of(warnings):
        on_warning(line)
    return counts


def _import(tables: Tables, on_progress: OnProgress, by: Actor) -> tuple[ImportCounts, list[str]]:
    try:
        return _attempt(tables, on_progress, by, lock=False)
    except (StaleVersion, IntegrityError):
        db.session.rollback()
        on_progress("Records were saved meanwhile: importing again, with their clients locked")
    try:
        return _attempt(tables, on_progress, by, lock=True)
    except (StaleVersion, IntegrityError) as error:
        raise ImportConflict(
            "Records were added while they were being imported. Nothing was imported; try again."
        ) from error


def _attempt(tables: Tables, on_progress: OnProgress, by: Actor, *, lock: bool) -> tuple[ImportCounts, list[str]]:
    acquire_import_lock()
    existing = load_existing(tables, lock=lock)
    _raise_problems(tables, existing)
    plan = build_plan(tables, existing)
    try:
        return plan.counts, apply_plan(plan, by, on_progress)
    finally:
        db.session.expire_all()  # loaded objects do not know of the statements


def _raise_problems(tables: Tables, existing: ExistingRecords) -> None:
    owners = {plan: product["client_ref"] for plan, product in existing.products.items()}
    problems = (
        tables.problems
        + reference_problems(tables, emails=existing.profiles, client_refs=existing.clients, owners=owners)
        + adviser_problems(tables, existing)
        + value_problems(tables, existing, clock.today())
    )
    if problems:
        raise ImportProblems(sorted(problems, key=lambda problem: (FILES.index(problem.file), problem.line or 0)))


def _ignore(_line: str) -> None:
    pass
