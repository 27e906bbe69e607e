"""A dump of portal-backup, restored into a fresh cluster as docs/operating.md has it: the portal serves from it."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from portal.app import create_app
from portal.auth import Profile
from portal.config import PROJECT_ROOT
from portal.extensions import db
from tests.conftest import settings_for, stop_hub
from tests.operations.postgres import Postgres
from tests.support.cast import make_cast
from tests.support.debian import DEPLOY, program, run
from tests.support.factories import make_client
from tests.support.test_client import visitors_of

pytestmark = pytest.mark.operations

CHANGE = {"version": "1", "name": "Whitmore", "client_type": "family", "status": "active", "phone": "0117 496 0000"}
TABLES = "SELECT array_agg(tablename ORDER BY tablename) FROM pg_tables WHERE schemaname = 'public'"


@pytest.fixture(autouse=True)
def _postgres_of_debian(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its own pg_dump and pg_restore, as in the guide."""
    program("pg_ctlcluster")
    monkeypatch.setenv("POSTGRES", "system")


@pytest.fixture
def old() -> Iterator[Postgres]:
    with cluster("old") as server:
        yield server


@pytest.fixture
def new() -> Iterator[Postgres]:
    with cluster("new") as server:
        yield server


@contextmanager
def cluster(name: str) -> Iterator[Postgres]:
    """A fresh cluster with the guide's roles and an empty database."""
    with Postgres(name) as server:
        server.make()
        psql(server, "postgres", "postgres", "roles.sql")
        yield server


@contextmanager
def portal_on(server: Postgres, role: str) -> Iterator[Flask]:
    """The portal as a role of the guide, inside its context."""
    app = create_app(settings_for(f"postgresql+psycopg2://{role}@127.0.0.1:{server.port}/portal"))
    with app.app_context():
        yield app
        stop_hub(app)
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()


def environment(server: Postgres) -> dict[str, str]:
    return {**os.environ, "PGHOST": str(server.folder), "PGPORT": str(server.port), "PGUSER": "postgres"}


def psql(server: Postgres, role: str, database: str, name: str) -> None:
    command = ("psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--dbname={database}", f"--username={role}")
    run(*command, f"--file={DEPLOY / 'postgresql' / name}", env=environment(server))


def rows(server: Postgres) -> dict[str, int]:
    """How many rows each table has; presence is unlogged and not in the dump's promise."""
    names = set(server.ask(TABLES, dbname="portal")) - {"user_page_presence"}
    return {name: server.ask(f'SELECT count(*) FROM "{name}"', dbname="portal") for name in sorted(names)}  # noqa: S608


def restore(server: Postgres, backups: Path) -> None:
    """With the guide's commands, on this cluster and without systemd's units."""
    page = (PROJECT_ROOT / "docs" / "operating.md").read_text()
    [commands] = re.findall(r"^```sh restore\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    commands = re.sub(r"^systemctl .*\n", "", commands, flags=re.MULTILINE)
    commands = commands.replace("runuser --user postgres -- ", "").replace("/var/backups/portal", str(backups))
    run("sh", "-c", f"set -eu\n{commands}", env=environment(server))


def test_dump_restored_into_a_fresh_cluster_serves_with_its_triggers_and_privileges(
    old: Postgres, new: Postgres, tmp_path: Path
) -> None:
    with portal_on(old, "portal_owner"):
        upgrade()
    psql(old, "portal_owner", "portal", "grants.sql")
    with portal_on(old, "portal_app") as app:
        cast, client = make_cast(), make_client("Whitmore")
        client_id = client.id
        amelia = visitors_of(app)(cast.amelia)
        assert amelia.post(f"/clients/{client_id}/edit", data=CHANGE).status_code == 302
        assert amelia.beat(f"client-{client_id}").status_code == 200

    said = run(DEPLOY / "bin" / "portal-backup", tmp_path, env=environment(old)).stdout.strip()
    assert [str(path) for path in tmp_path.iterdir()] == [said]
    assert Path(said).stat().st_mode & 0o077 == 0
    restore(new, tmp_path)

    assert rows(new) == rows(old)
    assert rows(new)["client_revisions"] == 1
    with portal_on(new, "portal_app") as app:
        ada = visitors_of(app)(db.session.scalar(select(Profile).where(Profile.email == "ada.byron@firm.example")))
        assert ada.get("/readyz").json == {"status": "ready"}
        assert "0117 496 0000" in ada.get(f"/clients/{client_id}").text
        assert ada.beat(f"client-{client_id}").status_code == 200
        answer = ada.post(f"/clients/{client_id}/edit", data={**CHANGE, "version": "2", "phone": "0117 496 0001"})
        assert answer.status_code == 302
        refused("DELETE FROM client_revisions", "permission denied")
        refused("CREATE TABLE mine ()", "permission denied")
    with portal_on(new, "portal_owner"):
        refused("DELETE FROM client_revisions", "is history and stays as it is")
        # What the next release adds is for the serving role too.
        db.session.execute(text("CREATE TABLE of_the_next_release (id serial PRIMARY KEY)"))
        db.session.commit()
    with portal_on(new, "portal_app"):
        db.session.execute(text("INSERT INTO of_the_next_release DEFAULT VALUES"))


def refused(statement: str, why: str) -> None:
    with pytest.raises(DBAPIError, match=why):
        db.session.execute(text(statement))
    db.session.rollback()
