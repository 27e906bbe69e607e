"""Fixtures of all tests: a migrated PostgreSQL database that is emptied before each test, and the cast."""

import secrets
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask_migrate import upgrade
from hypothesis import HealthCheck, settings
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT, make_dsn
from sqlalchemy import text
from sqlalchemy.engine import make_url

from portal.app import create_app
from portal.auth.passwords import hashing
from portal.clients import Client
from portal.config import Settings
from portal.driver.garbage import collect_garbage_less_often
from portal.extensions import db
from portal.live import hub_of
from portal.postgres.server import EmbeddedPostgres
from tests.support.cast import Cast, make_cast
from tests.support.compiled_templates import CompiledTemplates
from tests.support.databases import EMPTY_EVERY_TABLE
from tests.support.distribution import BrowserTestsOnSomeWorkers
from tests.support.factories import make_client
from tests.support.notifications import NotificationListener
from tests.support.postgres_proxy import Wiretap
from tests.support.postgres_versions import wanted_major
from tests.support.processes import Programs
from tests.support.test_client import Visitor, visitors_of
from tests.support.volume import volume

# Other programs affect the time of an example. These tests share one fixture among all examples on purpose.
_PROFILE = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]}
settings.register_profile("gate", max_examples=volume(40, 100), derandomize=True, **_PROFILE)  # the same in each run
settings.register_profile("explore", print_blob=True, **_PROFILE)  # others in each run: make fuzz
settings.load_profile("gate")
REAL_HASHER = hashing._hasher
collect_garbage_less_often()  # also while the tests are collected: 2.6 instead of 2.8 s

# Their modules import what the extra `engines` of setup.cfg installs, and `make test` does not.
collect_ignore = [] if find_spec("selenium") else ["engines"]

ServerMaker = Callable[[Path], EmbeddedPostgres]  # the fixture make_server

