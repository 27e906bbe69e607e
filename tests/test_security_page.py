"""Test that docs/security.md is true: its tests exist, and its GRANTs are exactly what the portal needs."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from portal.app import create_app
from portal.config import PROJECT_ROOT
from portal.extensions import db
from portal.jobs import JOBS, run_job
from tests.conftest import DatabaseMaker, settings_for
from tests.support.cast import make_cast
from tests.support.factories import make_client
from tests.support.sign_in import enrol_second_factor, sign_in
from tests.support.test_client import visitors_of

PAGE = (PROJECT_ROOT / "docs" / "security.md").read_text()
CHANGE = {"version": "1", "name": "Whitmore", "client_type": "family", "status": "active", "notes": "new"}


def test_each_named_test_and_file_exists() -> None:
    named = set(re.findall(r"`((?:tests|portal)/[\w/]+\.(?:py|txt))`", PAGE))

    assert len(named) > 30
    assert {path for path in named if not (PROJECT_ROOT / path).exists()} == set()


def test_each_requirement_appears_once() -> None:
    """Requirements have the form of the standard's numbers. Ranges are written with "to"."""
    rows = [line.split("|")[1].strip() for line in PAGE.splitlines() if re.match(r"\| \d", line)]
    numbers = [number for row in rows for number in re.findall(r"\d+\.\d+\.\d+", row)]

    assert len(numbers) == len(set(numbers)) > 100


@pytest.fixture
def url(make_database: DatabaseMaker, migrated_url: str) -> str:
    """Return the URL of a separate database for its owner."""
    return make_database(migrated_url)


@pytest.fixture
def owner(url: str) -> Iterator[Engine]:
    engine = create_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def served(url: str) -> Iterator[Flask]:
    """Return the portal as a role with the GRANTs of the page, on a database that another role has migrated."""
    [grants] = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    with create_app(settings_for(url)).app_context():
        with db.engine.begin() as connection:
            connection.execute(text("DROP ROLE IF EXISTS portal_app"))
            connection.execute(text("CREATE ROLE portal_app LOGIN"))
            connection.execute(text(grants))
        db.engine.dispose()
    app = create_app(settings_for(make_url(url).set(username="portal_app").render_as_string(hide_password=False)))
    with app.app_context():
        yield app
        db.session.rollback()
        with db.engine.begin() as connection:
            owner = connection.scalar(text("SELECT tableowner FROM pg_tables WHERE tablename = 'profiles'"))
            assert owner != "portal_app"
        for engine in db.engines.values():
            engine.dispose()
    with create_app(settings_for(url)).app_context(), db.engine.begin() as connection:
        connection.execute(text("DROP OWNED BY portal_app; DROP ROLE portal_app"))


def test_grants_allow_the_portal_to_run_but_not_to_change_history_or_audit(served: Flask) -> None:
    cast, visit = make_cast(), visitors_of(served)
    client = make_client("Whitmore")
    enrol_second_factor(cast.daniel)
    amelia = visit(None)
    assert sign_in(amelia, cast.amelia.email).status_code == 302
    amelia._token = None  # the sign-in page's is worth nothing any more
    assert sign_in(visit(None), cast.amelia.email, "wrong").status_code == 401
    assert amelia.get("/readyz").status_code == 200
    assert amelia.beat(f"client-{client.id}").status_code == 200
    draft = {"version": 1, "values": {"notes": "x"}}
    assert amelia.call("PUT", f"/edit_drafts/client-{client.id}?form=record", json=draft).status_code == 200
    assert amelia.post(f"/clients/{client.id}/edit", data=CHANGE).status_code == 302
    assert visit(cast.ada).get("/audit").status_code == 200
    assert [run_job(job) for job in JOBS] == [0] * len(JOBS)
    assert amelia.post("/sign-out").status_code == 302

    for table in ("audit_events", "client_revisions"):
        for deed in ("DELETE FROM", "TRUNCATE", "DROP TABLE"):
            with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
                db.session.execute(text(f"{deed} {table}"))
            db.session.rollback()


def test_grants_apply_to_tables_of_later_migrations(served: Flask, owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text("CREATE TABLE of_the_next_release (id serial PRIMARY KEY, name text)"))

    db.session.execute(text("INSERT INTO of_the_next_release (name) VALUES ('x')"))
    db.session.execute(text("UPDATE of_the_next_release SET name = 'y'"))
    db.session.execute(text("DELETE FROM of_the_next_release"))


@pytest.mark.parametrize(
    "revoke",
    [
        "REVOKE INSERT ON one_time_codes FROM portal_app",
        "REVOKE SELECT ON alembic_version FROM portal_app",
        "REVOKE USAGE ON SEQUENCE clients_id_seq FROM portal_app",
        "REVOKE USAGE ON SCHEMA public FROM portal_app, PUBLIC",
    ],
)
def test_server_without_a_privilege_is_not_ready(served: Flask, owner: Engine, revoke: str) -> None:
    with owner.begin() as connection:
        connection.execute(text(revoke))

    answer = visitors_of(served)(None).get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (
        503,
        "the database role lacks privileges: run `flask doctor`",
    )


def test_migrating_as_the_serving_role_fails_with_one_line(
    served: Flask, owner: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with owner.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))

    result = served.test_cli_runner().invoke(args=["db", "upgrade"])

    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    [said] = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert "this database role may not migrate (permission denied for schema public)" in said
    assert "\n" not in said
