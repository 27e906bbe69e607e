"""Check and apply the files that an administrator has uploaded, with the result as the page shows it.

A worker computes one of them at a time, and gives way to other requests meanwhile.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from threading import BoundedSemaphore

from sqlalchemy import ARRAY, Integer, any_, literal, select

from portal.auth import Profile
from portal.clients.csv.auditing import record_import
from portal.clients.csv.files import MissingFile
from portal.clients.csv.importing import pending
from portal.clients.csv.importing.changes import Change, changes_by_file, mark_of
from portal.clients.csv.importing.existing import try_import_lock
from portal.clients.csv.importing.importer import CheckedImport, check_import, write_import
from portal.clients.csv.importing.plan import Counts
from portal.clients.csv.problems import MAX_PROBLEMS_SHOWN, ImportProblems, Problem, first_of
from portal.clients.csv.schema import CLIENTS, NOTES, PEOPLE, PRODUCTS, PROFILES, VALUATIONS
from portal.clients.csv.tables import Tables, read_tables
from portal.clients.records.models import Client
from portal.driver.turns import in_turns
from portal.errors import NotAllowed, ServiceBusy, StaleVersion
from portal.extensions import db
from portal.web.actor import Actor
from portal.web.csv_escaping import csv_line

MAX_CHANGES_SHOWN = 25  # of each file
MAX_MOVED_SHOWN = 10
MAX_WAIT_SECONDS = 60
TITLES = {
    PROFILES.file: "Users",
    CLIENTS.file: "Clients",
    PEOPLE.file: "People",
    PRODUCTS.file: "Products",
    VALUATIONS.file: "Valuations",
    NOTES.file: "Notes",
}
_turn = BoundedSemaphore(1)


@dataclass(frozen=True)
class Section:
    """What an import does to the records of one file: their numbers, and the first of them."""

    title: str
    counts: Counts
    changes: Sequence[Change]

    @property
    def more(self) -> int:
        """Return how many of the changes are not shown."""
        return self.counts.new + self.counts.changed - len(self.changes)


@dataclass(frozen=True)
class Preview:
    """What the page shows of an upload. With problems nothing else is known."""

    problems: Sequence[Problem] = ()
    checked: CheckedImport | None = None
    mark: str = ""
    sections: Sequence[Section] = ()

    @property
    def shown_problems(self) -> Sequence[Problem]:
        return self.problems[:MAX_PROBLEMS_SHOWN]

    @property
    def warnings(self) -> Sequence[Problem]:
        return self.checked.warnings if self.checked else ()

    @property
    def shown_warnings(self) -> Sequence[Problem]:
        return self.warnings[:MAX_PROBLEMS_SHOWN]

    @property
    def changes_something(self) -> bool:
        return any(section.counts.new + section.counts.changed for section in self.sections)


@contextmanager
def in_turn() -> Iterator[None]:
    """Wait until no other upload is computed in this process. The caller has no transaction open.

    Raises ServiceBusy (503) after a minute.
    """
    if not _turn.acquire(timeout=MAX_WAIT_SECONDS):
        raise ServiceBusy("Another import is being checked. Try again in a minute.")
    try:
        yield
    finally:
        _turn.release()


def preview_of(import_id: int) -> Preview:
    """Check the files. The caller is in turn."""
    try:
        checked = check_import(_read(import_id))
    except ImportProblems as error:
        return Preview(problems=error.problems)
    mark = mark_of(checked.plan)
    changes = changes_by_file(checked.plan)
    sections = [
        Section(title, counts, list(islice(changes[file], MAX_CHANGES_SHOWN)))
        for (file, title), counts in zip(TITLES.items(), checked.plan.counts, strict=True)
    ]
    return Preview(checked=checked, mark=mark, sections=sections)


def apply_upload(profile: Profile, shown_mark: str, by: Actor) -> None:
    """Import the profile's upload if it still does what the preview with `shown_mark` has shown. Flushes.

    Does nothing if another request has applied or replaced it, or is doing that. The caller is in turn. Raises
    StaleVersion (409) or IntegrityError if records have changed, ImportProblems if the files no longer fit them,
    ServiceBusy (503) while another import is being written.
    """
    found = pending.import_of(profile)
    if found is None or found.applied_at:
        return
    import_id = found.id
    tables = _read(import_id)
    if not pending.hold(profile) or not _is_still_pending(profile, import_id):
        return
    if not (profile.is_active and profile.role == "admin"):
        raise NotAllowed("Only administrators can do this.")
    if not try_import_lock():
        raise ServiceBusy("Another import is running. Try again when it has finished.")
    checked = check_import(tables)
    if mark_of(checked.plan) != shown_mark:
        raise StaleVersion("Records have changed since the preview.")
    write_import(checked, partial(pending.note_progress, import_id), by)
    record_import(checked.plan.counts, by)
    warnings = first_of(checked.warnings)
    pending.note_applied(import_id, checked.plan.counts, warnings)


def moved_clients(shown: Mapping[str, int], preview: Preview) -> tuple[list[str], int]:
    """Return which clients have changed since the earlier preview, which showed these versions, and their number.

    Names the first of them. With problems it is not known which clients the files would change.
    """
    if preview.checked is None:
        return [], 0
    now = {str(id_): version for id_, version in preview.checked.plan.base_versions.items()}
    moved = [int(id_) for id_ in shown.keys() | now.keys() if shown.get(id_) != now.get(id_)]
    is_moved = Client.id == any_(literal(moved, ARRAY(Integer)))
    rows = db.session.execute(
        select(Client.client_ref, Client.name).where(is_moved).order_by(Client.client_ref).limit(MAX_MOVED_SHOWN)
    )
    return [f"{ref} {name}" for ref, name in rows], len(moved)


def csv_of(preview: Preview) -> Iterator[str]:
    """Yield all problems as lines of CSV, or else all changes and warnings."""
    for cells in in_turns(_problem_rows(preview) if preview.problems else _change_rows(preview)):
        yield csv_line(cells)


def _problem_rows(preview: Preview) -> Iterator[tuple[str, ...]]:
    yield "File", "Line", "Column", "Problem"
    for problem in preview.problems:
        yield problem.file, str(problem.line or ""), problem.column or "", problem.text


def _change_rows(preview: Preview) -> Iterator[tuple[str, ...]]:
    yield "File", "Record", "Change", "Field", "Before", "After"
    changes = changes_by_file(preview.checked.plan).values() if preview.checked else ()
    for change in chain.from_iterable(changes):
        if change.is_new:
            yield change.file, change.record, "new", "", "", change.details
        for field in change.fields:
            yield change.file, change.record, "changed", *field
    for warning in preview.warnings:
        yield warning.file, f"line {warning.line}", "please check", warning.column or "", "", warning.text


def _read(import_id: int) -> Tables:
    """Read the rows of the files. No transaction is open meanwhile."""
    files = pending.files_of(import_id)
    db.session.commit()

    def content_of(name: str) -> bytes:
        if name not in files:
            raise MissingFile
        return files[name]

    return read_tables(content_of, lambda _line: None)


def _is_still_pending(profile: Profile, import_id: int) -> bool:
    found = pending.import_of(profile)
    return found is not None and found.id == import_id and found.applied_at is None
