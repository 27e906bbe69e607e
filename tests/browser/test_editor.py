"""Test saves of two users in one editor: merged changes, conflicts and their resolutions."""

import re

import pytest
from playwright.sync_api import Locator, expect

from portal.clients import Client
from tests.browser.browser_errors import BrowserErrors
from tests.browser.drafts import wait_until_draft_is_kept
from tests.browser.people import CHANGES, CLIENT_PAGE, Person, reloaded

CONFLICT = "status of 409"
MINE, THEIRS = "01632 960300", "01632 960200"


def test_accepted_save_shows_the_client_with_the_new_value(amelia: Person, client: Client) -> None:
    amelia.open_editor(client)
    amelia.field("Phone").fill("01632 960100")
    amelia.save()

    expect(amelia.page).to_have_url(CLIENT_PAGE)
    expect(amelia.page.get_by_role("main")).to_contain_text("Your changes are saved.")
    expect(amelia.page.get_by_role("main")).to_contain_text("01632 960100")
    assert reloaded(client).phone == "01632 960100"


def test_save_without_a_change_returns_to_the_client(amelia: Person, client: Client) -> None:
    amelia.open_editor(client)
    amelia.save()

    expect(amelia.page).to_have_url(CLIENT_PAGE)
    assert reloaded(client).version == 1


def test_changes_to_different_fields_are_saved_together(amelia: Person, daniel: Person, client: Client) -> None:
    for person, label in ((amelia, "Phone"), (daniel, "Town")):
        person.open_editor(client)
        person.field(label).fill(f"{label} of theirs")
    daniel.save()
    expect(daniel.page).to_have_url(CLIENT_PAGE)
    amelia.save()

    expect(amelia.page.get_by_role("main")).to_contain_text("Saved together with Daniel’s change to Town.")
    assert (reloaded(client).phone, reloaded(client).town) == ("Phone of theirs", "Town of theirs")


