"""`flask doctor`: its findings, their severities and its exit code."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from click.testing import Result
from flask import Flask
from flask_migrate import downgrade
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from portal.app import create_app
from portal.config import PROJECT_ROOT, TrustedProxies
from portal.doctor import checks
from portal.extensions import db
from tests.conftest import DatabaseMaker, settings_for
from tests.support.databases import read_only

GOOD = {
    "DATABASE_URL": "postgresql://portal@db/portal",
    "PORTAL_SECRET_KEY": "a long and random secret key, 40 letters",
    "PORTAL_ALLOWED_HOSTS": "portal.firm.example",
    "FLASK_RUN_FROM_CLI": "true",
}


@pytest.fixture
def ask(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Callable[..., Result]]:
    """`ask(environ, **settings)`: flask doctor with these settings, in this environment."""
    apps: list[Flask] = []
    monkeypatch.setattr(checks, "DURABLE", ())

    def run(environ: Mapping[str, str] = GOOD, url: str = database_url, **changes: Any) -> Result:
        for name in (*GOOD, "PORTAL_HOSTS", "PORTAL_OLD_SECRET_KEY", "WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        defaults = {"is_testing": False, "is_command": True, "instance": tmp_path, "second_factor": "admins"}
        proxies = TrustedProxies(hops=1)
        apps.append(create_app(settings_for(url, **{**defaults, "trusted_proxies": proxies, **changes})))
        return apps[-1].test_cli_runner().invoke(args=["doctor"])

    yield run
    for app in apps:
        with app.app_context():
            for engine in db.engines.values():
                engine.dispose()


def findings(result: Result) -> dict[str, list[str]]:
    """Map each severity's label to its findings."""
    found: dict[str, list[str]] = {}
    for line in result.stdout.splitlines():
        if not line.startswith(" "):
            label, _, what = line.partition(" ")
            found.setdefault(label, []).append(what.strip())
    return found


@pytest.fixture
def url_of_serving_role(make_database: DatabaseMaker, migrated_url: str) -> Iterator[str]:
    """A database with the GRANTs of deploy/, as the role that serves."""
    url = make_database(migrated_url)
    grants = (PROJECT_ROOT / "deploy" / "postgresql" / "grants.sql").read_text().replace("portal_app", "doctor_app")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE ROLE doctor_app LOGIN; {grants}"))
    yield make_url(url).set(username="doctor_app").render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.execute(text("DROP OWNED BY doctor_app; DROP ROLE doctor_app"))
    engine.dispose()


def test_good_configuration_has_no_problems(ask: Callable[..., Result], url_of_serving_role: str) -> None:
    result = ask(url=url_of_serving_role)

    assert (result.exit_code, result.stderr) == (0, "No problems found.\n"), result.output
    assert set(findings(result)) == {"ok"}
    subjects = {what.partition(":")[0] for what in findings(result)["ok"]}
    assert {"configuration", "proxies", "hosts", "database", "migrations", "clocks", "disk"} <= subjects


@pytest.mark.parametrize(
    ("environ", "settings", "mended"),
    [
        ({"PORTAL_SECRET_KEY": "short"}, {}, "PORTAL_SECRET_KEY"),
        ({"PORTAL_ALLOWED_HOSTS": ""}, {}, "PORTAL_ALLOWED_HOSTS"),
        ({"DATABASE_URL": ""}, {}, "DATABASE_URL"),
        ({}, {"secret_key_fallbacks": ("k" * 40,)}, "the previous key is the same"),
        ({}, {"bind": "0.0.0.0:8000"}, "clients can connect to 0.0.0.0:8000 directly"),
        ({"WEB_CONCURRENCY": "two"}, {}, "WEB_CONCURRENCY must be a whole number"),
        ({}, {"worker_count": 99}, "Lower PORTAL_DB_POOL_SIZE"),
        ({}, {"db_pool_size": 49}, "(2 pools × 49 + 1 for LISTEN) = 198, of 195 available"),
        ({}, {"url": "postgresql+psycopg2://postgres@/kingston?host=/nonexistent"}, "database: away"),
        ({}, {"direct_database_url": "postgresql:///kingston?host=/nonexistent"}, "database: away"),
    ],
)
def test_error_is_named_with_advice_and_exit_code_1(
    ask: Callable[..., Result], environ: dict[str, str], settings: dict[str, Any], mended: str
) -> None:
    result = ask(GOOD | environ, **settings)

    assert result.exit_code == 1
    assert mended in result.stdout
    assert "ERROR" in findings(result)
    assert result.stderr.startswith("1 error")
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("environ", "settings", "advice"),
    [
        ({}, {"is_demo": True}, "demo mode"),
        ({}, {"second_factor": "optional"}, "Set PORTAL_SECOND_FACTOR"),
        ({}, {"trusted_proxies": TrustedProxies()}, "throttled together"),
        ({"FORWARDED_ALLOW_IPS": "*"}, {}, "has no effect"),
        ({"DATABASE_URL": "postgresql://portal:secret@db/portal"}, {}, "where a process list may show it"),
        ({}, {"secret_key_fallbacks": ("x" * 40,)}, "Unset PORTAL_SECRET_KEY_FALLBACKS"),
        ({"PORTAL_HOSTS": "portal.firm.example"}, {}, "PORTAL_HOSTS is deprecated"),
        ({"PORTAL_OLD_SECRET_KEY_FILE": "pyproject.toml"}, {}, "Set PORTAL_SECRET_KEY_FALLBACKS instead"),
    ],
)
def test_warning_leaves_the_exit_code_0(
    ask: Callable[..., Result], environ: dict[str, str], settings: dict[str, Any], advice: str
) -> None:
    result = ask(GOOD | environ, **settings)

    assert (result.exit_code, advice in result.stdout) == (0, True), result.output
    assert re.fullmatch(r"\d warnings\n", result.stderr)
    assert "secret@" not in result.output


