"""Test the whole journey by keyboard: every focus is visible, and none is a trap."""

import re

from playwright.sync_api import expect

from portal.clients import Client
from portal.extensions import db
from tests.browser.page_checks import tab_to
from tests.browser.people import EDITOR, OpenBrowser, Person
from tests.support.cast import PASSWORD, Cast


def test_user_signs_in_searches_opens_proceeds_changes_and_saves_by_keyboard(
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
    press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    tab_to(page, amelia.field("Search"))
    page.keyboard.type(client.client_ref)
    press("Enter")
    expect(page).to_have_url(re.compile("q="))
    tab_to(page, page.get_by_role("link", name=client.name))
    press("Enter")

    amelia.sees("Daniel is also viewing this client record")
    viewers = amelia.indicator.locator("summary")
    tab_to(page, viewers)
    press("Enter")
    tab_to(page, page.get_by_label("Tell me when somebody joins or leaves"))
    press("Escape")
    expect(page.get_by_role("list", name="Who is here")).to_be_hidden()
    expect(viewers).to_be_focused()
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
