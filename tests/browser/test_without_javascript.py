"""Test that pages, forms and the version check work without JavaScript."""

import pytest
from playwright.sync_api import expect

from portal.auth import Profile
from portal.clients import Client
from portal.extensions import db
from tests.browser.browser_errors import BrowserErrors
from tests.browser.people import CLIENT_PAGE, OpenBrowser, Person
from tests.support.cast import PASSWORD, Cast


@pytest.fixture
def amelia(open_browser: OpenBrowser, cast: Cast) -> Person:
    """Sign Amelia in through the form, in a context without JavaScript."""
    person = open_browser(None, java_script_enabled=False)
    sign_in(person, cast.amelia)
    return person


def test_client_is_found_opened_and_changed_as_a_whole_and_by_card_and_signing_out_works(
    amelia: Person, client: Client
) -> None:
    amelia.page.get_by_role("link", name="Clients", exact=True).click()
    amelia.field("Search").fill(client.client_ref)
    amelia.page.get_by_role("button", name="Search").click()
    amelia.page.get_by_role("link", name=client.name).click()
    expect(amelia.page.get_by_role("heading", level=1)).to_contain_text(client.name)
    expect(amelia.indicator).to_be_hidden()
    expect(amelia.page.get_by_role("dialog")).to_have_count(0)

    amelia.click_edit()
    amelia.field("Phone").fill("01632 961100")
    amelia.save()
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    expect(amelia.page.get_by_role("main")).to_contain_text("01632 961100")

    amelia.page.get_by_role("link", name="Edit contact").click()
    expect(amelia.page.get_by_role("heading", level=1)).to_have_text(f"Edit contact of {client.name}")
    expect(amelia.field("Key information")).to_have_count(0)
    amelia.field("Phone").fill("01632 961101")
    amelia.save()
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    expect(amelia.page.get_by_role("main")).to_contain_text("01632 961101")

    amelia.page.get_by_role("button", name="Sign out").click()
    expect(amelia.page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_conflict_is_shown_and_can_be_resolved(
    amelia: Person, daniel: Person, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 409")
    daniel.open_editor(client)
    amelia.page.goto(f"/clients/{client.id}/edit")
    warning = amelia.page.locator("noscript p")
    expect(warning).to_be_visible()
    expect(warning).to_contain_text("Daniel Okafor is currently viewing or editing this client record.")
    daniel.field("Phone").fill("01632 961200")
    daniel.save()
    expect(daniel.page).to_have_url(CLIENT_PAGE)

    amelia.field("Phone").fill("01632 961300")
    amelia.save()
    question = amelia.page.get_by_role("group", name="Phone")
    expect(question).to_contain_text("01632 961200")
    question.get_by_role("radio", name="Yours").check()
    amelia.save()
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    db.session.rollback()
    assert client.phone == "01632 961300"


def sign_in(person: Person, profile: Profile) -> None:
    person.page.goto("/sign-in")
    person.field("Email").fill(profile.email)
    person.field("Password").fill(PASSWORD)
    person.page.get_by_role("button", name="Sign in").click()
    expect(person.page.get_by_role("heading", level=1)).to_have_text("My desk")
