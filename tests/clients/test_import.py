"""Import a folder of CSV files, all or nothing."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from portal.auth import Profile
from portal.clients import Client, Person, Product, Valuation
from portal.clients.csv.importing import importer
from portal.clients.csv.importing.importer import ImportConflict, import_folder
from portal.clients.csv.importing.plan import Counts, ImportCounts
from portal.clients.records.revisions import ClientRevision
from portal.config import PROJECT_ROOT
from portal.extensions import db
from tests.support.cast import Cast
from tests.support.csv_folder import CsvFolder, whole_database
from tests.support.factories import make_client
from tests.support.locks import HOLD_CLIENTS, overtaken
from tests.support.until import wait_until

DEMO_DATA = PROJECT_ROOT / "portal" / "demo" / "data"
ONE_NEW, ONE_CHANGED, ONE_UNCHANGED = Counts(1, 0, 0), Counts(0, 1, 0), Counts(0, 0, 1)


def imported(folder: CsvFolder) -> ImportCounts:
    counts = import_folder(folder.path)
    db.session.commit()
    return counts


def only(model: type[Any]) -> Any:
    return db.session.scalars(select(model)).one()


def test_import_writes_one_record_of_each_file(folder: CsvFolder) -> None:
    assert imported(folder) == ImportCounts(*[ONE_NEW] * 6)

    client, person, product, valuation = only(Client), only(Person), only(Product), only(Valuation)
    assert (client.client_ref, client.name, client.adviser_id) == ("KG1", "Whitmore Family", only(Profile).id)
    assert (client.client_since, client.risk_profile, client.phone) == (date(2016, 5, 9), 5, "+44 117 496 0411")
    assert (client.version, client.updated_by) == (1, None)
    assert (person.client_id, person.known_as, person.date_of_birth) == (client.id, "Ruthie", date(1961, 2, 3))
    assert (product.client_id, product.fixed_fee, product.percentage_fee) == (client.id, 120, Decimal("0.75"))
    assert (valuation.product_id, valuation.valued_on, valuation.amount) == (
        product.id,
        date(2026, 8, 21),
        Decimal("1234.50"),
    )


def test_demo_data_is_imported_completely(app: Flask) -> None:
    counts = import_folder(DEMO_DATA)
    assert [kind.new for kind in counts] == [9, 250, 465, 887, 7830, 196]


def test_second_import_changes_nothing(folder: CsvFolder) -> None:
    imported(folder)
    before = whole_database()
    assert imported(folder) == ImportCounts(*[ONE_UNCHANGED] * 6)
    assert whole_database() == before


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_any_line_ending_is_accepted_with_or_without_byte_order_mark(
    folder: CsvFolder, newline: str, encoding: str
) -> None:
    folder.set("clients.csv", "notes", '"Café\nThen ""tea"""')
    for file in folder.path.iterdir():
        folder.write(file.name, folder.text(file.name).replace("\n", newline).encode(encoding))

    imported(folder)

    assert only(Client).notes == 'Café\nThen "tea"'
    assert only(Profile).first_name == "Amelia"


def test_columns_are_accepted_in_any_order(folder: CsvFolder) -> None:
    folder.write("valuations.csv", "amount_gbp,plan_number,valued_on\n7.00,A100,2026-01-31\n")
    imported(folder)
    assert only(Valuation).amount == 7


def test_blank_lines_and_rows_of_empty_cells_are_ignored(folder: CsvFolder) -> None:
    folder.add("valuations.csv", "", ",,", "A100,2026-09-21,8.00")
    assert imported(folder).valuations == Counts(2, 0, 0)


def test_blanks_around_a_value_are_removed(folder: CsvFolder) -> None:
    folder.set("clients.csv", "client_ref", " KG1 ").set("clients.csv", "name", "  Whitmore Family\t")
    imported(folder)
    assert only(Client).name == "Whitmore Family"


def test_changed_client_gets_one_version_without_an_author(folder: CsvFolder, cast: Cast) -> None:
    make_client(client_ref="KG1", version=4, updated_by=cast.daniel.id, updated_at=datetime(2026, 1, 1, tzinfo=UTC))

    with time_machine.travel(datetime(2026, 11, 22, 10, tzinfo=UTC), tick=False):
        assert imported(folder).clients == ONE_CHANGED

    client = only(Client)
    assert (client.version, client.updated_by) == (5, None)
    assert client.updated_at == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert client.email == "ruth@mail.example"


