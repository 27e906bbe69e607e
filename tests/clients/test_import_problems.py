"""Report each kind of problem in a file, with file, line and column."""

import tracemalloc
from datetime import date

import pytest

from portal.clients.csv import files, tables
from portal.clients.csv.files import UnreadableFile, read_records
from portal.clients.csv.importing.importer import import_folder
from portal.clients.csv.problems import ImportProblems
from portal.clients.records import limits
from portal.extensions import db
from tests.support.csv_folder import CsvFolder, whole_database
from tests.support.factories import make_client, make_note, make_person, make_product


def problems_of(folder: CsvFolder) -> list[str]:
    with pytest.raises(ImportProblems) as raised:
        import_folder(folder.path)
    return [str(problem) for problem in raised.value.problems]


@pytest.mark.parametrize(
    ("file", "column", "value", "problem"),
    [
        ("profiles.csv", "email", "amelia.hart", "amelia.hart is not an email address"),
        ("profiles.csv", "email", "", "is missing"),
        ("profiles.csv", "first_name", "\u200b\ufeff\u3164", "is missing"),
        ("profiles.csv", "last_name", "\u2800\u115f\u200e", "is missing"),
        ("profiles.csv", "role", "boss", "boss is not one of adviser, paraplanner, reader, compliance, admin"),
        ("clients.csv", "name", "   ", "is missing"),
        ("clients.csv", "name", "x" * 201, "has 201 characters; 200 are allowed"),
        ("clients.csv", "name", "\u200b\u3164", "is missing"),
        ("clients.csv", "name", "Whit\0more", "has an invisible control character (U+0000) after “Whit”"),
        ("clients.csv", "name", "Whit\x1bmore", "has an invisible control character (U+001B) after “Whit”"),
        ("clients.csv", "notes", "x\x07", "has an invisible control character (U+0007) after “x”"),
        ("clients.csv", "notes", "x" * 10_001, "has 10,001 characters; 10,000 are allowed"),
        ("clients.csv", "client_type", "Family", "Family is not one of individual, family, trust, business"),
        ("clients.csv", "status", "", "is missing"),
        ("clients.csv", "email", "ruth at mail", "'ruth at mail' is not an email address"),
        ("clients.csv", "risk_profile", "9", "9 is not 1 to 7"),
        ("clients.csv", "risk_profile", "0", "0 is not 1 to 7"),
        ("clients.csv", "risk_profile", "²", "² is not 1 to 7"),
        ("clients.csv", "risk_profile", "1" * 5_000, f"'{'1' * 39}…' is not 1 to 7"),
        ("clients.csv", "capacity_for_loss", "none", "none is not one of low, medium, high"),
        ("clients.csv", "client_since", "9/5/2016", "9/5/2016 is not a date such as 2026-12-08"),
        ("clients.csv", "client_since", "20160509", "20160509 is not a date such as 2026-12-08"),
        ("clients.csv", "next_review_on", "2026-02-30", "2026-02-30 is not in the calendar"),
        ("clients.csv", "next_review_on", "2200-01-01", "2200-01-01 is not between 1900 and 2199"),
        ("people.csv", "first_name", "", "is missing"),
        ("people.csv", "ni_number", "QQ 12 34 56 C X", "has 15 characters; 13 are allowed"),
        ("people.csv", "date_of_birth", "1899-12-31", "1899-12-31 is not between 1900 and 2199"),
        ("products.csv", "product_type", "Bond", "Bond is not one of GIA, ISA, JISA, SIPP, BOND, CASH"),
        ("products.csv", "status", "gone", "gone is not one of active, lapsed"),
        ("products.csv", "fixed_fee_gbp", "-0.01", "-0.01 is less than 0"),
        ("products.csv", "fixed_fee_gbp", "", "is missing"),
        ("products.csv", "fixed_fee_gbp", "1e5", "1e5 is not a number such as 1234.50"),
        ("products.csv", "fixed_fee_gbp", "NaN", "NaN is not a number such as 1234.50"),
        ("products.csv", "fixed_fee_gbp", "Infinity", "Infinity is not a number such as 1234.50"),
        ("products.csv", "fixed_fee_gbp", '"1,200.00"', "'1,200.00' is not a number such as 1234.50"),
        ("products.csv", "fixed_fee_gbp", "٣", "٣ is not a number such as 1234.50"),
        ("products.csv", "fixed_fee_gbp", "0.001", "0.001 has more than 2 decimals"),
        ("products.csv", "fixed_fee_gbp", "1" * 11, f"{'1' * 11} has more than 10 digits before the point"),
        ("products.csv", "percentage_fee", "100.01", "100.01 is more than 100"),
        ("clients.csv", "phone", "12", "12 has 2 digits; a telephone number has 3 to 15"),
        ("people.csv", "ni_number", "QQ12345", "QQ12345 is not a National Insurance number, such as QQ 12 34 56 C"),
        ("people.csv", "date_of_birth", "2199-01-01", "2199-01-01 is in the future"),
        ("products.csv", "plan_number", "to follow", "'to follow' is not a plan number: use letters, digits, "),
        ("valuations.csv", "valued_on", "2199-01-01", "2199-01-01 is in the future"),
        ("valuations.csv", "amount_gbp", "-0.01", "-0.01 is less than 0"),
        ("valuations.csv", "valued_on", "", "is missing"),
        ("valuations.csv", "amount_gbp", "£5", "'£5' is not a number such as 1234.50"),
    ],
)
def test_problem_names_file_line_column_and_reason(
    folder: CsvFolder, file: str, column: str, value: str, problem: str
) -> None:
    folder.set(file, column, value)
    assert any(found.startswith(f"{file}:2: {column}: {problem}") for found in problems_of(folder))


