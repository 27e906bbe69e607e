"""Test notes.csv: its import, its export, and the round trip of both."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy import text as sql

from portal.clients import Client
from portal.clients.csv.export import export_folder
from portal.clients.csv.importing.importer import import_folder
from portal.clients.csv.importing.plan import Counts, ImportCounts
from portal.clients.csv.problems import ImportProblems
from portal.clients.records.note_models import ClientNote
from portal.extensions import db
from tests.clients.conftest import history_of
from tests.support.cast import Cast
from tests.support.csv_folder import CsvFolder, whole_database
from tests.support.databases import EMPTY_EVERY_TABLE
from tests.support.factories import make_client, make_note

WRITTEN_AT = datetime(2026, 8, 20, 10, 42, tzinfo=UTC)


@pytest.fixture
def folder(app: Flask, tmp_path: Path) -> CsvFolder:
    return CsvFolder(tmp_path / "files")


def imported(folder: CsvFolder | Path) -> ImportCounts:
    counts = import_folder(folder.path if isinstance(folder, CsvFolder) else folder)
    db.session.commit()
    return counts


def all_notes() -> list[ClientNote]:
    db.session.rollback()
    return list(db.session.scalars(select(ClientNote).order_by(ClientNote.id)))


def test_imported_note_has_its_author_and_time_and_a_place_in_the_history_of_an_existing_client(
    folder: CsvFolder,
) -> None:
    imported(folder)
    [note] = all_notes()
    assert (note.kind, note.happened_on, note.text) == ("call", date(2026, 8, 20), "Rang about the ISA")
    assert (note.written_at, note.edits, note.version) == (WRITTEN_AT, 0, 1)
    [client] = db.session.scalars(select(Client))
    assert history_of(client) == []

    folder.add("notes.csv", "KG1,note,2026-08-21,,2026-08-21T09:00+01:00,2026-08-21T10:00Z,,Without an author")
    assert imported(folder).notes == Counts(1, 0, 1)
    _, added = all_notes()
    assert (added.author_id, added.written_at.hour, added.edits, added.version) == (None, 8, 1, 2)
    [revision] = history_of(client)
    assert revision.changes == {f"note/{added.id}": [None, {"kind": "note", "happened_on": "2026-08-21"}]}


def test_folder_without_notes_is_imported_and_changes_no_note(folder: CsvFolder) -> None:
    imported(folder)
    (folder / "notes.csv").unlink()

    assert imported(folder).notes == Counts(0, 0, 0)
    assert len(all_notes()) == 1


def test_import_never_changes_a_stored_note(folder: CsvFolder) -> None:
    """Its author may have corrected it, or an administrator redacted it."""
    imported(folder)
    [note] = all_notes()
    note.text, note.redaction_reason = "", "Wrong client"
    db.session.commit()
    before = whole_database()

    assert imported(folder).notes == Counts(0, 0, 1)
    assert whole_database() == before


def test_exported_notes_are_imported_as_they_were(cast: Cast, tmp_path: Path) -> None:
    client = make_client(client_ref="KG1", adviser_id=cast.amelia.id)
    make_note(client, "=1+1\nTwo lines, “quoted” and £", author_id=cast.daniel.id, written_at=WRITTEN_AT)
    make_note(client, "", redaction_reason="Wrong client", written_at=WRITTEN_AT, edited_at=WRITTEN_AT, edits=2)
    assert export_folder(tmp_path / "first").notes == 2

    assert imported(tmp_path / "first").notes == Counts(0, 0, 2)
    with db.engine.begin() as connection:
        connection.execute(sql(EMPTY_EVERY_TABLE))
    assert imported(tmp_path / "first").notes == Counts(2, 0, 0)
    export_folder(tmp_path / "second")
    assert (tmp_path / "first" / "notes.csv").read_bytes() == (tmp_path / "second" / "notes.csv").read_bytes()
    assert [note.text for note in all_notes()] == ["=1+1\nTwo lines, “quoted” and £", ""]


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("client_ref", "KG9", "notes.csv:2: client_ref: KG9 is not a known client"),
        ("kind", "fax", "notes.csv:2: kind: fax is not one of note, call, meeting, email"),
        ("happened_on", "2126-01-01", "notes.csv:2: happened_on: 2126-01-01 is in the future"),
        ("author_email", "x@firm.example", "notes.csv:2: author_email: x@firm.example is not a known user"),
        ("written_at", "", "notes.csv:2: written_at: is missing"),
        ("written_at", "2026-08-20", "notes.csv:2: written_at: 2026-08-20 has no time zone"),
        ("written_at", "2026-08-20 at ten", "notes.csv:2: written_at: '2026-08-20 at ten' is not a time"),
        ("written_at", "0001-01-01T00:00+14:00", "notes.csv:2: written_at: 0001-01-01 is not between"),
        ("edited_at", "x", "notes.csv:2: edited_at: x is not a date"),
        ("redaction_reason", "Wrong client", "notes.csv:2: text: must be empty for a note with a redaction_reason"),
        ("text", "", "notes.csv:2: text: is missing"),
    ],
)
def test_wrong_cell_is_named_and_nothing_is_imported(folder: CsvFolder, column: str, value: str, problem: str) -> None:
    with pytest.raises(ImportProblems) as raised:
        imported(folder.set("notes.csv", column, value))

    problems = [str(found) for found in raised.value.problems]
    assert [found for found in problems if found.startswith(problem)], problems
    db.session.rollback()
    assert all_notes() == []


def test_two_notes_of_one_author_at_one_time_are_one_too_many(folder: CsvFolder) -> None:
    folder.add("notes.csv", "KG1,note,2026-08-21,AMELIA.HART@firm.example,2026-08-20T11:42:00+01:00,,,Another")

    with pytest.raises(ImportProblems, match="a note about KG1 by this author at this time is already on line 2"):
        imported(folder)