def test_changed_product_gives_its_client_one_version(folder: CsvFolder) -> None:
    imported(folder)
    counts = imported(folder.set("products.csv", "fixed_fee_gbp", "130"))
    assert (counts.products, counts.clients) == (ONE_CHANGED, ONE_UNCHANGED)
    assert (only(Client).version, only(Product).fixed_fee) == (2, 130)


def test_changed_valuation_is_updated(folder: CsvFolder) -> None:
    imported(folder)
    folder.set("valuations.csv", "amount_gbp", "5.25").add("valuations.csv", "A100,2026-09-21,8.00")
    assert imported(folder).valuations == Counts(1, 1, 0)
    amounts = db.session.scalars(select(Valuation.amount).order_by(Valuation.valued_on)).all()
    assert amounts == [Decimal("5.25"), 8]


def test_records_that_the_files_do_not_name_are_unchanged(folder: CsvFolder) -> None:
    other = make_client("Not in the file")
    imported(folder)
    assert db.session.get(Client, other.id).version == 1


def test_loaded_object_shows_the_imported_values(folder: CsvFolder) -> None:
    client = make_client(client_ref="KG1", name="Before")
    assert client.name == "Before"
    import_folder(folder.path)
    assert client.name == "Whitmore Family"


def test_import_does_not_commit(folder: CsvFolder) -> None:
    import_folder(folder.path)
    db.session.rollback()
    assert whole_database()["clients"] == []


def test_imported_profile_has_no_password(folder: CsvFolder) -> None:
    imported(folder)
    assert only(Profile).password_hash is None


def test_import_locks_clients_before_profiles_as_a_save_does(app: Flask, folder: CsvFolder) -> None:
    """In the other order, an import and a save of the same user could deadlock."""
    imported(folder)
    folder.set("profiles.csv", "first_name", "Amy").set("clients.csv", "phone", "222")

    def import_again() -> None:
        with app.app_context():
            imported(folder)

    overtaken(
        import_again, HOLD_CLIENTS, lambda connection: connection.execute(text("SELECT FROM profiles FOR UPDATE"))
    )

    assert db.session.scalars(select(Profile.first_name)).all() == ["Amy"]


def test_existing_profile_keeps_password_and_state_for_an_email_in_other_case(folder: CsvFolder, cast: Cast) -> None:
    olga = cast.olga
    olga.email = "olga.PETROVA@firm.example"
    before = (olga.password_hash, olga.is_active, olga.session_epoch + 1)  # a new role ends the sessions
    folder.write("profiles.csv", "first_name,last_name,email,role\nOlga,Ivanova,OLGA.Petrova@firm.example,reader\n")

    assert imported(folder).profiles == ONE_CHANGED

    assert (olga.last_name, olga.role) == ("Ivanova", "reader")
    assert (olga.password_hash, olga.is_active, olga.session_epoch) == before


def test_adviser_can_be_a_stored_profile(folder: CsvFolder, cast: Cast) -> None:
    folder.set("clients.csv", "adviser_email", "Daniel.Okafor@FIRM.example")
    imported(folder)
    assert only(Client).adviser_id == cast.daniel.id


def test_client_can_have_no_adviser(folder: CsvFolder) -> None:
    folder.set("clients.csv", "adviser_email", "")
    imported(folder)
    assert only(Client).adviser_id is None


def test_people_and_products_can_be_added_to_a_stored_client(folder: CsvFolder) -> None:
    imported(folder)
    folder.write("clients.csv", folder.text("clients.csv").splitlines()[0])
    folder.add("people.csv", "KG1,Mr,Owen,Whitmore,,,").set("products.csv", "plan_number", "A200")
    counts = imported(folder)
    assert (counts.people, counts.products) == (Counts(1, 0, 1), ONE_NEW)


