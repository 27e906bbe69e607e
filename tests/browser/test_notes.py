"""Test dated notes in the browser: they appear on open pages, and what is typed is never lost."""

import re
from datetime import date, timedelta

from playwright.sync_api import Locator, expect

from portal import clock
from portal.clients import Client
from portal.extensions import db
from tests.browser.browser_errors import BrowserErrors
from tests.browser.drafts import wait_until_draft_is_kept
from tests.browser.page_checks import axe_violations, top_of
from tests.browser.people import CLIENT_PAGE, Person
from tests.support.cast import Cast
from tests.support.edits import save_for
from tests.support.factories import make_note


def notes(person: Person) -> Locator:
    return person.page.locator(".note-list > li")


def add_note(person: Person) -> None:
    person.page.get_by_role("button", name="Add note").click()


def test_note_appears_on_an_open_page_and_does_not_move_what_is_under_the_pointer(
    amelia: Person, daniel: Person, client: Client
) -> None:
    for number in range(9):
        make_note(client, f"Older note {number}\n" * 6, happened_on=clock.today() - timedelta(days=number + 2))
    amelia.open(client)
    daniel.open(client)
    target = notes(daniel).filter(has_text="Older note 2")
    target.hover()
    before = top_of(target)

    amelia.field("Note").fill("Rang about the ISA.\nSends papers.")
    amelia.field("Kind").select_option("Call")
    add_note(amelia)

    expect(amelia.page.get_by_text("The note is added.")).to_be_visible()
    expect(amelia.field("Note")).to_have_value("")
    expect(amelia.field("Note")).to_be_focused()
    for person in (amelia, daniel):
        expect(notes(person).first).to_contain_text("Rang about the ISA.")
    expect(notes(daniel)).to_have_count(10)
    expect(daniel.page.locator("update-notice")).to_contain_text("Amelia added the call of")
    assert abs(top_of(target) - before) < 1
    expect(amelia.page.locator("update-notice")).to_be_hidden()
    daniel.is_told(client, {"Amelia": "viewing", "Daniel": "viewing"})


def test_typed_note_survives_a_dead_line_and_a_closed_tab(
    amelia: Person, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("ERR_INTERNET_DISCONNECTED")
    amelia.open(client)
    amelia.field("Note").fill("Half a sentence")
    wait_until_draft_is_kept(amelia)
    amelia.page.close()
    amelia = amelia.another_tab()
    amelia.open(client)
    amelia.page.get_by_role("link", name="a new note").click()
    expect(amelia.page).to_have_url(re.compile("note_draft="))
    expect(amelia.field("Note")).to_have_value("Half a sentence")

    amelia.context.set_offline(True)
    amelia.field("Note").fill("The whole sentence.")
    add_note(amelia)
    expect(amelia.page.get_by_role("alert")).to_contain_text("Not saved: the portal cannot be reached just now.")
    expect(amelia.field("Note")).to_have_value("The whole sentence.")
    amelia.context.set_offline(False)
    wait_until_draft_is_kept(amelia)
    add_note(amelia)

    expect(notes(amelia)).to_have_count(1)
    expect(notes(amelia)).to_contain_text("The whole sentence.")
    expect(amelia.page.get_by_role("link", name="a new note")).to_have_count(0)


def test_review_is_marked_done_and_a_next_review_that_another_user_saves_meanwhile_is_decided_in_place(
    amelia: Person, client: Client, cast: Cast
) -> None:
    client.next_review_on = clock.today()
    db.session.commit()
    amelia.open(client)
    amelia.page.get_by_role("link", name="Mark review done").click()
    expect(amelia.page).to_have_url(re.compile("/review$"))  # the client page has a field Note, too
    amelia.field("Note").fill("Met both at the office.")
    amelia.field("Next review").fill("1/12/2031")
    save_for(cast.daniel, client, next_review_on=date(2030, 3, 1))
    amelia.page.get_by_role("button", name="Keep mine").click()
    amelia.page.get_by_role("button", name="Mark review done").press("Enter")

    expect(amelia.page).to_have_url(CLIENT_PAGE)
    expect(notes(amelia)).to_contain_text("Met both at the office.")
    expect(amelia.page.get_by_role("main")).to_contain_text("1 Dec 2031")


def test_mention_is_completed_by_keyboard_in_a_list_that_axe_accepts_and_reaches_its_user(
    amelia: Person, daniel: Person, client: Client
) -> None:
    daniel.page.goto("/account")
    amelia.open(client)
    amelia.field("Note").press_sequentially("Ask @da")
    option = amelia.page.get_by_role("option", name="Daniel Okafor")
    expect(option).to_have_attribute("aria-selected", "true")
    expect(amelia.field("Note")).to_have_attribute("aria-activedescendant", option.get_attribute("id") or "")
    assert axe_violations(amelia.page) == []

    amelia.page.keyboard.press("Escape")
    expect(option).to_be_hidden()
    amelia.page.keyboard.type("n")
    amelia.page.keyboard.press("Enter")
    expect(amelia.field("Note")).to_have_value("Ask @Daniel Okafor ")
    expect(option).to_be_hidden()
    amelia.page.keyboard.type("about it.")
    add_note(amelia)
    expect(notes(amelia)).to_contain_text("Ask @Daniel Okafor about it.")

    daniel.page.locator(".bell").click()
    daniel.page.get_by_role("link", name="Amelia Hart mentioned you in a note").first.click()
    expect(daniel.page).to_have_url(re.compile(rf"/clients/{client.id}#note-\d+$"))
    expect(notes(daniel).first).to_contain_text("Ask @Daniel Okafor about it.")
