"""Test editing one card on the client page: presence, merging, drafts and focus work as in the editor."""

import re

from playwright.sync_api import Locator, expect

from portal.clients import Client
from portal.extensions import db
from tests.browser.browser_errors import BrowserErrors
from tests.browser.drafts import draft_offer, wait_until_draft_is_kept
from tests.browser.page_checks import tab_to
from tests.browser.people import CHANGES, CLIENT_PAGE, EDITOR, OpenBrowser, Person
from tests.support.cast import Cast
from tests.support.edits import save_for

MINE, THEIRS = "01632 961400", "01632 961500"


def pencil(person: Person, what: str = "contact") -> Locator:
    return person.page.get_by_role("link", name=f"Edit {what}", exact=True)


def open_card(person: Person, what: str = "contact") -> None:
    pencil(person, what).click()
    expect(person.page.locator(".card-editor form")).to_be_visible()


def open_card_beside_others(person: Person) -> None:
    pencil(person).click()
    person.modal.get_by_role("button", name="Proceed Anyway").click()


def saved(person: Person) -> Locator:
    return person.page.locator(".card-saved")


def is_same_page(person: Person) -> bool:
    """Return whether no page was loaded since `stay`."""
    return bool(person.page.evaluate("window.isSamePage === true"))


def stay(person: Person) -> None:
    person.page.evaluate("window.isSamePage = true")


def test_card_is_edited_by_keyboard_without_a_page_load(amelia: Person, client: Client) -> None:
    page, press = amelia.page, amelia.page.keyboard.press
    amelia.open(client)
    stay(amelia)
    tab_to(page, pencil(amelia))
    press("Enter")
    expect(amelia.field("Email")).to_be_focused()
    press("Escape")
    expect(pencil(amelia)).to_be_focused()
    expect(amelia.card("Contact")).to_contain_text("01632 960001")

    press("Enter")
    expect(amelia.field("Email")).to_be_focused()
    tab_to(page, amelia.field("Phone"))
    press("Control+A")
    page.keyboard.type(MINE)
    press("Escape")
    expect(page.get_by_role("dialog", name="You have not saved your changes")).to_be_visible()
    press("Escape")
    expect(amelia.field("Phone")).to_have_value(MINE)
    tab_to(page, page.get_by_role("button", name="Save changes"))
    press("Enter")

    expect(saved(amelia)).to_have_text("Your changes are saved.")
    expect(amelia.card("Contact")).to_contain_text(MINE)
    expect(pencil(amelia)).to_be_focused()
    expect(page.locator("update-notice")).to_be_hidden()
    assert is_same_page(amelia)
    db.session.rollback()
    assert (client.phone, client.version) == (MINE, 2)


def test_open_card_is_presence_and_another_card_saved_meanwhile_is_kept(
    amelia: Person, daniel: Person, client: Client, cast: Cast
) -> None:
    daniel.open(client)
    amelia.open(client)
    stay(amelia)
    open_card_beside_others(amelia)
    amelia.field("Phone").fill(MINE)
    expect(daniel.card("Contact").locator("header")).to_contain_text("Amelia is editing Phone")
    daniel.is_told(client, {"Amelia": "editing", "Daniel": "viewing"})

    save_for(cast.daniel, client, notes="Saved meanwhile")
    expect(amelia.card("Objectives and key information")).to_contain_text("Saved meanwhile")
    expect(amelia.page.locator("update-notice")).to_contain_text("Daniel changed Key information")
    expect(amelia.field("Phone")).to_have_value(MINE)
    amelia.save()

    expect(saved(amelia)).to_contain_text("Saved together with Daniel’s change to Key information")
    expect(daniel.card("Contact")).to_contain_text(MINE)
    expect(daniel.card("Contact").locator("header")).not_to_contain_text("Amelia")
    daniel.is_told(client, {"Amelia": "viewing", "Daniel": "viewing"})
    assert is_same_page(amelia)
    db.session.rollback()
    assert (client.phone, client.notes) == (MINE, "Saved meanwhile")


def test_field_changed_by_both_is_decided_in_the_card_or_on_the_conflict_page(
    amelia: Person, client: Client, browser_errors: BrowserErrors, cast: Cast
) -> None:
    browser_errors.expect("status of 409", "ERR_FAILED")
    amelia.open(client)
    open_card(amelia)
    amelia.field("Phone").fill(MINE)
    save_for(cast.daniel, client, phone=THEIRS)
    amelia.page.get_by_role("button", name="Keep mine").click()
    amelia.page.route(CHANGES, lambda route: route.abort())
    save_for(cast.daniel, client, phone="01632 961501")
    amelia.save()

    question = amelia.page.get_by_role("group", name="Phone")
    expect(question).to_contain_text("01632 961501")
    question.get_by_role("radio", name="Yours").check()
    amelia.save()
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    expect(amelia.card("Contact")).to_contain_text(MINE)


