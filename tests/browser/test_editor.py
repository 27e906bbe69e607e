"""Test saves of two users in one editor: merged changes, conflicts and their resolutions."""

import re

from playwright.sync_api import Locator, expect

from portal.clients import Client
from tests.browser.browser_errors import BrowserErrors
from tests.browser.people import CHANGES, CLIENT_PAGE, Person, reloaded
from tests.support.cast import Cast
from tests.support.edits import save_for

CONFLICT = "status of 409"
MINE, THEIRS, THIRD = "01632 960300", "01632 960200", "01632 960400"


def leave_while_nothing_is_kept(person: Person, field: Locator, way: Locator, browser_errors: BrowserErrors) -> None:
    """Type in a field while no draft can be kept, and check that leaving the page asks and can be cancelled."""
    person.page.route("**/edit_drafts/**", lambda route: route.abort())
    with person.page.expect_event("requestfailed", lambda request: "/edit_drafts/" in request.url):
        field.press_sequentially("5")  # keys, because a page without user input may not ask
    browser_errors.accepts_leaving = False
    way.click()
    expect(field).to_be_visible()
    assert browser_errors.leave_questions == 1
    browser_errors.accepts_leaving = True


def test_editor_counts_and_marks_changed_fields_and_a_save_shows_the_client_with_the_new_value(
    amelia: Person, client: Client
) -> None:
    amelia.open_editor(client)
    counter = amelia.page.locator("[data-change-count]")
    expect(counter).to_have_text("No changes yet")
    amelia.field("Phone").fill("01632 960100")
    amelia.field("Risk profile").select_option("3 of 7")
    expect(counter).to_have_text("2 changed")
    expect(amelia.page.locator(".field.changed label")).to_have_text(["Phone", "Risk profile"])
    amelia.field("Risk profile").select_option("Not assessed")
    expect(counter).to_have_text("1 changed")

    amelia.save()
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    expect(amelia.page.get_by_role("main")).to_contain_text("Your changes are saved.")
    expect(amelia.page.get_by_role("main")).to_contain_text("01632 960100")
    assert (reloaded(client).phone, client.version) == ("01632 960100", 2)


def test_save_without_a_change_returns_to_the_client(amelia: Person, client: Client) -> None:
    amelia.open_editor(client)
    amelia.save()

    expect(amelia.page).to_have_url(CLIENT_PAGE)
    assert reloaded(client).version == 1


