"""Test a user who loses access to a client: the record disappears, and typed values are shown for copying."""

import re

import pytest
from playwright.sync_api import Route, expect
from sqlalchemy import text

from portal.clients import Client
from portal.extensions import db
from tests.browser.browser_errors import BrowserErrors
from tests.browser.people import OpenBrowser, Person
from tests.support.cast import Cast, make_profile
from tests.support.edits import save_for
from tests.support.factories import make_client

LOST = "You no longer have access to this client record"
ASK = re.compile(r"Amelia Hart restricted it at \d\d:\d\d\. Ask amelia.hart@firm.example or an administrator")


@pytest.fixture
def client(cast: Cast) -> Client:
    return make_client("Whitmore Family", adviser_id=cast.amelia.id, phone="01632 960001", notes="Confidential")


def sees_nothing_of(person: Person, client: Client) -> None:
    expect(person.page.get_by_role("heading", level=1)).to_have_text(LOST)
    expect(person.page.get_by_role("heading", level=1)).to_be_focused()
    expect(person.page.get_by_role("main")).to_contain_text(ASK)
    assert client.name not in person.page.content()
    assert "Confidential" not in person.page.content()


def test_viewer_who_loses_the_client_sees_nothing_of_it_on_any_page(
    daniel: Person, cast: Cast, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 404")
    tabs = {"": daniel, "/history": daniel.another_tab()}
    for path, tab in tabs.items():
        tab.page.goto(f"/clients/{client.id}{path}")
        expect(tab.page.get_by_role("main")).to_contain_text("Whitmore Family")
    save_for(cast.amelia, client, is_restricted=True)

    for tab in tabs.values():
        sees_nothing_of(tab, client)
        expect(tab.page.get_by_text("What you typed was not saved")).to_be_hidden()
        expect(tab.page).to_have_title(f"{LOST} · Kingston’s Portal")


def test_save_after_losing_access_is_not_sent_and_shows_the_typed_values(
    daniel: Person, cast: Cast, client: Client, browser_errors: BrowserErrors
) -> None:
    """The save precedes the heartbeat that would report the loss."""
    browser_errors.expect("status of 404")
    daniel.open_editor(client)
    daniel.page.route("**/user_page_presence*", lambda route: None)
    daniel.miss_events()
    daniel.field("Key information").fill("An hour's work\n<b>and more</b>")
    daniel.field("Risk profile").select_option("5 of 7")
    sent: list[Route] = []
    daniel.page.route("**/edit", lambda route: sent.append(route))  # noqa: PLW0108 – Playwright takes no builtin
    save_for(cast.amelia, client, is_restricted=True)
    daniel.save()

    sees_nothing_of(daniel, client)
    assert sent == []
    typed = daniel.page.locator("[data-typed]")
    expect(typed.locator("dt")).to_have_text(["Risk profile", "Key information"])
    expect(typed.locator("dd")).to_have_text(["5 of 7", "An hour's work\n<b>and more</b>"], use_inner_text=True)


def test_typed_values_are_copied_at_once(
    open_browser: OpenBrowser, cast: Cast, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 404")
    daniel = open_browser(cast.daniel, permissions=["clipboard-read", "clipboard-write"])
    daniel.open_editor(client)
    daniel.field("Phone").fill("07700 900123")
    daniel.field("Key information").fill("An hour's work")
    save_for(cast.amelia, client, is_restricted=True)
    daniel.page.get_by_role("button", name="Copy it all").click()

    expect(daniel.page.get_by_role("button", name="Copied")).to_be_visible()
    assert (
        daniel.page.evaluate("navigator.clipboard.readText()")
        == "Phone:\n07700 900123\n\nKey information:\nAn hour's work"
    )


def test_conflict_decisions_after_losing_access_show_all_typed_values(
    daniel: Person, cast: Cast, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 404", "status of 409")
    daniel.miss_saves()
    daniel.open_editor(client)
    daniel.field("Phone").fill("07700 900123")
    daniel.field("Next review").fill("1/9/2027")
    save_for(cast.amelia, client, phone="01632 960002")
    daniel.save()
    expect(daniel.page.get_by_role("group", name="Phone")).to_be_visible()
    save_for(cast.amelia, client, is_restricted=True)

    sees_nothing_of(daniel, client)
    typed = daniel.page.locator("[data-typed]")
    expect(typed).to_contain_text("07700 900123")
    expect(typed).to_contain_text("1/9/2027")


def test_save_of_a_user_who_became_a_reader_is_not_sent_and_shows_the_typed_values(
    open_browser: OpenBrowser, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 403")
    noor = make_profile("Noor", f"Of Client {client.id}")
    person = open_browser(noor)
    person.open_editor(client)
    person.field("Key information").fill("An hour's work")
    db.session.execute(text("UPDATE profiles SET role = 'reader' WHERE id = :id"), {"id": noor.id})
    db.session.commit()
    person.save()

    expect(person.page.get_by_role("heading", level=1)).to_have_text("You may no longer change this client record")
    expect(person.page.locator("[data-typed]")).to_contain_text("An hour's work")
    person.page.get_by_role("link", name="Back to the client record").click()
    expect(person.page.get_by_role("heading", level=1)).to_contain_text("Whitmore Family")
