"""Test the time between Save and the next page: the form is locked, closing asks, and a stopped save unlocks it."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Locator, Page, Route, expect
from sqlalchemy import select

from portal.clients import Client
from portal.extensions import db
from tests.browser.browser_errors import BrowserErrors
from tests.browser.drafts import newest_draft, wait_until_draft_is_kept
from tests.browser.people import CLIENT_PAGE, Person, reloaded
from tests.support.cast import Cast
from tests.support.locks import until_a_lock_is_awaited

SAVING = "Saving…"
# Playwright cannot evaluate in a page during a navigation, so the page acts after a timeout.
AT_ONCE_WHEN_SENT = """() => document.querySelector("form.editor").addEventListener("submit", (event) =>
    setTimeout(() => event.defaultPrevented || window.stop(), 200))"""


def button(person: Person) -> Locator:
    return person.page.locator(".save-bar [type=submit]")


@contextmanager
def held(page: Page, pattern: str, method: str) -> Iterator[list[Route]]:
    """Hold requests of this kind until the block ends."""
    routes: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == method:
            routes.append(route)
        else:
            route.continue_()

    page.route(pattern, hold)
    yield routes
    page.unroute(pattern)


def test_save_that_is_stopped_lets_the_person_go_on_type_keep_and_save(
    amelia: Person, cast: Cast, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("Failed to load resource")
    amelia.open_editor(client)
    amelia.field("Phone").press_sequentially("5")
    amelia.page.evaluate(AT_ONCE_WHEN_SENT)
    with held(amelia.page, "**/edit", "POST"):
        amelia.field("Phone").press("Enter")
        expect(button(amelia)).to_have_text("Save changes")
    expect(amelia.field("Phone")).to_be_focused()
    assert reloaded(client).version == 1

    amelia.field("Town").press_sequentially("Wells")
    wait_until_draft_is_kept(amelia)
    assert newest_draft(cast.amelia, client) == {"phone": "501632 960001", "town": "Wells"}
    amelia.page.reload()
    amelia.open_editor(client)
    amelia.field("Town").fill("Bath")
    amelia.save()
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    assert reloaded(client).town == "Bath"


def test_form_rests_from_save_until_the_next_page_and_a_second_press_sends_nothing_more(
    amelia: Person, client: Client
) -> None:
    amelia.open_editor(client)
    amelia.field("Phone").fill("01632 963000")
    sent: list[str] = []
    amelia.page.on("request", lambda request: sent.append(request.method) if request.url.endswith("/edit") else None)
    with held(amelia.page, "**/edit_drafts/**", "PUT") as drafts:
        amelia.field("Phone").press("Enter")
        expect(button(amelia)).to_have_text(SAVING)
        expect(button(amelia)).to_be_focused()
        amelia.page.keyboard.type("lost?")
        expect(amelia.field("Phone")).to_have_value("01632 963000")
        expect(amelia.page.locator("form.editor .card").first).to_have_attribute("inert", "")
        for _ in range(2):
            button(amelia).press("Enter")
        for route in drafts:
            route.continue_()
        expect(amelia.page).to_have_url(CLIENT_PAGE)
    assert sent == ["POST"]
    assert reloaded(client).phone == "01632 963000"


def test_closing_the_tab_before_the_save_has_left_asks(
    amelia: Person, client: Client, browser_errors: BrowserErrors
) -> None:
    amelia.open_editor(client)
    amelia.field("Phone").press_sequentially("5")
    browser_errors.accepts_leaving = False
    with held(amelia.page, "**/edit_drafts/**", "PUT") as drafts:
        amelia.field("Phone").press("Enter")
        expect(button(amelia)).to_have_text(SAVING)
        amelia.page.close(run_before_unload=True)
        expect(button(amelia)).to_have_text(SAVING)
        assert browser_errors.leave_questions == 1
        for route in drafts:
            route.continue_()
        expect(amelia.page).to_have_url(CLIENT_PAGE)
    assert browser_errors.leave_questions == 1
    assert reloaded(client).phone == "501632 960001"


def test_closing_the_tab_while_the_save_is_under_way_asks_and_staying_lets_the_person_go_on(
    amelia: Person, client: Client, browser_errors: BrowserErrors
) -> None:
    amelia.open_editor(client)
    amelia.field("Phone").press_sequentially("5")
    browser_errors.accepts_leaving = False
    db.session.execute(select(Client.id).where(Client.id == client.id).with_for_update())  # the save waits for it
    amelia.field("Phone").press("Enter", no_wait_after=True)  # else it waits for the answer
    until_a_lock_is_awaited()  # at once: the save gives up after three seconds
    amelia.page.close(run_before_unload=True)

    expect(button(amelia)).to_have_text("Save changes")
    assert browser_errors.leave_questions == 1
    db.session.rollback()
    amelia.save()
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    assert reloaded(client).phone == "501632 960001"


def test_word_that_nothing_was_saved_goes_when_the_portal_is_back(
    amelia: Person, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("Failed to load resource")
    amelia.open_editor(client)
    amelia.field("Phone").fill("01632 963200")
    amelia.page.route("**/edit_drafts/**", lambda route: route.abort())
    amelia.field("Phone").press("Enter")
    not_saved = amelia.page.get_by_text("Not saved: the portal cannot be reached")
    expect(not_saved).to_be_visible()
    expect(amelia.field("Phone")).to_be_focused()
    expect(button(amelia)).to_have_text("Save changes")

    amelia.page.unroute("**/edit_drafts/**")
    expect(not_saved).to_be_hidden()
    wait_until_draft_is_kept(amelia)
