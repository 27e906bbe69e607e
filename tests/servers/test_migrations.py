"""Test the migrations: up, down and up again on an empty database, with the schema of the models."""

import re
import sys
from collections.abc import Iterator
from subprocess import Popen

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import select, text

from portal.app import create_app
from portal.auth import Profile
from portal.clients import Client
from portal.clients.search.query import matching_ids
from portal.clients.search.terms import parse_search
from portal.config.current import current_settings
from portal.extensions import db
from tests.conftest import DatabaseMaker, settings_for
from tests.support.processes import Programs, environment_without_settings
from tests.support.test_client import visitors_of
from tests.support.until import wait_until

LIBRARYS_OWN = {"alembic_version"}
CATALOGUE = """
    SELECT 'column' AS kind, table_name || '.' || column_name AS name,
           concat_ws(' ', data_type, character_maximum_length, numeric_precision, numeric_scale, is_nullable,
                     column_default, generation_expression)
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint
              WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
    UNION ALL SELECT 'table', relname, concat_ws(' ', relpersistence, reloptions) FROM pg_class
              WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    ORDER BY 1, 2
"""


@pytest.fixture
def empty_app(make_database: DatabaseMaker) -> Iterator[Flask]:
    """Return the application in its context, on a database without tables."""
    app = create_app(settings_for(make_database()))
    with app.app_context():
        yield app
        db.session.rollback()
        for engine in db.engines.values():
            engine.dispose()


def catalogue() -> list[tuple[str, ...]]:
    with db.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(CATALOGUE))]


def tables() -> set[str]:
    return {name for kind, name, _ in catalogue() if kind == "table"} - LIBRARYS_OWN


def test_up_down_to_the_base_and_up_again(empty_app: Flask) -> None:
    upgrade()
    first = catalogue()
    assert tables() == {
        "profiles",
        "clients",
        "people",
        "products",
        "valuations",
        "user_page_presence",
        "client_grants",
        "client_revisions",
        "edit_drafts",
        "sign_in_sessions",
        "audit_events",
        "sign_in_throttle",
        "second_factors",
        "one_time_codes",
        "overruled_changes",
        "client_visits",
        "client_reads",
        "known_devices",
        "notifications",
        "client_notes",
        "client_note_versions",
        "client_imports",
        "client_import_files",
    }

    downgrade(revision="base")
    assert tables() == set()

    upgrade()
    assert catalogue() == first


@pytest.mark.statements
def test_each_step_can_be_taken_back_alone(empty_app: Flask) -> None:
    script = ScriptDirectory(empty_app.config["MIGRATIONS_FOLDER"])
    revisions = [revision.revision for revision in reversed(list(script.walk_revisions()))]
    assert revisions == sorted(revisions)
    for revision in revisions:
        before = catalogue()
        upgrade(revision=revision)
        after = catalogue()
        downgrade(revision="-1")
        assert [row for row in catalogue() if "alembic_version" not in row[1]] == [
            row for row in before if "alembic_version" not in row[1]
        ]
        upgrade(revision=revision)
        assert catalogue() == after


def test_there_is_one_head(app: Flask) -> None:
    assert len(ScriptDirectory(app.config["MIGRATIONS_FOLDER"]).get_heads()) == 1


@pytest.mark.statements
def test_migrations_are_equal_to_the_models(app: Flask) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True, "target_metadata": db.metadata}
        )
        assert compare_metadata(context, db.metadata) == []


@pytest.mark.statements
def test_migrations_equal_the_models_in_what_alembic_does_not_compare(empty_app: Flask) -> None:
    """Compare check constraints, operator classes, UNLOGGED and fillfactor in the catalogues."""
    upgrade()
    migrated = [row for row in catalogue() if "alembic_version" not in row[1]]
    downgrade(revision="base")
    db.metadata.create_all(db.engine)

    assert [row for row in catalogue() if "alembic_version" not in row[1]] == migrated


def test_presence_table_is_that_of_the_request_with_the_heartbeats_columns(app: Flask) -> None:
    """Check the columns, unique constraint and index names of the request, UNLOGGED, fillfactor and BRIN."""
    rows = {(kind, name): shape for kind, name, shape in catalogue() if "user_page_presence" in name}

    columns = {name.split(".")[1] for kind, name in rows if kind == "column"}
    assert columns == {"id", "user_id", "page_identifier", "last_seen", "entered_at", "tabs"}
    assert rows["column", "user_page_presence.page_identifier"].startswith("character varying 255")
    assert rows["column", "user_page_presence.last_seen"].startswith("timestamp with time zone")
    assert "now()" in rows["column", "user_page_presence.last_seen"]
    assert rows["table", "user_page_presence"] == "u {fillfactor=50}"
    assert rows["constraint", "user_page_presence_user_id_page_identifier_key"] == "UNIQUE (user_id, page_identifier)"
    assert {name for kind, name in rows if kind == "index"} == {
        "pk_user_page_presence",
        "user_page_presence_user_id_page_identifier_key",
        "idx_user_page_presence_last_seen",
        "idx_user_page_presence_page",
        "idx_user_page_presence_user_page",
    }
    assert "USING brin (last_seen)" in rows["index", "idx_user_page_presence_last_seen"]
    assert "(page_identifier)" in rows["index", "idx_user_page_presence_page"]
    assert "(user_id, page_identifier)" in rows["index", "idx_user_page_presence_user_page"]