def test_person_is_matched_by_national_insurance_number(folder: CsvFolder) -> None:
    imported(folder)
    folder.set("people.csv", "last_name", "Reed").set("people.csv", "ni_number", "qq 12 34 56 c")
    assert imported(folder).people == ONE_CHANGED
    assert only(Person).last_name == "Reed"


def test_two_equal_people_stay_two(folder: CsvFolder) -> None:
    folder.add("people.csv", *["KG1,Mr,John,Whitmore,,,"] * 2)
    assert imported(folder).people == Counts(3, 0, 0)
    assert imported(folder).people == Counts(0, 0, 3)


def test_nothing_is_imported_if_one_value_is_invalid(app: Flask, folder: CsvFolder) -> None:
    before = whole_database()
    folder.set("clients.csv", "risk_profile", "9")

    result = invoked(app, "clients", "import", str(folder.path))

    assert result.exit_code == 1
    assert result.stdout == ""
    assert "clients.csv:2: risk_profile: 9 is not 1 to 7" in result.stderr.splitlines()
    assert whole_database() == before


def test_command_prints_the_counts(app: Flask, folder: CsvFolder) -> None:
    result = invoked(app, "clients", "import", str(folder.path))
    assert result.exit_code == 0, result.stderr
    assert "valuations: 1 new, 0 changed, 0 unchanged" in result.stdout.splitlines()
    assert len(whole_database()["valuations"]) == 1


def test_progress_is_reported_for_each_file(folder: CsvFolder) -> None:
    lines: list[str] = []
    import_folder(folder.path, progress=lines.append)
    assert "clients.csv: 1 rows read, 0 problems" in lines
    assert "valuations.csv: 1 of 1 written" in lines


def test_client_saved_meanwhile_is_imported_on_its_new_version(app: Flask, folder: CsvFolder) -> None:
    client_id = make_client(client_ref="KG1").id
    with db.engine.begin() as other, ThreadPoolExecutor() as pool:
        saved = "UPDATE clients SET version = 2, phone = 'typed', name = 'Typed' WHERE id = :id"
        other.execute(text(saved), {"id": client_id})
        importing = in_context(pool, app, lambda: imported(folder))
        wait_until_blocked_by(other)
        other.commit()
        importing.result(timeout=10)

    client = only(Client)
    [revision] = db.session.scalars(select(ClientRevision))
    assert (client.version, revision.version) == (3, 3)
    assert revision.changes["name"] == ["Typed", client.name]


def test_import_with_two_conflicts_imports_nothing(
    app: Flask, folder: CsvFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records that are added meanwhile cannot be locked, for example a product with a number of the file."""

    def fail(*_: object, **__: object) -> None:
        raise IntegrityError("INSERT", None, Exception("duplicate key"))

    monkeypatch.setattr(importer, "apply_plan", fail)
    before = whole_database()
    with pytest.raises(ImportConflict, match="Nothing was imported"):
        import_folder(folder.path)
    assert whole_database() == before


def test_simultaneous_imports_run_one_after_the_other(app: Flask, folder: CsvFolder) -> None:
    with ThreadPoolExecutor() as pool:
        both = [in_context(pool, app, lambda: imported(folder)) for _ in range(2)]
        counts = {importing.result(timeout=10) for importing in both}
    assert counts == {ImportCounts(*[ONE_NEW] * 6), ImportCounts(*[ONE_UNCHANGED] * 6)}


def invoked(app: Flask, *arguments: str) -> Any:
    """Run a command in a thread, so that it has its own application context as from a shell."""
    with ThreadPoolExecutor() as pool:
        return pool.submit(app.test_cli_runner().invoke, args=arguments).result()


def in_context(pool: ThreadPoolExecutor, app: Flask, work: Callable[[], Any]) -> Future[Any]:
    def run() -> Any:
        with app.app_context():
            return work()

    return pool.submit(run)


def wait_until_blocked_by(connection: Any) -> None:
    """Wait until another session waits for a lock that this one holds."""
    blocked = text(
        "SELECT count(*) FROM pg_stat_activity WHERE :pid = ANY(pg_blocking_pids(pid)) AND datname = current_database()"
    )
    pid = connection.scalar(text("SELECT pg_backend_pid()"))
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watcher:
        wait_until(lambda: watcher.scalar(blocked, {"pid": pid}), "no session waits for this one")