# The files that take longest start first. Otherwise they would run alone at the end.
LONGEST = (
    "test_no_edit_is_lost.py",
    "test_outages.py",
    "test_every_page.py",
    "test_waiting.py",
    "test_restarts.py",
    "test_drafts.py",
    "test_fuzz.py",
    "test_demo.py",
    "test_servers.py",
    "test_access_matrix.py",
    "test_edit_card.py",
    "test_editor.py",
    "test_modal.py",
    "test_unsaved_values.py",
    "test_toasts.py",
    "test_live.py",
    "test_field_presence.py",
    "test_parts.py",
    "test_up_to_date.py",
    "test_unreachable_browser.py",
    "test_search_speed.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(LONGEST)))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> BrowserTestsOnSomeWorkers:
    return BrowserTestsOnSomeWorkers(config, log)


def pytest_collection_finish() -> None:
    """Collect garbage as a worker of the portal does, because thousands of tests stay in memory: 1 to 4 % less CPU."""
    collect_garbage_less_often()


@pytest.fixture(scope="session", autouse=True)
def _cheap_hasher() -> Iterator[None]:
    """Hash passwords with argon2id in a hundredth of the time. `real_hasher` restores the portal's parameters."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashing, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture(scope="session", autouse=True)
def _compiled_templates() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flask, "jinja_options", {"bytecode_cache": CompiledTemplates()})
        yield


@pytest.fixture
def real_hasher(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords with the portal's own parameters: 150 ms and 64 MB each."""
    monkeypatch.setattr(hashing, "_hasher", REAL_HASHER)


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start the PostgreSQL server of this worker. Its database `kingston` stays empty."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), durable=False, major=wanted_major())
    yield server.start()
    server.stop()


@pytest.fixture(scope="session")
def make_server(tmp_path_factory: pytest.TempPathFactory) -> ServerMaker:
    """`make_server(folder)` returns a stopped server for one test, which may stop and kill it.

    Its data are a copy of one initdb, which takes half a second of CPU; a copy takes a fifth.
    """
    template = tmp_path_factory.mktemp("template")
    with EmbeddedPostgres(template, durable=False, major=wanted_major()):
        pass

    def make(folder: Path) -> EmbeddedPostgres:
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", template / "data", folder], check=True)  # keeps the owner
        return EmbeddedPostgres(folder, durable=False)

    return make


@pytest.fixture(scope="session")
def make_database(postgres_url: str) -> "DatabaseMaker":
    """Return the maker of databases on this server: empty ones, or clones of another (25 ms)."""
    return DatabaseMaker(postgres_url)


@pytest.fixture(scope="session")
def migrated_url(make_database: "DatabaseMaker") -> str:
    """Return a migrated, empty database to clone with `make_database(migrated_url)`. No test connects to it."""
    url = make_database()
    with create_app(settings_for(url)).app_context():
        upgrade()
        db.engine.dispose()
    return url


@pytest.fixture(scope="session")
def database_url(make_database: "DatabaseMaker", migrated_url: str) -> str:
    """Return the migrated database that most tests share, one after the other."""
    return make_database(migrated_url)


@pytest.fixture(scope="session")
def shared_app(database_url: str) -> Iterator[Flask]:
    app = create_app(settings_for(database_url))
    yield app
    stop_hub(app)


@pytest.fixture
def app(shared_app: Flask) -> Iterator[Flask]:
    """The application inside its context, on an empty database."""
    with shared_app.app_context():
        with db.engine.begin() as connection:
            connection.execute(text(EMPTY_EVERY_TABLE))
        yield shared_app
        db.session.rollback()


@pytest.fixture
def cast(app: Flask) -> Cast:
    return make_cast()


@pytest.fixture
def client(cast: Cast) -> Client:
    """Create a client of Amelia, whose page the cast can open."""
    return make_client("Whitmore Family", adviser_id=cast.amelia.id)


@pytest.fixture
def page_identifier(client: Client) -> str:
    return f"client-{client.id}"


@pytest.fixture
def visit(app: Flask) -> type[Visitor]:
    """`visit(profile)` returns a browser in which the profile is signed in, `visit(None)` one without a user."""
    return visitors_of(app)


@pytest.fixture
def olgas_browser(visit: type[Visitor], cast: Cast) -> Visitor:
    """Return Olga's browser with the cookie and CSRF token from before her profile was deactivated."""
    cast.olga.is_active = True
    db.session.commit()
    browser = visit(cast.olga).with_token()
    cast.olga.is_active = False
    db.session.commit()
    return browser


@pytest.fixture
def programs() -> Iterator[Programs]:
    """`programs.start("sleep", "60")` starts a program, which ends with the test."""
    programs = Programs()
    yield programs
    programs.close()


@pytest.fixture(scope="session")
def shared_wiretap(database_url: str) -> Iterator[Wiretap]:
    # A socket's path must be short, and pytest's folders may be long.
    with tempfile.TemporaryDirectory(prefix="tap-") as folder:
        tap = Wiretap(database_url, Path(folder))
        tap.open()
        yield tap
        tap.close()


@pytest.fixture(scope="session")
def shared_tapped_app(shared_wiretap: Wiretap) -> Flask:
    return create_app(settings_for(shared_wiretap.url))


@pytest.fixture
def wiretap(shared_wiretap: Wiretap) -> Wiretap:
    """Return the wiretap between the application of `tapped_visit` and the database."""
    return shared_wiretap


@pytest.fixture
def listener(app: Flask, database_url: str) -> Iterator[NotificationListener]:
    """Record every NOTIFY from now on."""
    listener = NotificationListener(database_url)
    yield listener
    listener.close()


@pytest.fixture
def tapped_visit(app: Flask, shared_tapped_app: Flask, wiretap: Wiretap) -> type[Visitor]:
    """As `visit`, with another application that reaches the same database through the wiretap. Without streams."""
    return visitors_of(shared_tapped_app)


@pytest.fixture
def make_app(database_url: str, app: Flask) -> Iterator["AppMaker"]:
    """Makes applications with other settings, on the same database: `make_app(idle_minutes=1)`."""
    maker = AppMaker(database_url)
    yield maker
    maker.close()


class AppMaker:
    """Makes applications and closes their connections afterwards."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._made: list[Flask] = []

    def __call__(self, **changes: object) -> Flask:
        self._made.append(create_app(settings_for(self._url, **changes)))
        return self._made[-1]

    def close(self) -> None:
        for app in self._made:
            stop_hub(app)
            with app.app_context():
                for engine in db.engines.values():
                    engine.dispose()


class DatabaseMaker:
    """Makes databases on one server and returns their URLs; the server goes with the run, so none is dropped."""

    def __init__(self, server_url: str) -> None:
        self.server_url = server_url

    def __call__(self, template: str | None = None) -> str:
        name = f"test_{secrets.token_hex(6)}"
        source = f" TEMPLATE {make_url(template).database}" if template else ""
        url = make_url(self.server_url)
        dsn = make_dsn(dbname="postgres", user=url.username, **url.query)
        connection = psycopg2.connect(dsn)
        connection.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
        try:
            connection.cursor().execute(f"CREATE DATABASE {name}{source}")
        finally:
            connection.close()
        return url.set(database=name).render_as_string(hide_password=False)


def stop_hub(app: Flask) -> None:
    """End the streams and the hub's thread, so that it sends no more statements through a wiretap."""
    hub = hub_of(app)
    hub.stop()
    if hub._thread is not None:
        hub._thread.join(10)


def settings_for(url: str, **changes: object) -> Settings:
    """Return the settings of the tests, with the database at `url`."""
    defaults = {
        "secret_key": "k" * 40,
        "database_url": url,
        "instance": Path("/nonexistent"),
        "is_testing": True,
        "second_factor": "optional",
    }
    return Settings(**{**defaults, **changes})  # type: ignore[arg-type]
