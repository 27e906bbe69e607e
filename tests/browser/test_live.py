"""Test that changes appear at once, on the unhurried portal, where the next heartbeat would be 30 seconds later."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Request, Route, expect

from portal.auth import Profile, profiles
from portal.clients import Client
from portal.extensions import db
from tests.browser.browser_errors import BrowserErrors
from tests.browser.people import AT_ONCE_MS, PRESENCE_PATH, OpenBrowser, Person, is_beat
from tests.support.cast import Cast, make_profile
from tests.support.edits import save_for
from tests.support.server import Portal

EVENTS = "/events?tab_id="
EMAIL = "second@mail.example"


@pytest.fixture
def amelia(open_browser: OpenBrowser, unhurried_portal: Portal, cast: Cast) -> Person:
    return open_browser(cast.amelia, at=unhurried_portal)


@pytest.fixture
def daniel(open_browser: OpenBrowser, unhurried_portal: Portal, cast: Cast) -> Person:
    return open_browser(cast.daniel, at=unhurried_portal)


def opens_stream(request: Request) -> bool:
    return EVENTS in request.url


def open_with_stream(person: Person, open_page: Callable[[Client], None], client: Client) -> None:
    """Open the client page, and wait until its stream works."""
    with person.page.expect_response(lambda response: opens_stream(response.request)):
        open_page(client)


def sees_at_once(person: Person, sentence: str) -> None:
    expect(person.sentence).to_have_text(sentence, timeout=AT_ONCE_MS)


def test_arrival_edit_hidden_tab_and_departure_are_seen_at_once_and_a_reload_or_second_tab_is_not_announced(
    amelia: Person, daniel: Person, client: Client
) -> None:
    open_with_stream(amelia, amelia.open, client)
    daniel.open(client)
    sees_at_once(amelia, "Daniel is also viewing this client record")
    for _ in range(3):
        daniel.reload()
    second = daniel.another_tab()
    second.open_editor(client)
    sees_at_once(amelia, "Daniel is editing this client record")
    second.page.close()
    sees_at_once(amelia, "Daniel is also viewing this client record")
    assert amelia.toasts_so_far() == ["Daniel Okafor joined this page 👋"]

    daniel.open_editor(client)
    sees_at_once(amelia, "Daniel is editing this client record")
    expect(amelia.avatars).to_have_attribute("title", "Daniel Okafor – Editing")
    daniel.field("Phone").fill("01632 960777")
    sees_at_once(amelia, "Daniel is editing Phone")
    daniel.hide_tab()
    expect(amelia.avatars).to_have_class(re.compile(r"\baway\b"), timeout=AT_ONCE_MS)
    expect(amelia.avatars).to_have_attribute("title", "Daniel Okafor – Editing, away")
    daniel.show_tab()
    expect(amelia.avatars).to_have_class(re.compile(r"\bediting\b"), timeout=AT_ONCE_MS)

    beats: list[Request] = []
    amelia.page.on("request", lambda request: beats.append(request) if is_beat(request) else None)
    daniel.leave()
    expect(amelia.indicator).to_be_hidden()
    assert amelia.toasts_so_far() == ["Daniel Okafor joined this page 👋", "Daniel Okafor left this page 👋"]
    assert beats == []


def test_save_shows_at_once_on_the_page_and_in_the_editor_also_during_the_display_of_another_save(
    app: Flask, amelia: Person, daniel: Person, client: Client, cast: Cast
) -> None:
    """The event arrives while the page requests the changes of the first save, and no heartbeat repeats it."""
    open_with_stream(amelia, amelia.open, client)
    open_with_stream(daniel, daniel.open_editor, client)
    amelia.page.evaluate("document.addEventListener('portal:saved', ({ detail }) => (window.told = detail.version))")

    def answer_late(route: Route) -> None:
        answer = route.fetch()
        with app.app_context():  # Playwright calls this in another greenlet
            save_for(db.session.get_one(Profile, ada_id), db.session.get_one(Client, client_id), email=EMAIL)
        amelia.page.wait_for_function("() => window.told === 3")
        route.fulfill(response=answer)

    ada_id, client_id = cast.ada.id, client.id
    amelia.page.route("**/changes?*", answer_late, times=1)
    save_for(cast.ada, client, phone="01632 960999")

    expect(amelia.page.get_by_role("link", name="01632 960999")).to_be_visible(timeout=AT_ONCE_MS)
    expect(amelia.page.get_by_role("link", name=EMAIL)).to_be_visible(timeout=AT_ONCE_MS)
    expect(amelia.page.locator("update-notice")).to_contain_text("Ada changed Phone and Email")
    expect(daniel.field("Phone")).to_have_value("01632 960999", timeout=AT_ONCE_MS)

    with amelia.page.expect_event("requestfailed", opens_stream):  # only a tab in sight holds one, as a closed tab
        amelia.hide_tab()
    with amelia.page.expect_request(is_beat), amelia.page.expect_request(opens_stream):
        amelia.show_tab()


def test_without_the_stream_the_heartbeat_carries_on_alone(
    open_browser: OpenBrowser, cast: Cast, client: Client, browser_errors: BrowserErrors
) -> None:
    """Heartbeats are one second apart here. A proxy holds Amelia's stream back, and Daniel's is refused."""
    browser_errors.expect("Failed to load resource")
    amelia, daniel = open_browser(cast.amelia), open_browser(cast.daniel)
    amelia.miss_events()
    daniel.page.route(f"**{PRESENCE_PATH}/*/events?*", lambda route: route.abort())
    amelia.open(client)
    daniel.open_editor(client)
    amelia.sees("Daniel is editing this client record")
    daniel.sees("Amelia is also viewing this client record")
    for person in (amelia, daniel):
        expect(person.page.get_by_text("Reconnecting…")).to_be_hidden()

    daniel.field("Phone").fill("01632 960778")
    daniel.save()
    expect(amelia.page.locator("update-notice")).to_contain_text("Daniel changed Phone")
    daniel.leave()
    amelia.sees()


def test_user_who_is_signed_out_everywhere_sees_it_at_once(
    open_browser: OpenBrowser, unhurried_portal: Portal, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 401")
    noor = make_profile("Noor", f"Of Client {client.id}")
    person = open_browser(noor, at=unhurried_portal)
    open_with_stream(person, person.open, client)

    profiles.end_sessions(noor)
    db.session.commit()

    expect(person.signed_out).to_be_visible(timeout=AT_ONCE_MS)
