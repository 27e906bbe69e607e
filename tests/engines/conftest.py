"""Fixtures of the journeys in other engines: Amelia and Daniel, each in a browser of their own, before nginx.

WebKitGTK keeps no Secure cookie over plain HTTP, so nginx serves the portal over HTTPS with the files of deploy/. The
portal has the intervals of production: beats are 30 s apart, and what a test sees before comes over the stream.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from flask import Flask

from portal.app import create_app
from portal.clients import Client
from tests.conftest import DatabaseMaker, settings_for
from tests.engines.browsers import Browser, Firefox, WebKit
from tests.engines.people import Person
from tests.support.beside_a_portal import make_database_with_cast, within
from tests.support.cast import Cast, load_cast
from tests.support.factories import make_client
from tests.support.nginx import Nginx
from tests.support.processes import Programs
from tests.support.server import Portal

ENGINES: dict[str, Callable[[Programs, Path], Browser]] = {"firefox": Firefox, "webkit": WebKit}
HOST = "localhost"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(os.path.dirname(__file__)):
            item.add_marker(pytest.mark.engines)


@pytest.fixture(scope="session")
def engines_database_url(make_database: DatabaseMaker, migrated_url: str) -> str:
    return make_database_with_cast(make_database, migrated_url)


@pytest.fixture(scope="session")
def portal_url(engines_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a portal behind nginx."""
    log = tmp_path_factory.mktemp("portal") / "log"
    portal = Portal(engines_database_url, log, PORTAL_ALLOWED_HOSTS=HOST, PORTAL_TRUSTED_PROXIES="127.0.0.1,::1")
    portal.start()
    try:
        with Nginx(tmp_path_factory.mktemp("nginx"), [portal.port], HOST) as nginx:
            yield f"https://{HOST}:{nginx.https_port}"
    finally:
        portal.stop()


@pytest.fixture(scope="session", params=ENGINES)
def people(request: pytest.FixtureRequest, portal_url: str) -> Iterator[dict[str, Person]]:
    """Start two browsers of one engine, in which Amelia and Daniel sign in. All tests of the engine use them."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="engine-", ignore_cleanup_errors=True))
        programs = stack.enter_context(Programs())
        signed_in = {}
        for email in ("amelia.hart@firm.example", "daniel.okafor@firm.example"):
            home = Path(folder) / email
            home.mkdir()
            browser = stack.enter_context(closing(ENGINES[request.param](programs, home)))
            person = signed_in[email.partition(".")[0]] = Person(browser, portal_url)
            person.sign_in(email)
        yield signed_in


@pytest.fixture
def amelia(people: dict[str, Person]) -> Iterator[Person]:
    yield from _before_and_after_a_test(people["amelia"])


@pytest.fixture
def daniel(people: dict[str, Person]) -> Iterator[Person]:
    yield from _before_and_after_a_test(people["daniel"])


@pytest.fixture(scope="session")
def engines_app(engines_database_url: str) -> Flask:
    return create_app(settings_for(engines_database_url))


@pytest.fixture
def app(engines_app: Flask) -> Iterator[Flask]:
    """Return the application in which a test creates and reads records, beside the portal's processes."""
    with within(engines_app):
        yield engines_app


@pytest.fixture
def cast(app: Flask) -> Cast:
    return load_cast()


@pytest.fixture
def client(cast: Cast) -> Client:
    return make_client("Whitmore Family", adviser_id=cast.amelia.id, phone="01632 960001", town="Kingston")


def _before_and_after_a_test(person: Person) -> Iterator[Person]:
    """Leave the pages of the test before, and fail a test in which the engine has reported an error."""
    person.leave()
    person.browser.errors().clear()
    yield person
    assert person.browser.errors() == []
