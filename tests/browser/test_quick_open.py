"""Find and open a client from anywhere by the keyboard, and switch the single keys off."""

import re

from playwright.sync_api import expect

from portal.clients import Client
from portal.extensions import db
from tests.browser.browser_errors import BrowserErrors
from tests.browser.page_checks import axe_violations
from tests.browser.people import EDITOR, Person
from tests.support.factories import make_client, make_person


def test_client_is_found_and_opened_by_the_keyboard(
    amelia: Person, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("Failed to load resource")  # while offline
    other = make_client("Margate Trust", client_ref="KG90051", postcode="SW1A 1AA")
    make_person(client, "Margaret", "Whitmore")
    page = amelia.page
    amelia.open(client)
    page.keyboard.press("/")
    box = page.get_by_role("combobox", name="Find a client")
    expect(box).to_be_focused()
    status = page.get_by_role("dialog", name="Find a client").get_by_role("status")
    page.keyboard.type("e/marga")
    expect(status).to_have_text("No client matches “e/marga”.")
    box.fill("marga")
    options = page.get_by_role("listbox", name="Clients").get_by_role("option")
    expect(options).to_have_count(3)
    expect(options.nth(1)).to_contain_text("Person: Margaret Whitmore")
    expect(options.nth(1).locator("mark")).to_have_text("Marga")
    expect(status).to_have_text("2 clients")
    expect(box).to_have_attribute("aria-activedescendant", "quick-open-0")
    assert axe_violations(page) == []

    for key, active in (("ArrowDown", 1), ("End", 2), ("Home", 0), ("ArrowUp", 2), ("ArrowDown", 0)):
        page.keyboard.press(key)
        expect(page.locator("[role=option][aria-selected=true]")).to_have_id(f"quick-open-{active}")
    page.context.set_offline(True)
    box.fill("sw1a1aa")
    expect(status).to_have_text("The server cannot be reached. Type on to try again.")
    page.context.set_offline(False)
    box.fill("sw1a 1aa")
    page.keyboard.press("Enter")  # before the results have come
    expect(page).to_have_url(re.compile(rf"/clients/{other.id}$"))


def test_single_keys_work_outside_fields_until_they_are_switched_off(amelia: Person, client: Client) -> None:
    page = amelia.page
    amelia.open(client)
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("Find a client")
    together = keys.get_by_role("link", name="How we edit together")
    expect(together).to_have_attribute("href", "/help/editing-together")
    assert axe_violations(page) == []
    page.keyboard.press("Escape")
    expect(keys).to_have_count(0)
    page.keyboard.press("e")
    expect(page).to_have_url(EDITOR)
    phone = page.get_by_label("Phone")
    phone.fill("")
    phone.press_sequentially("/?e")
    expect(phone).to_have_value("/?e")
    expect(page.locator("dialog[open]")).to_have_count(0)

    db.session.execute(db.text("UPDATE profiles SET has_single_keys = false"))
    db.session.commit()
    amelia.open(client)
    for key in "?e/":
        page.keyboard.press(key)
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Find a client")).to_have_value("")
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"/clients/\d+$"))
