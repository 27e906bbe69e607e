"""Test the whole journey by keyboard: every focus is visible, and none is a trap."""

import re

from playwright.sync_api import expect

from portal.clients import Client
from portal.extensions import db
from tests.browser.page_checks import tab_to
from tests.browser.people import EDITOR, OpenBrowser, Person
from tests.support.cast import PASSWORD, Cast


def test_sign_in_search_open_proceed_change_and_save(
    open_browser: OpenBrowser, daniel: Person, cast: Cast, client: Client
) -> None:
    client.name = f"Keyboard {client.client_ref}"
    db.session.commit()
    daniel.open(client)
    amelia = open_browser(None)
    page, press = amelia.page, amelia.page.keyboard.press

    page.goto("/clients")
    tab_to(page, amelia.field("Email"))
    page.keyboard.type(cast.amelia.email)
    tab_to(page, amelia.field("Password"))
    page.keyboard.type(PASSWORD)
    press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Clients")
    tab_to(page, amelia.field("Search"))
    page.keyboard.type(client.client_ref)
    press("Enter")
    expect(page).to_have_url(re.compile("q="))
    tab_to(page, page.get_by_role("link", name=client.name))
    press("Enter")

    amelia.sees("Daniel is also viewing this client record")
    tab_to(page, page.get_by_role("link", name="Edit", exact=True))
    press("Enter")
    expect(amelia.modal.get_by_role("button", name="Wait for Users")).to_be_focused()
    tab_to(page, amelia.modal.get_by_role("button", name="Proceed Anyway"))
    press("Enter")

    expect(page).to_have_url(EDITOR)
    tab_to(page, amelia.field("Phone"))
    press("Control+A")
    page.keyboard.type("01632 961000")
    tab_to(page, page.get_by_role("button", name="Save changes"))
    press("Enter")
    expect(page.get_by_role("main")).to_contain_text("01632 961000")


def test_first_focus_skips_to_the_content(amelia: Person) -> None:
    amelia.page.goto("/clients")
    amelia.page.keyboard.press("Tab")
    skip = amelia.page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    amelia.page.keyboard.press("Enter")
    expect(amelia.page.get_by_role("main")).to_be_focused()


def test_list_of_viewers_opens_and_closes_by_keyboard(amelia: Person, daniel: Person, client: Client) -> None:
    daniel.open(client)
    amelia.open(client)
    amelia.sees("Daniel is also viewing this client record")
    opener = amelia.indicator.locator("summary")
    tab_to(amelia.page, opener)
    amelia.page.keyboard.press("Enter")
    tab_to(amelia.page, amelia.page.get_by_label("Tell me when somebody joins or leaves"))
    amelia.page.keyboard.press("Escape")
    expect(amelia.page.get_by_role("list", name="Who is here")).to_be_hidden()
    expect(opener).to_be_focused()


def test_dialog_keeps_the_focus(amelia: Person, daniel: Person, client: Client) -> None:
    daniel.open(client)
    amelia.open(client)
    amelia.click_edit()
    expect(amelia.modal).to_be_visible()
    for _ in range(6):
        amelia.page.keyboard.press("Tab")
        # After the last control the focus is on the body, before the browser starts again.
        assert amelia.page.evaluate("document.activeElement.matches('body, dialog *')")
