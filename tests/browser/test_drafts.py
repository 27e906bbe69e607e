"""Test that the portal keeps typed values as a draft and offers them again, in this browser or another one."""

import re
from http import HTTPStatus

from flask import Flask
from playwright.sync_api import Browser, Locator, expect

from portal.auth import Profile, profiles
from portal.clients import Client
from portal.extensions import db
from tests.browser.browser_errors import BrowserErrors
from tests.browser.conftest import signed_in
from tests.browser.drafts import all_drafts, draft_offer, newest_draft, wait_until_draft_is_kept
from tests.browser.people import CLIENT_PAGE, PATIENCE_MS, OpenBrowser, Person, kill_browser, sign_in_again
from tests.support.cast import Cast
from tests.support.edits import save_for
from tests.support.factories import make_client

SIGNED_OUT = "status of 401"
# A closing page sends its draft without waiting for the response, so the test asks until the draft is there.
ASK_FOR_OFFER = """async ([path, patienceMs]) => {
    for (const giveUpAt = performance.now() + patienceMs; performance.now() < giveUpAt; ) {
        if ((await (await fetch(path)).text()).includes("data-draft-offer=")) return true;
        await new Promise((goOn) => setTimeout(goOn, 100));
    }
    return false;
}"""
OFFER = "You have unsaved changes from less than a minute ago"


def test_user_of_a_killed_browser_and_the_typed_values_disappear_and_the_draft_is_restored_on_another_device(
    amelia: Person,
    daniel: Person,
    open_browser: OpenBrowser,
    another_browser: Browser,
    cast: Cast,
    client: Client,
) -> None:
    first = open_browser(cast.amelia, browser=another_browser)
    first.open_editor(client)
    daniel.open_editor(client)
    first.field("Phone").fill("01632 962000")
    first.field("Risk profile").select_option("5 of 7")
    wait_until_draft_is_kept(first)
    expect(daniel.unsaved("phone").locator("p")).to_contain_text("01632 962000")
    kill_browser(another_browser)
    daniel.take_in()
    expect(daniel.sentence).to_contain_text("Amelia is editing")  # until the active window is over
    expect(daniel.unsaved("phone").locator("p")).to_have_count(0, timeout=30_000)
    daniel.sees()
    daniel.leave()

    amelia.open_editor(client)
    expect(draft_offer(amelia)).to_contain_text(f"{OFFER} (Phone, Risk profile).")
    expect(amelia.field("Phone")).to_have_value("01632 960001")
    draft_offer(amelia).get_by_role("link", name="Restore").click()
    expect(amelia.field("Phone")).to_have_value("01632 962000")
    expect(amelia.field("Risk profile")).to_have_value("5")
    expect(amelia.page.locator(".field.changed label")).to_have_text(["Phone", "Risk profile"])
    amelia.field("Town").fill("Wells")
    amelia.save()

    expect(amelia.page).to_have_url(CLIENT_PAGE)
    db.session.rollback()
    assert (client.phone, client.risk_profile, client.town, client.version) == ("01632 962000", 5, "Wells", 2)
    assert newest_draft(cast.amelia, client) is None
    amelia.open_editor(client)
    expect(draft_offer(amelia)).to_have_count(0)


