"""Export the client records to files that the importer reads and a spreadsheet can open safely."""

import csv
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import assume, example, given
from hypothesis import strategies as st
from sqlalchemy import text

from portal.clients.csv import export, files
from portal.clients.csv.export import FolderNotUsable, export_folder
from portal.clients.csv.files import read_records, write_records
from portal.clients.csv.importing.importer import import_folder
from portal.clients.csv.importing.plan import Counts
from portal.config import PROJECT_ROOT
from portal.extensions import db
from portal.web.csv_escaping import escape_formula, unescape_formula
from tests.support.cast import Cast
from tests.support.csv_folder import CsvFolder, whole_database
from tests.support.factories import make_client, make_person, make_product

DEMO_DATA = PROJECT_ROOT / "portal" / "demo" / "data"
FILES = ("profiles.csv", "clients.csv", "people.csv", "products.csv", "valuations.csv", "notes.csv")


@pytest.fixture
def target(app: Flask, tmp_path: Path) -> Path:
    return tmp_path / "out"


def imported(folder: Path) -> Any:
    counts = import_folder(folder)
    db.session.commit()
    return counts


def empty_the_database() -> None:
    db.session.execute(text("TRUNCATE profiles, clients RESTART IDENTITY CASCADE"))
    db.session.commit()


def cells_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_export_of_a_first_import_equals_its_files(target: Path) -> None:
    imported(DEMO_DATA)
    assert list(export_folder(target)) == [9, 250, 465, 887, 7830, 196]
    for name in FILES:
        assert cells_of(target / name) == cells_of(DEMO_DATA / name), name


def test_every_cell_of_an_export_is_quoted_and_every_row_ends_in_a_line_feed(target: Path, cast: Cast) -> None:
    make_client("x;=1+1", notes="One\r\nTwo")
    export_folder(target)

    written = (target / "clients.csv").read_bytes().decode()
    assert re.fullmatch(r'("[^"]*"(,"[^"]*")*\n)+', written)
    assert '"x;=1+1"' in written


def test_exported_files_are_imported_without_a_change(target: Path) -> None:
    imported(DEMO_DATA)
    before = whole_database()
    export_folder(target)

    assert [(kind.new, kind.changed) for kind in imported(target)] == [(0, 0)] * 6
    assert whole_database() == before

    empty_the_database()
    imported(target)
    export_folder(target.with_name("again"))
    for name in FILES:
        assert (target.with_name("again") / name).read_bytes() == (target / name).read_bytes()


def test_unusual_values_are_restored_unchanged(target: Path, cast: Cast) -> None:
    awkward = ["=1+1", "'=1+1", "''quoted''", '5" pipe, "new"', "+44 20", "-", "@x", "’tis", "O'Neill", "Zoë 👩‍👧 ش"]
    clients = [make_client(name, notes=f"{name}\n\n{name},\ttab", adviser_id=cast.ada.id) for name in awkward]
    make_person(clients[0], first_name="=cmd|' /C calc'!A0", last_name="'", date_of_birth=date(1961, 2, 3))
    make_product(clients[0], (date(2026, 1, 1), "-12.50"), plan_number="-7", fixed_fee="0.10")
    before = whole_database()
    export_folder(target)

    assert [(kind.new, kind.changed) for kind in imported(target)] == [(0, 0)] * 6
    assert whole_database() == before
    assert [row[1] for row in cells_of(target / "clients.csv")[1:]][:3] == ["'=1+1", "''=1+1", "''quoted''"]


def test_negative_numbers_are_not_escaped(target: Path) -> None:
    make_product(make_client(), (date(2026, 1, 1), "-12.50"))
    export_folder(target)
    assert cells_of(target / "valuations.csv")[1][1:] == ["2026-01-01", "-12.50"]


def test_export_of_an_empty_database_can_be_imported(target: Path) -> None:
    export_folder(target)
    assert [len(cells_of(target / name)) for name in FILES] == [1] * 6
    assert list(imported(target)) == [Counts(0, 0, 0)] * 6


def test_export_contains_no_password_hash(target: Path, cast: Cast) -> None:
    export_folder(target)
    assert "argon2" not in (target / "profiles.csv").read_text()