@pytest.mark.parametrize(
    ("file", "row", "problem"),
    [
        ("profiles.csv", "Other,Name,AMELIA.HART@firm.example,reader", "email: amelia.hart@firm.example"),
        ("clients.csv", "KG1,Other,trust,active,,,,,,,,,,,,,", "client_ref: KG1"),
        ("products.csv", "KG1,A100,Other,GIA,Aegon,active,,0,0", "plan_number: A100"),
        ("valuations.csv", "A100,2026-08-21,9", "valued_on: 2026-08-21 of A100"),
    ],
)
def test_duplicate_names_the_line_of_the_first(folder: CsvFolder, file: str, row: str, problem: str) -> None:
    folder.add(file, row)
    assert problems_of(folder) == [f"{file}:3: {problem} is already on line 2"]


def test_unknown_references_are_named(folder: CsvFolder) -> None:
    folder.set("clients.csv", "adviser_email", "nobody@firm.example")
    folder.set("people.csv", "client_ref", "KG8").set("products.csv", "client_ref", "KG9")
    folder.set("valuations.csv", "plan_number", "A999")
    assert problems_of(folder) == [
        "clients.csv:2: adviser_email: nobody@firm.example is not a known user",
        "people.csv:2: client_ref: KG8 is not a known client",
        "products.csv:2: client_ref: KG9 is not a known client",
        "valuations.csv:2: plan_number: A999 is not a known plan",
    ]