def test_sign_out_waits_until_the_draft_is_kept(
    open_browser: OpenBrowser, browsers_app: Flask, vera: Profile, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect(SIGNED_OUT)  # the page sends its leave again when it unloads
    person = open_browser(vera)
    person.open_editor(client)
    person.field("Phone").fill("01632 962100")
    person.page.get_by_role("button", name="Sign out").click()
    expect(person.page).to_have_url(re.compile("/sign-in$"))
    assert newest_draft(vera, client) == {"phone": "01632 962100"}
    assert browser_errors.leave_questions == 0

    person.context.add_cookies(signed_in(browsers_app, vera)["cookies"])
    person.open_editor(client)
    expect(draft_offer(person)).to_contain_text("(Phone)")


def test_text_typed_after_the_session_ended_is_kept_after_signing_in_again(
    open_browser: OpenBrowser, vera: Profile, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect(SIGNED_OUT)
    person = open_browser(vera)
    person.open_editor(client)
    person.field("Phone").fill("01632 962200")
    wait_until_draft_is_kept(person)
    person.page.route("**/user_page_presence**", lambda route: None)  # before a heartbeat has reported it
    profiles.end_sessions(vera)
    db.session.commit()
    with person.page.expect_response(lambda response: response.status == HTTPStatus.UNAUTHORIZED):
        person.field("Key information").fill("Typed after that")
    expect(person.signed_out).to_be_visible()
    assert newest_draft(vera, client) == {"phone": "01632 962200"}

    sign_in_again(person, vera)
    expect(person.signed_out).to_be_hidden()
    expect(person.field("Key information")).to_be_focused()
    wait_until_draft_is_kept(person)
    assert newest_draft(vera, client) == {"phone": "01632 962200", "notes": "Typed after that"}


def test_tabs_of_one_editor_keep_separate_drafts_and_one_discards_nothing_that_another_goes_on_typing(
    amelia: Person, cast: Cast, client: Client
) -> None:
    another = amelia.another_tab()
    amelia.open_editor(client)
    another.open_editor(client)
    amelia.field("Key information").fill("First line")
    wait_until_draft_is_kept(amelia)
    another.field("Town").fill("Wells")
    wait_until_draft_is_kept(another)
    assert all_drafts(cast.amelia, client) == [{"town": "Wells"}, {"notes": "First line"}]
    another.save()
    expect(another.page).to_have_url(CLIENT_PAGE)
    assert all_drafts(cast.amelia, client) == [{"notes": "First line"}]

    another.open_editor(client)
    expect(draft_offer(another)).to_contain_text("(Key information)")
    amelia.field("Key information").fill("First line, second line")
    expect(amelia.page.get_by_text("Draft kept", exact=True)).to_be_hidden()
    wait_until_draft_is_kept(amelia)
    draft_offer(another).get_by_role("button", name="Discard").click()
    expect(draft_offer(another)).to_have_text("You have typed more since, in another tab. It is kept there.")
    expect(another.field("Name")).to_be_focused()
    assert newest_draft(cast.amelia, client) == {"notes": "First line, second line"}

    another.reload()
    draft_offer(another).get_by_role("button", name="Discard").click()
    expect(draft_offer(another)).to_have_count(0)
    assert all_drafts(cast.amelia, client) == []
    with amelia.page.expect_response(lambda response: response.request.method == "PUT"):
        amelia.focus_window()  # a page that says that its draft is kept keeps it again
    assert newest_draft(cast.amelia, client) == {"notes": "First line, second line"}


def test_leaving_at_once_keeps_the_draft_without_a_question_and_it_can_be_discarded(
    amelia: Person, cast: Cast, client: Client, browser_errors: BrowserErrors
) -> None:
    amelia.open_editor(client)
    amelia.field("Phone").press_sequentially("5")
    amelia.page.get_by_role("link", name="Kingston").click()
    expect(amelia.page).to_have_url(re.compile(r":\d+/$"))
    assert browser_errors.leave_questions == 0
    assert amelia.page.evaluate(ASK_FOR_OFFER, [f"/clients/{client.id}/edit", PATIENCE_MS])

    amelia.open_editor(client)
    amelia.field("Town").fill("Wells")
    wait_until_draft_is_kept(amelia)
    assert all_drafts(cast.amelia, client) == [{"town": "Wells"}, {"phone": "501632 960001"}]
    draft_offer(amelia).get_by_role("button", name="Discard").click()
    expect(draft_offer(amelia)).to_have_count(0)
    assert all_drafts(cast.amelia, client) == [{"town": "Wells"}]

    with amelia.page.expect_response(lambda response: response.request.method == "PUT"):
        amelia.field("Town").fill("")
    assert newest_draft(cast.amelia, client) is None


def test_draft_restored_on_a_newer_version_is_merged_and_marked(amelia: Person, cast: Cast) -> None:
    client = make_client("Whitmore Family", adviser_id=cast.amelia.id, phone="1", notes="One\nTwo\nThree")
    amelia.open_editor(client)
    amelia.field("Phone").fill("01632 962300")
    amelia.field("Key information").fill("One\nTwo\nThree, mine")
    wait_until_draft_is_kept(amelia)
    amelia.leave()
    save_for(cast.daniel, client, phone="01632 962400", town="Wells", notes="One, theirs\nTwo\nThree")

    amelia.open_editor(client)
    draft_offer(amelia).get_by_role("link", name="Restore").click()
    expect(amelia.field("Key information")).to_have_value("One, theirs\nTwo\nThree, mine")
    expect(amelia.field("Phone")).to_have_value("01632 962300")
    expect(amelia.field("Town")).to_have_value("Wells")
    choice = amelia.page.get_by_role("group", name="Daniel saved 01632 962400")
    expect(choice).to_be_visible()
    amelia.save()
    expect(choice).to_be_focused()
    db.session.rollback()
    assert (client.phone, client.version) == ("01632 962400", 2)


def test_draft_on_offer_stays_whatever_is_typed_beside_it_and_in_another_tab(
    amelia: Person, cast: Cast, client: Client
) -> None:
    amelia.open_editor(client)
    amelia.field("Key information").fill("An hour's work")
    amelia.field("Phone").fill("01632 962500")
    wait_until_draft_is_kept(amelia)
    amelia.reload()
    expect(draft_offer(amelia)).to_contain_text("(Phone, Key information)")
    another = amelia.another_tab()
    another.open_editor(client)

    for person in (amelia, another):
        person.field("Key information").press_sequentially("x")
        wait_until_draft_is_kept(person)
    assert all_drafts(cast.amelia, client)[-1] == {"phone": "01632 962500", "notes": "An hour's work"}

    another.reload()
    expect(draft_offer(another)).to_have_count(3)
    draft_offer(another).last.get_by_role("link", name="Restore").click()
    expect(another.field("Key information")).to_have_value("An hour's work")


def cancel(person: Person) -> Locator:
    """Return the dialog that Cancel opens."""
    person.page.get_by_role("link", name="Cancel").click()
    return person.page.get_by_role("dialog", name="You have not saved your changes")


def test_cancel_asks_and_the_draft_that_is_kept_is_found_on_the_client_page_and_in_the_list_and_discarded(
    amelia: Person, cast: Cast, client: Client, browser_errors: BrowserErrors
) -> None:
    amelia.open_editor(client)
    amelia.field("Phone").press_sequentially("5")
    question = cancel(amelia)
    expect(question).to_contain_text("1 field changed.")
    question.get_by_role("button", name="Go on").click()
    expect(question).to_be_hidden()
    expect(amelia.page.get_by_role("link", name="Cancel")).to_be_focused()

    cancel(amelia).get_by_role("button", name="Keep as draft").click()
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    amelia.page.goto(f"/clients?q={client.client_ref}")
    expect(amelia.page.get_by_role("row", name=client.client_ref)).to_contain_text("Draft")
    amelia.page.get_by_role("link", name=client.name).click()
    unsaved = amelia.page.get_by_role("region", name="Your unsaved changes")
    unsaved.get_by_role("link", name="this record").click()
    expect(amelia.field("Phone")).to_have_value("501632 960001")
    wait_until_draft_is_kept(amelia)
    assert all_drafts(cast.amelia, client) == [{"phone": "501632 960001"}]

    amelia.field("Town").press_sequentially("Wells")
    cancel(amelia).get_by_role("button", name="Discard").click()
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    expect(unsaved).to_have_count(0)
    assert all_drafts(cast.amelia, client) == []
    assert browser_errors.leave_questions == 0


def test_cancel_asks_nothing_without_a_change_and_stays_where_the_draft_cannot_be_kept(
    amelia: Person, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("Failed to load resource")
    amelia.open_editor(client)
    amelia.page.get_by_role("link", name="Cancel").click()
    expect(amelia.page).to_have_url(CLIENT_PAGE)

    amelia.open_editor(client)
    amelia.page.route("**/edit_drafts/**", lambda route: route.abort())
    amelia.field("Phone").press_sequentially("5")
    question = cancel(amelia)
    for width in (380, 1440):
        amelia.page.set_viewport_size({"width": width, "height": 800})
        check_that_discard_is_apart(question, is_column=width == 380)
    for name in ("Keep as draft", "Discard"):
        question.get_by_role("button", name=name).click()
        expect(question.get_by_role("alert")).to_contain_text("The portal cannot be reached just now.")
    amelia.page.keyboard.press("Escape")
    expect(amelia.field("Phone")).to_have_value("501632 960001")


def check_that_discard_is_apart(question: Locator, is_column: bool) -> None:
    """Check that Discard is at least twice as far from the next button as that one is from the last."""
    names = ["Discard", "Go on", "Keep as draft"]
    expect(question.get_by_role("button")).to_have_text(names)
    boxes = [question.get_by_role("button", name=name).bounding_box() for name in names]
    discard, go_on, keep = (box for box in boxes if box)
    side, size = ("y", "height") if is_column else ("x", "width")
    assert go_on[side] - discard[side] - discard[size] >= 2 * (keep[side] - go_on[side] - go_on[size]) > 0  # type: ignore[literal-required]
