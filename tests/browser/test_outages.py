"""Test outages of the server and the database: pages show no false news, and no typed value is lost."""

import os
import re
import signal
from collections.abc import Iterator

import pytest
from flask import Flask
from flask_migrate import upgrade
from playwright.sync_api import expect
from sqlalchemy import text

from portal.app import create_app
from portal.clients import Client
from portal.extensions import db
from portal.postgres.server import EmbeddedPostgres
from tests.browser.browser_errors import BrowserErrors
from tests.browser.drafts import wait_until_draft_is_kept
from tests.browser.people import EDITOR, Person
from tests.conftest import ServerMaker, settings_for
from tests.support.cast import make_cast
from tests.support.server import SECRET_KEY, Portal

RECONNECTING = "Reconnecting…"


@pytest.fixture(scope="module")
def postgres(make_server: ServerMaker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """Start a PostgreSQL server that only these tests use and may stop."""
    server = make_server(tmp_path_factory.mktemp("postgres"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def browsers_app(postgres: EmbeddedPostgres) -> Flask:
    app = create_app(settings_for(postgres.start(), secret_key=SECRET_KEY))
    with app.app_context():
        upgrade()
        make_cast()
        db.engine.dispose()
    return app


@pytest.fixture(scope="module")
def portal(
    postgres: EmbeddedPostgres, browsers_app: Flask, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Portal]:
    log = tmp_path_factory.mktemp("portal") / "log"
    timings = {"PORTAL_HEARTBEAT_SECONDS": "1", "PORTAL_ACTIVE_WINDOW_SECONDS": "8"}
    portal = Portal(postgres.start(), log, **timings)
    portal.start()
    yield portal
    portal.stop()


@pytest.fixture(autouse=True)
def _running(postgres: EmbeddedPostgres, portal: Portal) -> None:
    """Restart what an earlier, failed test left stopped."""
    postgres.start()
    portal.start()


@pytest.fixture
def both(amelia: Person, daniel: Person, client: Client, browser_errors: BrowserErrors) -> tuple[Person, Person]:
    """Open the client page as Amelia, and the editor as Daniel with an unsaved phone number."""
    browser_errors.expect("Failed to load resource")
    amelia.open(client)
    daniel.open_editor(client)
    daniel.field("Phone").fill("01632 960800")
    amelia.sees("Daniel is editing Phone")
    daniel.sees("Amelia is also viewing this client record")
    db.session.rollback()
    return amelia, daniel


def test_outage_longer_than_the_active_window_shows_no_user_leaving_or_joining(
    both: tuple[Person, Person], portal: Portal
) -> None:
    portal.kill()
    all_say_reconnecting(both)
    # The first page that returns finds an empty roster, and neither page has had an event for ten minutes.
    db.session.execute(text("UPDATE user_page_presence SET last_seen = last_seen - interval '10 minutes'"))
    db.session.commit()
    for person in both:
        person.page.clock.install()
        person.page.clock.fast_forward("10:00")
    portal.start()
    all_are_back_without_news(both)


def test_crash_of_the_database_that_empties_presence_shows_no_user_leaving_and_a_user_who_waits_goes_on(
    both: tuple[Person, Person], postgres: EmbeddedPostgres
) -> None:
    crash(postgres)
    all_say_reconnecting(both)
    postgres.start()
    all_are_back_without_news(both)

    amelia, daniel = both
    amelia.wait_for_others()
    crash(postgres)
    expect(amelia.waiting).to_contain_text("Reconnecting – still waiting")
    postgres.start()
    expect(amelia.waiting).to_contain_text("Still in use – checked just now")
    daniel.leave()
    expect(amelia.page).to_have_url(EDITOR)


def test_save_and_page_without_the_database_succeed_when_it_is_back(
    both: tuple[Person, Person], client: Client, postgres: EmbeddedPostgres
) -> None:
    amelia, daniel = both
    path = f"/clients/{client.id}"
    db.session.rollback()
    postgres.stop()
    daniel.field("Key information").fill("Typed without a database")
    daniel.save()
    expect(daniel.page.get_by_role("alert")).to_contain_text("Not saved: the portal cannot be reached just now.")
    expect(daniel.field("Key information")).to_have_value("Typed without a database")
    answer = amelia.page.goto(path)
    assert answer is not None
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    expect(amelia.page.get_by_role("heading", level=1)).to_have_text("Back in a moment")

    postgres.start()
    amelia.page.get_by_role("link", name="Try again").click()
    expect(amelia.page.get_by_role("heading", level=1)).to_contain_text("Whitmore Family")
    wait_until_draft_is_kept(daniel)
    daniel.save()
    expect(daniel.page).to_have_url(re.compile(r"/clients/\d+$"))
    db.session.rollback()
    assert (client.phone, client.notes) == ("01632 960800", "Typed without a database")


def crash(postgres: EmbeddedPostgres) -> None:
    """Kill the server, which empties the table of presence at its next start."""
    db.session.rollback()
    assert postgres.pid is not None
    os.kill(postgres.pid, signal.SIGKILL)


def all_say_reconnecting(people: tuple[Person, Person]) -> None:
    for person in people:
        expect(person.page.get_by_text(RECONNECTING)).to_be_visible()


def all_are_back_without_news(people: tuple[Person, Person]) -> None:
    """Check that both see each other and have had no toast, and that Daniel's phone number is still typed."""
    amelia, daniel = people
    for person in people:
        expect(person.page.get_by_text(RECONNECTING)).to_be_hidden()
    amelia.sees("Daniel is editing Phone")
    daniel.sees("Amelia is also viewing this client record")
    for person in people:
        person.forget_who_left()
        person.take_in()
        assert person.toasts_so_far() in ([], ["Daniel Okafor joined this page 👋"])
    amelia.sees("Daniel is editing Phone")
    expect(daniel.field("Phone")).to_have_value("01632 960800")