def test_parts_beyond_the_limits_of_a_client_are_named_with_the_first_line_too_many(
    folder: CsvFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Count what the client has after the import: stored parts that the files do not name stay."""
    for name, maximum in (("PEOPLE", 2), ("PRODUCTS", 2), ("VALUATIONS", 3), ("NOTES", 2)):
        monkeypatch.setattr(limits, f"MAX_{name}", maximum)
    client = make_client(client_ref="KG1")
    make_person(client, "Owen")
    make_person(client, "Ruth", last_name="Whitmore", ni_number="QQ123456C")
    make_product(client, plan_number="B1")
    make_product(client, (date(2026, 6, 30), "1.00"), (date(2026, 7, 31), "1.00"), plan_number="A100")
    make_note(client)
    folder.add("people.csv", "KG1,,Ida,Whitmore,,,", "KG1,,Una,Whitmore,,,", "KG1,,Invalid,,,,")
    folder.add("products.csv", *(f"KG2,C{number},ISA,ISA,Aviva,active,,0,0" for number in range(3)))
    folder.add("products.csv", *(f"KG1,D{number},ISA,ISA,Aviva,active,,0,0" for number in range(2)))
    folder.add("clients.csv", "KG2,Reed,family,active,,,,,,,,,,,,,")
    folder.add("valuations.csv", "A100,2026-07-31,2.00", "A100,2026-09-30,2.00")
    folder.add("valuations.csv", *(f"C0,2026-0{month}-01,2.00" for month in range(1, 6)))
    folder.add("notes.csv", "KG1,call,2026-08-21,,2026-08-21T10:42:00+00:00,,,Rang")

    assert problems_of(folder) == [
        "people.csv:3: client_ref: KG1 would have 4 people; a client has at most 2",
        "people.csv:5: last_name: is missing",
        "products.csv:5: client_ref: KG2 would have 3 products; a client has at most 2",
        "products.csv:6: client_ref: KG1 would have 4 products; a client has at most 2",
        "valuations.csv:4: plan_number: A100 would have 4 valuations; a product has at most 3",
        "valuations.csv:8: plan_number: C0 would have 5 valuations; a product has at most 3",
        "notes.csv:3: client_ref: KG1 would have 3 notes; a client has at most 2",
    ]


def test_client_with_more_parts_than_the_limit_is_imported_again(
    folder: CsvFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An export of records from before the limits changes what is stored, but adds nothing."""
    folder.add("people.csv", "KG1,,Ida,Whitmore,,,")
    folder.add("valuations.csv", "A100,2026-09-21,1234.50")
    import_folder(folder.path)
    for name in ("PEOPLE", "PRODUCTS", "VALUATIONS", "NOTES"):
        monkeypatch.setattr(limits, f"MAX_{name}", 0)

    counts = import_folder(folder.set("people.csv", "title", "Ms").set("products.csv", "provider", "Aegon").path)

    assert (counts.people.changed, counts.products.changed, counts.valuations.unchanged) == (1, 1, 2)


def test_value_that_no_form_accepts_is_accepted_if_stored_already(folder: CsvFolder) -> None:
    """An export of records from before a rule can be imported again, but not moved to another day."""
    client = make_client(client_ref="KG1", phone="12")
    make_person(client, ni_number="unknown", date_of_birth=date(2199, 1, 1))
    make_product(client, (date(2199, 1, 1), "-1.00"), plan_number="to follow")
    folder.set("clients.csv", "phone", "12").set("people.csv", "ni_number", "unknown")
    folder.set("people.csv", "date_of_birth", "2199-01-01")
    for file in ("products.csv", "valuations.csv"):
        folder.set(file, "plan_number", "to follow")
    folder.set("valuations.csv", "valued_on", "2199-01-01").set("valuations.csv", "amount_gbp", "-1.00")
    assert import_folder(folder.path).valuations.unchanged == 1

    assert problems_of(folder.set("valuations.csv", "valued_on", "2199-01-02")) == [
        "valuations.csv:2: valued_on: 2199-01-02 is in the future",
        "valuations.csv:2: amount_gbp: -1.00 is less than 0",
    ]


def test_product_cannot_move_to_another_client(folder: CsvFolder) -> None:
    make_product(make_client(client_ref="KG7"), plan_number="A100")
    assert problems_of(folder) == ["products.csv:2: plan_number: A100 belongs to another client, KG7"]


def test_row_with_a_problem_still_defines_its_key(folder: CsvFolder) -> None:
    folder.set("clients.csv", "risk_profile", "9").set("products.csv", "percentage_fee", "x")
    assert problems_of(folder) == [
        "clients.csv:2: risk_profile: 9 is not 1 to 7",
        "products.csv:2: percentage_fee: x is not a number such as 1234.50",
    ]


def test_all_problems_of_all_files_are_reported_together(folder: CsvFolder) -> None:
    folder.set("clients.csv", "risk_profile", "9").set("clients.csv", "client_since", "?")
    folder.set("valuations.csv", "amount_gbp", "?").set("products.csv", "client_ref", "KG9")
    places = [problem.rsplit(": ", 1)[0] for problem in problems_of(folder)]
    assert places == [
        "clients.csv:2: client_since",
        "clients.csv:2: risk_profile",
        "products.csv:2: client_ref",
        "valuations.csv:2: amount_gbp",
    ]


def test_line_is_the_first_one_of_the_row(folder: CsvFolder) -> None:
    folder.set("clients.csv", "notes", '"one\r\ntwo\rthree\n\nfive"')
    folder.add("clients.csv", "KG2,,trust,active,,,,,,,,,,,,,")
    assert problems_of(folder) == ["clients.csv:7: name: is missing"]


def test_row_with_too_few_or_too_many_cells_is_reported(folder: CsvFolder) -> None:
    folder.add("valuations.csv", "A100,2026-09-21", "A100,2026-10-21,1,")
    assert problems_of(folder) == [
        "valuations.csv:3: has 2 cells instead of 3",
        "valuations.csv:4: has 4 cells instead of 3",
    ]


def test_client_in_a_malformed_row_is_not_reported_as_unknown(folder: CsvFolder) -> None:
    folder.change("clients.csv", ",5,medium", ",medium")
    assert problems_of(folder) == ["clients.csv:2: has 16 cells instead of 17"]


def test_missing_unknown_and_repeated_columns_are_reported(folder: CsvFolder) -> None:
    folder.write("valuations.csv", "plan_number,valued_on,colour,valued_on\nA100,2026-08-21,red,2026-08-22\n")
    assert problems_of(folder) == [
        "valuations.csv:1: valued_on: the column is there more than once",
        "valuations.csv:1: colour: is not a column of this file",
        "valuations.csv:1: amount_gbp: the column is missing",
    ]


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff"])
def test_empty_file_is_reported(folder: CsvFolder, content: str) -> None:
    folder.write("valuations.csv", content)
    assert problems_of(folder) == ["valuations.csv: is empty: its first line must name the columns"]


def test_file_without_headings_is_reported(folder: CsvFolder) -> None:
    folder.write("valuations.csv", "A100,2026-03-31,5\n")
    assert problems_of(folder) == [
        "valuations.csv:1: the first line must name the columns: plan_number,valued_on,amount_gbp"
    ]


@pytest.mark.parametrize(("separator", "name"), [(";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")])
def test_file_with_other_separators_is_reported_with_advice(folder: CsvFolder, separator: str, name: str) -> None:
    folder.write("valuations.csv", separator.join(("plan_number", '"valued_on"', "amount_gbp")) + "\n")
    assert problems_of(folder) == [
        f"valuations.csv:1: its cells are separated by {name}: save it with commas, "
        "in Excel as “CSV UTF-8 (Comma delimited)”"
    ]


def test_missing_files_are_reported_and_cause_no_other_problems(folder: CsvFolder) -> None:
    for name in ("profiles.csv", "clients.csv", "products.csv"):
        (folder / name).unlink()
    assert problems_of(folder) == [
        "profiles.csv: the file is missing",
        "clients.csv: the file is missing",
        "products.csv: the file is missing",
    ]


def test_folder_in_place_of_a_file_is_reported(folder: CsvFolder) -> None:
    (folder / "people.csv").unlink()
    (folder / "people.csv").mkdir()
    assert problems_of(folder) == ["people.csv: is not a file"]


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_other_encoding_is_reported_with_line_and_byte(folder: CsvFolder, newline: bytes) -> None:
    folder.add("people.csv", "KG1,,José,Ruiz,,,")
    folder.write("people.csv", b"\xef\xbb\xbf" + folder.text("people.csv").encode("latin-1").replace(b"\n", newline))
    assert problems_of(folder) == [
        "people.csv:3: byte 9 of the line, 0xE9, is not UTF-8: save the file with the encoding UTF-8"
    ]


def test_position_of_a_wrong_byte_after_many_lines_needs_little_memory() -> None:
    """One object for each line needed 130 times the memory of the file."""
    content = b"\n" * 500_000 + b"\xff"
    tracemalloc.start()
    with pytest.raises(UnreadableFile) as error:
        list(read_records(content))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert error.value.line == 500_001
    assert peak < 10 * len(content)


def test_utf_16_is_rejected(folder: CsvFolder) -> None:
    folder.write("people.csv", folder.text("people.csv").encode("utf-16"))
    [problem] = problems_of(folder)
    assert problem.startswith("people.csv:1: byte 1 of the line, 0xFF, is not UTF-8")


def test_unpaired_quotation_marks_are_reported(folder: CsvFolder) -> None:
    folder.add("people.csv", 'KG1,,"Jo"hn,Ruiz,,,', "KG1,,,Ruiz,,,", 'KG1,,"José,Ruiz,,,')
    first, second, third = problems_of(folder)
    assert first.startswith("people.csv:3: after a closing quotation mark there must be a comma")
    assert second == "people.csv:4: first_name: is missing"
    assert third == "people.csv:5: a quotation mark is opened here and never closed"


def test_row_without_end_is_reported(folder: CsvFolder) -> None:
    folder.add("people.csv", 'KG1,,"José,Ruiz,,,', *["KG1,,,,,,"] * files.MAX_RECORD_CHARACTERS)
    [problem] = problems_of(folder)
    assert problem.startswith("people.csv:3: the row is longer than 100,000 characters")


def test_file_over_the_size_limit_is_reported(folder: CsvFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 2**20)
    folder.add("people.csv", "x" * 2**20)
    assert problems_of(folder) == ["people.csv: is larger than 1 MB"]


def test_reading_stops_after_the_maximum_number_of_problems(folder: CsvFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_PROBLEMS_PER_FILE", 3)
    folder.add("valuations.csv", *["?,?,?"] * 50)
    problems = problems_of(folder)
    assert "valuations.csv:4: too many problems; what follows was not read" in problems
    assert not any(problem.startswith("valuations.csv:5") for problem in problems)


def test_first_two_hundred_problems_are_shown_and_the_others_counted(folder: CsvFolder) -> None:
    folder.add("valuations.csv", *["A100,2026-09-21,?"] * 1_300)
    with pytest.raises(ImportProblems) as raised:
        import_folder(folder.path)
    first, *shown, last = str(raised.value).splitlines()
    assert first == "nothing was imported, because of 2,599 problems:"
    assert len(shown) == 200
    assert last == "and 2,399 more"


def test_control_characters_of_a_file_do_not_reach_the_terminal(folder: CsvFolder) -> None:
    folder.set("clients.csv", "status", "\x1b[2Jactive").set("clients.csv", "client_type", "x" * 5_000)
    folder.change("people.csv", "known_as", "known\x07as")
    with pytest.raises(ImportProblems) as raised:
        import_folder(folder.path)
    lines = str(raised.value).splitlines()
    assert all(line.isprintable() and len(line) < 200 for line in lines)
    assert r"clients.csv:2: status: '\x1b[2Jactive' is not one of active, dormant, inactive" in lines


def test_problems_change_nothing_even_if_the_caller_commits(folder: CsvFolder) -> None:
    before = whole_database()
    folder.set("valuations.csv", "amount_gbp", "?")
    problems_of(folder)
    db.session.commit()
    assert whole_database() == before