def test_migrations_that_are_not_current_are_an_error(
    ask: Callable[..., Result], make_database: DatabaseMaker, migrated_url: str
) -> None:
    url = make_database(migrated_url)
    app = create_app(settings_for(url))
    with app.app_context():
        downgrade(revision="-1")
        db.engine.dispose()

    result = ask(url=url)
    assert (result.exit_code, "Run flask db upgrade." in result.stdout) == (1, True)


def test_clocks_that_differ_are_an_error(ask: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "MAX_CLOCK_SKEW_SECONDS", -1)

    assert "clocks: this machine and the database's differ" in ask().stdout


def test_full_disk_and_a_key_that_other_accounts_can_read_are_errors(
    ask: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "secret_key").write_text("x")
    (tmp_path / "secret_key").chmod(0o644)
    monkeypatch.setattr(checks, "MIN_FREE_BYTES", 2**60)

    result = ask()
    assert [what.partition(":")[0] for what in findings(result)["ERROR"]] == ["disk", "disk"]


def test_database_without_fsync_is_an_error(ask: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    """The server of the tests runs without fsync."""
    monkeypatch.setattr(checks, "DURABLE", ("fsync",))

    assert "database: fsync is off" in findings(ask())["ERROR"]


def test_role_without_privileges_is_an_error(ask: Callable[..., Result], database_url: str) -> None:
    owner = create_app(settings_for(database_url))
    with owner.app_context(), db.engine.begin() as connection:
        connection.execute(text("DROP ROLE IF EXISTS stranger"))
        connection.execute(text("CREATE ROLE stranger LOGIN"))
    url = make_url(database_url).set(username="stranger").render_as_string(hide_password=False)

    result = ask(url=url)
    assert (result.exit_code, "database role: lacks" in result.stdout) == (1, True), result.output


def test_other_servers_count_towards_the_connections(ask: Callable[..., Result], database_url: str, app: Flask) -> None:
    parsed = make_url(database_url)
    options = {**parsed.query, "dbname": parsed.database, "user": parsed.username}
    with closing(psycopg2.connect(**options, application_name="portal@another")):
        assert "2 servers × 2 workers × (2 pools × 10 + 1 for LISTEN) = 84" in ask().stdout


def test_read_only_database_is_named(ask: Callable[..., Result], database_url: str) -> None:
    url = make_url(database_url)
    with read_only(database_url):
        anyway = url.set(query={**url.query, "target_session_attrs": "any"}).render_as_string(hide_password=False)
        for each in (database_url, anyway):
            result = ask(url=each)
            assert (result.exit_code, "database: read-only" in result.stdout) == (1, True), result.output


def test_full_disk_of_the_database_is_named(ask: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    fail = "DO $$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END $$"
    monkeypatch.setattr(checks, "WRITE_A_MEGABYTE", fail)

    assert "database: disk full" in findings(ask())["ERROR"]


def test_schema_of_a_later_release_is_a_warning(
    ask: Callable[..., Result], make_database: DatabaseMaker, migrated_url: str
) -> None:
    url = make_database(migrated_url)
    with create_app(settings_for(url)).app_context():
        with db.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = 'of the next release'"))
        db.engine.dispose()

    result = ask(url=url)
    assert (result.exit_code, "newer than this release" in result.stdout) == (0, True), result.output


def test_its_help_has_an_example(app: Flask) -> None:
    assert "Example: flask doctor" in app.test_cli_runner().invoke(args=["doctor", "--help"]).output