def test_only_the_owner_can_read_exported_files(target: Path) -> None:
    export_folder(target)
    assert {path.stat().st_mode & 0o077 for path in (target, *target.iterdir())} == {0}


def test_folder_that_is_not_empty_is_rejected_unless_forced(target: Path) -> None:
    CsvFolder(target).write("letter.txt", "keep me")
    before = (target / "clients.csv").read_bytes()
    with pytest.raises(FolderNotUsable, match="is not empty"):
        export_folder(target)
    assert (target / "clients.csv").read_bytes() == before

    export_folder(target, overwrite=True)
    assert (target / "clients.csv").read_bytes() != before
    assert (target / "letter.txt").read_text() == "keep me"
    assert {path.name for path in target.iterdir()} == {*FILES, "letter.txt"}


def test_file_in_place_of_the_folder_is_rejected(target: Path) -> None:
    target.write_text("")
    with pytest.raises(FolderNotUsable, match="cannot be written to"):
        export_folder(target)


def test_failed_export_keeps_earlier_files(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    CsvFolder(target)
    before = {path.name: path.read_bytes() for path in target.iterdir()}

    def fail_at_products(path: Path, rows: Any) -> int:
        if "products" in path.name:
            raise OSError(28, "No space left on device")
        return write_records(path, rows)

    monkeypatch.setattr(export, "write_records", fail_at_products)
    with pytest.raises(FolderNotUsable, match="No space left on device"):
        export_folder(target, overwrite=True)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == before


def test_symbolic_link_in_the_folder_is_replaced(target: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("precious")
    target.mkdir()
    (target / "clients.csv").symlink_to(elsewhere)
    export_folder(target, overwrite=True)
    assert elsewhere.read_text() == "precious"


def test_files_are_one_snapshot(target: Path) -> None:
    client = make_client()

    def sell_a_product(line: str) -> None:
        if line.startswith("clients.csv"):
            with db.engine.begin() as other:
                other.execute(
                    text(
                        "INSERT INTO products (client_id, plan_number, product_name, product_type, provider)"
                        " VALUES (:id, 'LATE', 'Cash Account', 'CASH', 'Aegon')"
                    ),
                    {"id": client.id},
                )

    assert export_folder(target, progress=sell_a_product).products == 0


def test_command_prints_the_counts_and_rejects_a_folder_in_one_line(app: Flask, target: Path) -> None:
    runner = app.test_cli_runner()
    first = runner.invoke(args=["clients", "export", str(target)])
    again = runner.invoke(args=["clients", "export", str(target)])
    assert (first.exit_code, first.stdout) == (
        0,
        "profiles: 0\nclients: 0\npeople: 0\nproducts: 0\nvaluations: 0\nnotes: 0\n",
    )
    assert again.exit_code == 1
    assert again.stderr == f"Error: {target} is not empty. Name another folder, or use --force to write over it.\n"


FORMULA_STARTS = "=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20"  # the last four are wide = + - @
formula_like = st.text(f"'{FORMULA_STARTS} ab")


@given(st.one_of(st.text(), formula_like))
@example("'")
@example("''=x")
def test_unescaping_restores_any_escaped_text(text: str) -> None:
    assert unescape_formula(escape_formula(text)) == text
    assert not escape_formula(text).startswith(tuple(FORMULA_STARTS))


@given(st.text())
def test_text_without_a_formula_is_not_escaped(text: str) -> None:
    assume(not text.lstrip("'").startswith(tuple(FORMULA_STARTS)))
    assert escape_formula(text) == text


rows = st.lists(st.lists(st.one_of(st.text(), formula_like), min_size=2, max_size=4).filter(any), max_size=4)


@given(rows)
def test_rows_are_read_from_a_file_as_written(tmp_path_factory: pytest.TempPathFactory, rows: Any) -> None:
    path = tmp_path_factory.mktemp("csv") / "rows.csv"
    write_records(path, [[escape_formula(cell) for cell in row] for row in rows])
    assert [record.cells for record in read_records(path.read_bytes())] == rows
    assert len(path.read_bytes()) < files.MAX_FILE_BYTES