def test_errors_stand_beside_their_fields_and_leaving_asks_when_what_was_typed_cannot_be_kept(
    amelia: Person, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 422", "Failed to load resource")
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

    clients = amelia.page.get_by_role("link", name="Clients", exact=True).first
    leave_while_nothing_is_kept(amelia, amelia.field("Phone"), clients, browser_errors)
    expect(amelia.page.get_by_text("Draft not kept – trying again")).to_be_visible()
    clients.click()
    expect(amelia.page).to_have_url(re.compile("/clients$"))


def test_changes_to_different_fields_are_saved_together(amelia: Person, daniel: Person, client: Client) -> None:
    for person, label in ((amelia, "Phone"), (daniel, "Town")):
        person.open_editor(client)
        person.field(label).fill(f"{label} of theirs")
    daniel.save()
    expect(daniel.page).to_have_url(CLIENT_PAGE)
    amelia.save()

    expect(amelia.page.get_by_role("main")).to_contain_text("Saved together with Daniel’s change to Town.")
    assert (reloaded(client).phone, reloaded(client).town) == ("Phone of theirs", "Town of theirs")


def conflict_about_phone(amelia: Person, cast: Cast, client: Client) -> Locator:
    """Let Amelia save a phone number after Daniel, without a notification to her page, and return the question."""
    amelia.miss_saves()
    amelia.open_editor(client)
    amelia.field("Phone").fill(MINE)
    save_for(cast.daniel, client, phone=THEIRS)
    amelia.save()
    return amelia.page.get_by_role("group", name="Phone")


def test_conflict_is_decided_by_keyboard_and_asked_again_after_another_save(
    amelia: Person, cast: Cast, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect(CONFLICT)
    question = conflict_about_phone(amelia, cast, client)
    expect(question).to_contain_text("Daniel Okafor’s")
    expect(question).to_contain_text(THEIRS)
    expect(question.get_by_role("radio", checked=True)).to_have_count(0)
    save_for(cast.daniel, client, phone="01632 960202")
    question.get_by_role("radio", name="Yours").check()
    amelia.save()
    expect(question).to_contain_text("01632 960202")
    assert reloaded(client).phone == "01632 960202"

    question.get_by_role("radio", name="Yours").focus()
    amelia.page.keyboard.press("Space")
    amelia.save()
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    assert (reloaded(client).phone, client.version) == (MINE, 4)


def test_typed_third_value_chooses_itself_and_survives_an_outage(
    amelia: Person, cast: Cast, client: Client, browser_errors: BrowserErrors
) -> None:
    """Also when it is typed before the script is there, and leaving asks while it cannot be kept."""
    browser_errors.expect(CONFLICT, "Failed to load resource")
    held = amelia.hold("**/js/entry/conflict.js")
    question = conflict_about_phone(amelia, cast, client)
    something_else, chosen = question.get_by_label("Phone: something else"), question.get_by_role("radio", checked=True)
    something_else.fill(THIRD)
    expect(chosen).to_have_count(0)
    held[0].continue_()
    expect(chosen).to_have_accessible_name("Something else")
    question.get_by_role("radio", name="Yours").check()
    leave_while_nothing_is_kept(amelia, something_else, amelia.page.get_by_role("link", name="Not now"), browser_errors)
    expect(chosen).to_have_accessible_name("Something else")

    amelia.save()
    expect(amelia.page.get_by_text("Not saved: the portal cannot be reached")).to_be_visible()
    amelia.page.unroute("**/edit_drafts/**")
    something_else.fill(THIRD)
    amelia.save()
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    assert reloaded(client).phone == THIRD


def test_all_of_an_answer_chooses_it_and_one_click_chooses_in_every_field(
    amelia: Person, cast: Cast, client: Client, browser_errors: BrowserErrors
) -> None:
    """The first option of a select is no choice: "Something else" must not look chosen."""
    browser_errors.expect(CONFLICT)
    amelia.miss_saves()
    amelia.open_editor(client)
    amelia.field("Phone").fill(MINE)
    amelia.field("Town").fill("Bath")
    amelia.field("Risk profile").select_option("2 of 7")
    save_for(cast.daniel, client, phone=THEIRS, town="Wells", risk_profile=3)
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
    amelia: Person, cast: Cast, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect(CONFLICT)
    question = conflict_about_phone(amelia, cast, client)
    kept = f'"phone":"{THIRD}"'  # the script that chooses it may be loaded after the user has typed
    with amelia.page.expect_response(lambda answer: kept in (answer.request.post_data or "")):
        question.get_by_label("Phone: something else").fill(THIRD)

    amelia.page.unroute(CHANGES)
    amelia.open_editor(client)
    amelia.page.get_by_role("link", name="Restore").click()

    expect(amelia.field("Phone")).to_have_value(THIRD)
    expect(amelia.page.get_by_role("button", name="Put mine back: Phone")).to_be_visible()
    amelia.save()
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    assert reloaded(client).phone == THIRD


def test_something_else_of_an_undo_is_kept_as_a_draft_and_leaving_asks_when_it_cannot_be_kept(
    amelia: Person, cast: Cast, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect(CONFLICT, "Failed to load resource")
    for phone in (THEIRS, MINE):
        save_for(cast.daniel, client, phone=phone)
    amelia.page.goto(f"/clients/{client.id}/history/2/revert")
    amelia.page.get_by_role("button", name="Undo change 2").click()
    something_else = amelia.page.get_by_label("Phone: something else")
    not_now = amelia.page.get_by_role("link", name="Not now")
    leave_while_nothing_is_kept(amelia, something_else, not_now, browser_errors)

    amelia.page.unroute("**/edit_drafts/**")
    with amelia.page.expect_response(lambda answer: f'"phone":"{THIRD}"' in (answer.request.post_data or "")):
        something_else.fill(THIRD)
    not_now.click()
    expect(amelia.page).not_to_have_url(re.compile("/revert"))
    amelia.open_editor(client)
    amelia.page.get_by_role("link", name="Restore").click()
    expect(amelia.field("Phone")).to_have_value(THIRD)