def test_error_is_shown_in_the_card_another_card_waits_for_an_answer_and_typed_values_survive_an_outage(
    amelia: Person, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 422", "ERR_FAILED")
    amelia.open(client)
    open_card(amelia)
    amelia.field("Email").fill("no address")
    amelia.save()
    expect(amelia.page.locator(".card-editor .error-summary")).to_be_focused()
    expect(amelia.field("Email")).to_have_value("no address")

    pencil(amelia, "risk profile").click()
    amelia.page.get_by_role("dialog").get_by_role("button", name="Discard").click()
    expect(amelia.field("Risk profile")).to_be_focused()
    pencil(amelia, "next review").click()
    expect(amelia.field("Next review")).to_be_focused()
    expect(amelia.page.locator("form[data-edit-form]")).to_have_count(1)
    expect(amelia.card("Contact")).to_contain_text("01632 960001")

    amelia.page.keyboard.press("Escape")
    open_card(amelia)
    amelia.field("Phone").fill(MINE)
    wait_until_draft_is_kept(amelia)
    amelia.page.route("**/edit?card=contact", lambda route: route.abort())
    amelia.save()
    expect(amelia.page.get_by_role("alert").filter(has_text="Not saved: the portal cannot be reached")).to_be_visible()
    amelia.page.unroute("**/edit?card=contact")
    amelia.save()
    expect(amelia.card("Contact")).to_contain_text(MINE)

    open_card(amelia)
    amelia.page.route("**/edit_drafts/**", lambda route: route.abort())
    amelia.field("Phone").fill(THEIRS)
    expect(amelia.page.get_by_text("Draft not kept – trying again").filter(visible=True)).to_be_visible()
    amelia.leave()
    assert browser_errors.leave_questions == 1


def test_values_typed_in_a_card_are_offered_again_in_its_place(amelia: Person, client: Client) -> None:
    amelia.open(client)
    open_card(amelia, "objectives and key information")
    amelia.field("Key information").fill("Typed and left")
    wait_until_draft_is_kept(amelia)
    amelia.reload()
    stay(amelia)

    pencil(amelia, "objectives and key information").click()
    restore = draft_offer(amelia).get_by_role("link", name="Restore")
    expect(restore).to_have_attribute("href", re.compile(rf"^/clients/{client.id}/edit\?card=notes&draft=[\w-]+$"))
    expect(amelia.field("Objectives")).to_be_focused()
    amelia.page.keyboard.press("Escape")
    amelia.page.get_by_role("region", name="Your unsaved changes").get_by_role("link").click()
    expect(amelia.field("Key information")).to_have_value("Typed and left")
    expect(amelia.page.locator(".field.changed label")).to_have_text(["Key information"])
    amelia.save()

    expect(amelia.card("Objectives and key information")).to_contain_text("Typed and left")
    expect(amelia.page.get_by_role("region", name="Your unsaved changes")).to_have_count(0)
    expect(pencil(amelia, "objectives and key information")).to_be_focused()
    assert is_same_page(amelia)


def test_user_who_waits_for_an_open_card_gets_their_turn_and_three_users_share_unsaved_values_with_a_card(
    amelia: Person, daniel: Person, open_browser: OpenBrowser, cast: Cast, client: Client
) -> None:
    daniel.open(client)
    amelia.open(client)
    open_card_beside_others(amelia)
    amelia.field("Phone").fill(MINE)
    daniel.wait_for_others()
    daniel.waiting.get_by_role("button", name="Ask to finish").click()
    amelia.nudged.get_by_role("button", name="Save and hand over").click()
    expect(amelia.card("Contact")).to_contain_text(MINE)
    expect(amelia.nudged).to_be_hidden()
    expect(daniel.page).to_have_url(EDITOR)
    expect(daniel.field("Phone")).to_have_value(MINE)

    amelia.sees("Daniel is editing this client record")
    open_card_beside_others(amelia)
    ada = open_browser(cast.ada)
    ada.open_editor(client)
    amelia.field("Phone").fill(THEIRS)
    for person in (daniel, ada):
        expect(person.unsaved("phone")).to_contain_text(f"Amelia, not saved yet: {THEIRS}")
    daniel.field("Town").fill("Wells")
    for person in (amelia, ada):
        expect(person.unsaved("town")).to_contain_text("Wells")
    amelia.page.keyboard.press("Escape")
    amelia.page.get_by_role("dialog").get_by_role("button", name="Discard").click()
    for person in (daniel, ada):
        expect(person.unsaved("phone")).to_have_count(0)