@pytest.mark.statements
@pytest.mark.parametrize(
    ("searched", "indexes"),
    [
        ("whitmore", {"ix_clients_searched", "ix_people_searched", "ix_people_known_as", "ix_clients_contact"}),
        ("al", {"ix_clients_searched", "ix_people_searched", "ix_people_known_as"}),
        ("kg51", {"ix_clients_contact", "ix_products_plan_number"}),
        ("+44 20 7946 0958", {"ix_clients_contact", "ix_products_plan_number"}),
        ("QQ 12 34 56 C", {"ix_people_ni_number", "ix_products_plan_number"}),
    ],
)
def test_each_branch_of_a_search_uses_its_index(app: Flask, searched: str, indexes: set[str]) -> None:
    """Small tables are read sequentially, so the test disables sequential scans."""
    with db.engine.begin() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off"))
        query = select(Client.id).where(Client.id.in_(matching_ids(parse_search(searched)))).compile(db.engine)
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {query}", query.params).scalars())

    assert indexes <= set(re.findall(r"Bitmap Index Scan on (\w+)", plan)), plan
    assert "Seq Scan" not in plan.replace("Seq Scan on clients", "", 1), plan


def test_flask_db_upgrade_is_the_command(empty_app: Flask) -> None:
    result = empty_app.test_cli_runner().invoke(args=["db", "upgrade"])

    assert result.exit_code == 0, result.output
    assert "profiles" in tables()
    assert empty_app.test_cli_runner().invoke(args=["db", "upgrade"]).exit_code == 0


def test_two_upgrades_at_the_same_time_both_succeed(make_database: DatabaseMaker, programs: Programs) -> None:
    """The second one must not wait inside a statement, for whose end CREATE INDEX CONCURRENTLY of the first waits."""
    environ = environment_without_settings() | {"DATABASE_URL": make_database(), "PORTAL_SECRET_KEY": "k" * 40}
    upgrades = [programs.start(sys.executable, "-m", "flask", "db", "upgrade", env=environ) for _ in range(2)]

    assert [each.wait(60) for each in upgrades] == [0, 0]


def start_upgrade(programs: Programs) -> Popen[str]:
    environ = environment_without_settings() | {
        "DATABASE_URL": current_settings().database_url,
        "PORTAL_SECRET_KEY": "k" * 40,
    }
    return programs.start(sys.executable, "-m", "flask", "db", "upgrade", env=environ)


def is_waiting_for_a_lock() -> bool:
    with db.engine.connect() as connection:
        return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


def test_upgrade_behind_a_long_transaction_lets_requests_pass_and_succeeds(
    empty_app: Flask, programs: Programs
) -> None:
    """A waiting ALTER TABLE blocks each later reader of its table, so it must give up and try again."""
    upgrade(revision="0019")
    with db.engine.connect() as long, db.engine.connect() as request:
        long.execute(text("SELECT count(*) FROM profiles"))
        upgrading = start_upgrade(programs)
        wait_until(is_waiting_for_a_lock, "the upgrade waits for no lock")
        request.execute(text("SET LOCAL lock_timeout = '5s'"))
        request.execute(text("SELECT count(*) FROM profiles"))
        assert upgrading.poll() is None

    assert upgrading.wait(60) == 0


def test_upgrade_that_waits_for_the_profiles_has_not_locked_the_clients(empty_app: Flask, programs: Programs) -> None:
    """A save locks its profile and then the client: the other order would be a deadlock."""
    upgrade(revision="0019")
    with db.engine.connect() as save:
        save.execute(text("SELECT FROM profiles FOR SHARE"))
        upgrading = start_upgrade(programs)
        wait_until(is_waiting_for_a_lock, "the upgrade waits for no lock")
        save.execute(text("SET LOCAL lock_timeout = '100ms'"))
        save.execute(text("UPDATE clients SET name = name"))
        save.commit()

    assert upgrading.wait(60) == 0


def test_not_ready_until_the_migrations_are_current(empty_app: Flask) -> None:
    browser = visitors_of(empty_app)(None)
    answer = browser.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (
        503,
        "migrations are not current: run `flask db upgrade`",
    )

    upgrade()
    assert browser.get("/readyz").json == {"status": "ready"}

    downgrade(revision="-1")
    assert browser.get("/readyz").status_code == 503


def test_ready_on_the_schema_of_a_later_release(empty_app: Flask) -> None:
    """`flask db upgrade` precedes the new code, and the running servers must stay ready for their proxy."""
    upgrade()
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'of the next release'"))

    assert visitors_of(empty_app)(None).get("/readyz").json == {"status": "ready"}


@pytest.mark.statements
def test_upgrade_keeps_existing_rows(empty_app: Flask) -> None:
    """Users sign in to the next release with the profiles of this one."""
    upgrade(revision="0001")
    people = [{"name": name, "email": f"{name}@firm.example"} for name in ("Amelia", "Daniel")]
    # Without the model, which has columns of later revisions.
    insert = "INSERT INTO profiles (first_name, last_name, email, role) VALUES (:name, 'Hart', :email, 'adviser')"
    db.session.execute(text(insert), people)
    db.session.commit()

    upgrade()

    assert [profile.first_name for profile in db.session.query(Profile).order_by(Profile.id)] == ["Amelia", "Daniel"]
