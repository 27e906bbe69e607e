"""Old audit events and old changes go when the owner of the tables says so, after they have been written to a file."""

import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from flask_migrate.cli import db as migrations
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

from portal import audit
from portal.app import create_app
from portal.audit import Event
from portal.database import retention
from portal.extensions import db
from portal.web.actor import UNKNOWN_ACTOR
from tests.conftest import settings_for
from tests.support.cast import Cast
from tests.support.factories import make_client

BEFORE = "2020-01-01"
OLD, NEW = "2019-12-31 23:59:59+00", "2020-01-01 00:00:00+00"


@pytest.fixture
def run(app: Flask) -> Callable[..., Result]:
    return lambda *arguments: app.test_cli_runner().invoke(args=[str(argument) for argument in arguments])


@pytest.fixture
def events(app: Flask, cast: Cast) -> None:
    """Three old events and a new one."""
    statement = text("INSERT INTO audit_events (event, at, about) VALUES ('signed_in', :at, :about)")
    for number, at in enumerate((OLD, OLD, OLD, NEW)):
        db.session.execute(statement, {"at": at, "about": json.dumps({"number": number})})
    db.session.commit()


def rows(statement: str) -> list[Any]:
    return list(db.session.scalars(text(statement)))


def test_old_events_are_in_the_file_and_no_longer_in_the_database(
    run: Callable[..., Result], events: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "ROWS_DELETED_AT_ONCE", 2)
    export = tmp_path / "audit.jsonl"

    result = run("audit", "purge", "--before", BEFORE, "--export", export)

    assert (result.exit_code, result.output) == (0, f"3 events are in {export} and no longer in the database.\n")
    written = [json.loads(line) for line in export.read_text().splitlines()]
    assert [row["about"]["number"] for row in written] == [0, 1, 2]
    assert written[0].keys() == set(rows("SELECT jsonb_object_keys(to_jsonb(t)) FROM audit_events t LIMIT 9"))
    assert stat.S_IMODE(export.stat().st_mode) == 0o600
    assert rows("SELECT event || ' ' || about FROM audit_events ORDER BY id") == [
        'signed_in {"number": 3}',
        'audit_purged {"before": "2020-01-01", "events": 3}',
    ]


def test_trigger_protects_the_remaining_rows(run: Callable[..., Result], events: None, tmp_path: Path) -> None:
    run("audit", "purge", "--before", BEFORE, "--export", tmp_path / "audit.jsonl")

    with pytest.raises(IntegrityError, match="stays as it is"):
        db.session.execute(text("DELETE FROM audit_events"))
    db.session.rollback()


def test_nothing_is_deleted_where_the_file_cannot_be_written(
    run: Callable[..., Result], events: None, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("an earlier export")
    for path in (tmp_path / "taken", tmp_path / "missing" / "audit.jsonl"):
        result = run("audit", "purge", "--before", BEFORE, "--export", path)

        assert (result.exit_code, "Traceback" in result.output) == (1, False)
        assert f"{path} cannot be written" in result.output
    assert (tmp_path / "taken").read_text() == "an earlier export"
    assert len(rows("SELECT id FROM audit_events")) == 4


@pytest.fixture
def clerk(app: Flask, database_url: str) -> Iterator[Flask]:
    """The portal as a role that owns nothing."""
    with db.engine.begin() as connection:
        connection.execute(
            text("CREATE ROLE purging_clerk LOGIN; GRANT SELECT, INSERT ON audit_events TO purging_clerk")
        )
    url = make_url(database_url).set(username="purging_clerk").render_as_string(hide_password=False)
    clerk = create_app(settings_for(url))
    yield clerk
    with clerk.app_context():
        db.engine.dispose()
    with db.engine.begin() as connection:
        connection.execute(text("DROP OWNED BY purging_clerk; DROP ROLE purging_clerk"))


def test_serving_role_is_refused_with_the_name_of_the_permitted_role(
    clerk: Flask, events: None, tmp_path: Path
) -> None:
    export = tmp_path / "audit.jsonl"
    with clerk.app_context():
        result = clerk.test_cli_runner().invoke(args=["audit", "purge", "--before", BEFORE, "--export", str(export)])
        db.session.rollback()

    assert (result.exit_code, len(result.output.splitlines())) == (1, 1), result.output
    assert "does not own audit_events" in result.output
    assert not export.exists()


def test_expired_changes_are_removed_from_the_oldest_without_a_gap(
    run: Callable[..., Result], app: Flask, cast: Cast, tmp_path: Path
) -> None:
    """Version 4 has an older time than 3: it waited for the lock, and a transaction's time is its beginning."""
    client, other = make_client("Whitmore"), make_client("Hart")
    statement = text(
        "INSERT INTO client_revisions (client_id, version, changed_at, source, changes)"
        " VALUES (:id, :version, :at, 'form', '{}')"
    )
    for client_id, version, at in (
        (client.id, 2, OLD),
        (client.id, 3, NEW),
        (client.id, 4, OLD),
        (other.id, 2, OLD),
        (other.id, 3, OLD),
    ):
        db.session.execute(statement, {"id": client_id, "version": version, "at": at})
    db.session.commit()
    export = tmp_path / "history.jsonl"

    result = run("clients", "purge-history", "--before", BEFORE, "--export", export)

    assert result.exit_code == 0, result.output
    gone = {(row["client_id"], row["version"]) for row in map(json.loads, export.read_text().splitlines())}
    assert gone == {(client.id, 2), (other.id, 2), (other.id, 3)}
    assert rows("SELECT version FROM client_revisions ORDER BY version") == [3, 4]
    assert rows("SELECT about->>'changes' FROM audit_events WHERE event = 'history_purged'") == ["3"]
    with pytest.raises(IntegrityError, match="stays as it is"):
        db.session.execute(text("DELETE FROM client_revisions"))
    db.session.rollback()


def test_downgrade_is_refused_unless_its_data_loss_is_accepted(
    run: Callable[..., Result], app: Flask, cast: Cast
) -> None:
    audit.record(Event.SIGNED_IN, UNKNOWN_ACTOR)
    db.session.commit()

    result = run("db", "downgrade", "base")

    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert "--yes-i-lose-data" in result.output
    assert rows("SELECT event FROM audit_events") == ["signed_in"]


def test_downgrade_succeeds_when_its_data_loss_is_accepted(make_empty: Callable[[], Flask]) -> None:
    app = make_empty()
    with app.app_context():
        runner = app.test_cli_runner()
        assert runner.invoke(args=["db", "upgrade"]).exit_code == 0
        result = runner.invoke(args=["db", "downgrade", "--yes-i-lose-data", "base"])

        assert result.exit_code == 0, result.output
        assert rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == ["alembic_version"]
        db.session.rollback()
        db.engine.dispose()


def test_downgrade_has_its_option_once_with_several_applications(app: Flask) -> None:
    options = [option for parameter in migrations.commands["downgrade"].params for option in parameter.opts]

    assert options.count("--yes-i-lose-data") == 1


@pytest.fixture
def make_empty(make_database: Callable[[], str]) -> Callable[[], Flask]:
    return lambda: create_app(settings_for(make_database()))