def test_conflict_is_decided_by_keyboard_and_saved(
    amelia: Person, daniel: Person, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect(CONFLICT)
    amelia.miss_saves()
    amelia.open_editor(client)
    daniel.open_editor(client)
    amelia.field("Phone").fill("01632 960300")
    daniel.field("Phone").fill("01632 960200")
    daniel.save()
    expect(daniel.page).to_have_url(CLIENT_PAGE)
    amelia.save()

    question = amelia.page.get_by_role("group", name="Phone")
    expect(question).to_contain_text("Daniel Okafor’s")
    expect(question.get_by_role("radio", checked=True)).to_have_count(0)
    assert reloaded(client).phone == "01632 960200"
    question.get_by_role("radio", name="Yours").focus()
    amelia.page.keyboard.press("Space")
    amelia.save()
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    assert (reloaded(client).phone, reloaded(client).version) == ("01632 960300", 3)


def test_save_of_another_user_during_the_decision_asks_again(
    amelia: Person, daniel: Person, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect(CONFLICT)
    amelia.miss_saves()
    amelia.open_editor(client)
    amelia.field("Phone").fill("01632 960300")
    question = amelia.page.get_by_role("group", name="Phone")
    for phone in ("01632 960201", "01632 960202"):
        daniel.open_editor(client)
        daniel.field("Phone").fill(phone)
        daniel.save()
        expect(daniel.page).to_have_url(CLIENT_PAGE)
        amelia.save()
        expect(question).to_contain_text(phone)
        question.get_by_role("radio", name="Yours").check()
    assert reloaded(client).phone == "01632 960202"


def change_the_same(amelia: Person, daniel: Person, client: Client) -> None:
    """Let both users type a phone number, and Daniel save his, without a notification to Amelia's page."""
    amelia.miss_saves()
    amelia.open_editor(client)
    amelia.field("Phone").fill("01632 960300")
    daniel.open_editor(client)
    daniel.field("Phone").fill("01632 960200")
    daniel.save()
    expect(daniel.page).to_have_url(CLIENT_PAGE)


def test_typed_third_value_chooses_itself_and_survives_an_outage(
    amelia: Person, daniel: Person, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect(CONFLICT, "Failed to load resource")
    change_the_same(amelia, daniel, client)
    amelia.save()
    question = amelia.page.get_by_role("group", name="Phone")
    question.get_by_label("Phone: something else").fill("01632 960400")
    expect(question.get_by_role("radio", name="Something else")).to_be_checked()
    wait_until_draft_is_kept(amelia)

    amelia.page.route("**/edit_drafts/**", lambda route: route.abort())
    amelia.save()
    expect(amelia.page.get_by_text("Not saved: the portal cannot be reached")).to_be_visible()
    amelia.page.unroute("**/edit_drafts/**")
    amelia.save()
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    assert reloaded(client).phone == "01632 960400"


def test_all_of_an_answer_chooses_it_and_one_click_chooses_in_every_field(
    amelia: Person, daniel: Person, client: Client, browser_errors: BrowserErrors
) -> None:
    """The first option of a select is no choice: "Something else" must not look chosen."""
    browser_errors.expect(CONFLICT)
    amelia.miss_saves()
    amelia.open_editor(client)
    daniel.open_editor(client)
    for person, phone, town, risk in ((amelia, MINE, "Bath", "2 of 7"), (daniel, THEIRS, "Wells", "3 of 7")):
        person.field("Phone").fill(phone)
        person.field("Town").fill(town)
        person.field("Risk profile").select_option(risk)
    daniel.save()
    expect(daniel.page).to_have_url(CLIENT_PAGE)
    amelia.save()
    risk_profile = amelia.page.get_by_role("group", name="Risk profile")
    plain = risk_profile.locator(".option").first.evaluate("option => getComputedStyle(option).backgroundColor")
    expect(risk_profile.locator(".option").last).to_have_css("background-color", plain)

    risk_profile.get_by_text("3 of 7").first.click()
    expect(risk_profile.get_by_role("radio", name="Daniel Okafor’s")).to_be_checked()
    amelia.page.get_by_role("button", name="All mine").click()
    expect(amelia.page.get_by_role("radio", name="Yours", checked=True)).to_have_count(3)
    amelia.save()
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    assert (reloaded(client).phone, reloaded(client).town, reloaded(client).risk_profile) == (MINE, "Bath", 2)


def test_something_else_is_kept_as_a_draft_and_can_be_restored(
    amelia: Person, daniel: Person, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect(CONFLICT)
    change_the_same(amelia, daniel, client)
    amelia.save()
    question = amelia.page.get_by_role("group", name="Phone")
    kept = '"phone":"01632 960400"'  # the script that chooses it may be loaded after the user has typed
    with amelia.page.expect_response(lambda answer: kept in (answer.request.post_data or "")):
        question.get_by_label("Phone: something else").fill("01632 960400")

    amelia.page.unroute(CHANGES)
    amelia.open_editor(client)
    amelia.page.get_by_role("link", name="Restore").click()

    expect(amelia.field("Phone")).to_have_value("01632 960400")
    expect(amelia.page.get_by_role("button", name="Put mine back: Phone")).to_be_visible()
    amelia.save()
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    assert reloaded(client).phone == "01632 960400"


def test_leaving_asks_where_something_else_cannot_be_kept(
    amelia: Person, daniel: Person, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect(CONFLICT, "Failed to load resource")
    change_the_same(amelia, daniel, client)
    amelia.save()
    something_else = amelia.page.get_by_label("Phone: something else")
    expect(something_else).to_be_visible()  # otherwise the draft of the save would be held too
    amelia.page.route("**/edit_drafts/**", lambda route: route.abort())
    with amelia.page.expect_event("requestfailed", lambda request: "/edit_drafts/" in request.url):
        something_else.press_sequentially("5")
    browser_errors.accepts_leaving = False
    amelia.page.get_by_role("link", name="Not now").click()
    expect(something_else).to_be_visible()
    assert browser_errors.leave_questions == 1
    browser_errors.accepts_leaving = True


@pytest.fixture
def undo_asks(amelia: Person, daniel: Person, client: Client, browser_errors: BrowserErrors) -> Locator:
    """Let Daniel change Phone twice, and Amelia undo the first change."""
    browser_errors.expect(CONFLICT)
    for phone in ("01632 960200", "01632 960300"):
        daniel.open_editor(client)
        daniel.field("Phone").fill(phone)
        daniel.save()
        expect(daniel.page).to_have_url(CLIENT_PAGE)
    amelia.page.goto(f"/clients/{client.id}/history/2/revert")
    amelia.page.get_by_role("button", name="Undo change 2").click()
    return amelia.page.get_by_label("Phone: something else")


def test_something_else_of_an_undo_is_kept_as_a_draft_and_can_be_restored(
    amelia: Person, client: Client, undo_asks: Locator
) -> None:
    kept = '"phone":"01632 960400"'
    with amelia.page.expect_response(lambda answer: kept in (answer.request.post_data or "")):
        undo_asks.fill("01632 960400")

    amelia.page.get_by_role("link", name="Not now").click()
    amelia.open_editor(client)
    amelia.page.get_by_role("link", name="Restore").click()
    expect(amelia.field("Phone")).to_have_value("01632 960400")


def test_leaving_an_undo_asks_where_something_else_cannot_be_kept(
    amelia: Person, undo_asks: Locator, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("Failed to load resource")
    amelia.page.route("**/edit_drafts/**", lambda route: route.abort())
    with amelia.page.expect_event("requestfailed", lambda request: "/edit_drafts/" in request.url):
        undo_asks.press_sequentially("5")
    browser_errors.accepts_leaving = False
    amelia.page.get_by_role("link", name="Not now").click()
    expect(undo_asks).to_be_visible()
    assert browser_errors.leave_questions == 1
    browser_errors.accepts_leaving = True


def test_something_else_typed_before_the_script_is_there_is_chosen_too(
    amelia: Person, daniel: Person, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect(CONFLICT)
    change_the_same(amelia, daniel, client)
    held = amelia.hold("**/js/entry/conflict.js")
    amelia.save()
    question = amelia.page.get_by_role("group", name="Phone")
    question.get_by_label("Phone: something else").fill("01632 960400")
    expect(question.get_by_role("radio", name="Something else")).not_to_be_checked()

    held[0].continue_()
    expect(question.get_by_role("radio", name="Something else")).to_be_checked()


def test_errors_stand_beside_their_fields_and_what_was_typed_stays(
    amelia: Person, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 422")
    amelia.open_editor(client)
    amelia.field("Name").fill("")
    amelia.field("Email").fill("not an address")
    amelia.field("Phone").fill("01632 960400")
    amelia.save()

    expect(amelia.page.get_by_role("alert")).to_contain_text("2 fields need another look")
    expect(amelia.page.get_by_role("alert")).to_be_focused()
    for label, error in (("Name", "Enter the client’s name."), ("Email", "Enter an email address")):
        expect(amelia.field(label)).to_have_accessible_description(re.compile(error))
    expect(amelia.field("Email")).to_have_value("not an address")
    expect(amelia.field("Phone")).to_have_value("01632 960400")
    assert reloaded(client).version == 1


def test_editor_counts_and_marks_changed_fields(amelia: Person, client: Client) -> None:
    amelia.open_editor(client)
    counter = amelia.page.locator("[data-change-count]")
    expect(counter).to_have_text("No changes yet")
    amelia.field("Phone").fill("01632 960500")
    amelia.field("Risk profile").select_option("3 of 7")
    expect(counter).to_have_text("2 changed")
    expect(amelia.page.locator(".field.changed label")).to_have_text(["Phone", "Risk profile"])

    amelia.field("Phone").fill(client.phone)
    expect(counter).to_have_text("1 changed")


def test_leaving_with_changes_that_cannot_be_kept_asks_first(
    amelia: Person, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("Failed to load resource")
    amelia.open_editor(client)
    amelia.page.route("**/edit_drafts/**", lambda route: route.abort())
    amelia.field("Phone").press_sequentially("5")  # keys, because a page without user input may not ask
    expect(amelia.page.get_by_text("Draft not kept – trying again")).to_be_visible()
    browser_errors.accepts_leaving = False
    amelia.page.get_by_role("link", name="Clients", exact=True).first.click()
    expect(amelia.field("Phone")).to_be_visible()
    assert browser_errors.leave_questions == 1

    browser_errors.accepts_leaving = True
    amelia.page.get_by_role("link", name="Clients", exact=True).first.click()
    expect(amelia.page).to_have_url(re.compile("/clients$"))
