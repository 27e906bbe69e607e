"""Import six CSV files into the client records, all or nothing.

Records are changed to what the files contain. Records that the files do not name stay as they are. `flask clients
import` imports a folder at once. In the browser `upload.py` checks the files first and writes what the page has shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import IntegrityError

from portal import clock
from portal.clients.csv.files import read_file
from portal.clients.csv.importing.advisers import adviser_problems
from portal.clients.csv.importing.apply import apply_plan
from portal.clients.csv.importing.existing import ExistingRecords, acquire_import_lock, load_existing
from portal.clients.csv.importing.part_limits import limit_problems
from portal.clients.csv.importing.plan import ImportCounts, ImportPlan, build_plan
from portal.clients.csv.importing.references import reference_problems
from portal.clients.csv.importing.valuations import find_jumps
from portal.clients.csv.importing.value_checks import value_problems
from portal.clients.csv.problems import ImportProblems, Problem, first_of
from portal.clients.csv.schema import FILES, VALUATIONS
from portal.clients.csv.tables import OnProgress, Tables, read_tables
from portal.clients.records import valuation_jumps
from portal.errors import PortalError, StaleVersion
from portal.extensions import db
from portal.web.actor import UNKNOWN_ACTOR, Actor


class ImportConflict(PortalError):
    """Records changed while they were being imported. The caller rolls back and may import again."""


@dataclass(frozen=True)
class CheckedImport:
    """What an import would write, and each amount of it that may be wrong."""

    plan: ImportPlan
    warnings: Sequence[Problem]


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
    tables = read_tables(lambda name: read_file(folder / name), on_progress)
    imported = _import(tables, on_progress, by)
    for line in first_of(imported.warnings):
        on_warning(line)
    return imported.plan.counts


def check_import(tables: Tables, *, lock: bool = False) -> CheckedImport:
    """Compare the files with the stored records. `lock` holds the clients that the files name against saves.

    Writes nothing. Raises ImportProblems with every problem of every file.
    """
    existing = load_existing(tables, lock=lock)
    _raise_problems(tables, existing)
    plan = build_plan(tables, existing)
    return CheckedImport(plan, _warnings(plan))


def write_import(checked: CheckedImport, on_progress: OnProgress, by: Actor) -> None:
    """Write what was checked in the same transaction. Flushes.

    Raises StaleVersion or IntegrityError if another transaction has changed or added one of the records.
    """
    try:
        apply_plan(checked.plan, by, on_progress)
    finally:
        db.session.expire_all()  # loaded objects do not know of the statements


def _import(tables: Tables, on_progress: OnProgress, by: Actor) -> CheckedImport:
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


def _attempt(tables: Tables, on_progress: OnProgress, by: Actor, *, lock: bool) -> CheckedImport:
    acquire_import_lock()
    checked = check_import(tables, lock=lock)
    write_import(checked, on_progress, by)
    return checked


def _raise_problems(tables: Tables, existing: ExistingRecords) -> None:
    owners = {plan: product["client_ref"] for plan, product in existing.products.items()}
    problems = (
        tables.problems
        + reference_problems(tables, emails=existing.profiles, client_refs=existing.clients, owners=owners)
        + adviser_problems(tables, existing)
        + value_problems(tables, existing, clock.today())
        + limit_problems(tables, existing)
    )
    if problems:
        raise ImportProblems(sorted(problems, key=lambda problem: (FILES.index(problem.file), problem.line or 0)))


def _warnings(plan: ImportPlan) -> list[Problem]:
    return [
        Problem(VALUATIONS.file, row.line, "amount_gbp", valuation_jumps.describe_jump(row.amount, before))
        for row, before in find_jumps(plan.valuations.rows)
    ]


def _ignore(_line: str) -> None:
    pass
