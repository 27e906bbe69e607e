"""Test Wait for Users: the banner, the queue, and the editor that opens when the page is free."""

import re

import pytest
from playwright.sync_api import Locator, expect

from portal.clients import Client
from tests.browser.browser_errors import BrowserErrors
from tests.browser.people import AT_ONCE_MS, CLIENT_PAGE, EDITOR, SET_HIDDEN, OpenBrowser, Person, reloaded
from tests.support.cast import Cast
from tests.support.edits import save_for
from tests.support.server import Portal


@pytest.fixture
def amelia_waits(amelia: Person, daniel: Person, client: Client) -> Person:
    """Let Amelia wait for Daniel to leave the editor."""
    daniel.open_editor(client)
    amelia.open(client)
    amelia.wait_for_others()
    return amelia


def heading(person: Person) -> Locator:
    return person.page.get_by_role("heading", level=1)


def ask_to_finish(person: Person) -> None:
    person.waiting.get_by_role("button", name="Ask to finish").click()


def test_editor_opens_on_fresh_data_for_each_who_waits_in_the_order_of_asking(
    amelia_waits: Person, daniel: Person, open_browser: OpenBrowser, cast: Cast, client: Client
) -> None:
    expect(amelia_waits.waiting).to_contain_text("Waiting for Daniel Okafor. You are next.")
    ada = open_browser(cast.ada)
    ada.open(client)
    ada.wait_for_others()
    expect(ada.waiting).to_contain_text("Waiting for Daniel Okafor and Amelia Hart. You are 2nd.")
    expect(ada.waiting.get_by_role("listitem")).to_have_text(["DODaniel: editing", "AHAmelia: waiting, 1st"])
    expect(amelia_waits.waiting).to_contain_text("Waiting for Daniel Okafor. You are next.")
    daniel.field("Phone").fill("01632 960777")
    expect(amelia_waits.waiting).to_contain_text("Daniel: editing Phone")
    daniel.save()
    expect(daniel.page).to_have_url(CLIENT_PAGE)
    # Daniel still views the page, so it is not free.
    expect(amelia_waits.waiting).to_contain_text("Daniel: viewing")

    daniel.leave()
    expect(amelia_waits.page).to_have_url(EDITOR)
    expect(amelia_waits.field("Phone")).to_have_value("01632 960777")
    expect(heading(amelia_waits)).to_be_focused()
    expect(amelia_waits.page.locator(".flash")).to_have_text("Your turn. Changed while you waited: Phone (Daniel)")
    expect(ada.waiting).to_contain_text("Amelia: editing")
    expect(ada.waiting).to_contain_text("Still in use – checked just now")

    amelia_waits.leave()
    expect(ada.page).to_have_url(EDITOR)


def test_banner_that_stays_in_sight_lets_a_user_proceed_anyway_or_stop_waiting(
    amelia_waits: Person, daniel: Person, client: Client
) -> None:
    """On a phone, and at 200 % zoom in a window of 1280 by 800 pixels."""
    amelia, banner = amelia_waits, amelia_waits.waiting
    expect(banner).to_contain_text("Still in use – checked just now")
    for width, height in ((380, 760), (640, 400)):
        amelia.page.set_viewport_size({"width": width, "height": height})
        amelia.page.evaluate("scrollTo(0, document.body.scrollHeight)")
        amelia.page.wait_for_function("scrollY > 500")
        expect(banner).to_be_in_viewport(ratio=1)
        for button in banner.get_by_role("button").all():
            expect(button).to_be_in_viewport(ratio=1)
    banner.get_by_role("button", name="Proceed Anyway").click()
    expect(amelia.page).to_have_url(EDITOR)

    amelia.open(client)
    amelia.wait_for_others()
    amelia.take_in()
    expect(banner).to_be_visible()
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    banner.get_by_role("button", name="Stop waiting").press("Enter")
    expect(banner).to_be_hidden()
    expect(amelia.page.get_by_role("link", name="Edit", exact=True)).to_be_focused()
    daniel.leave()
    amelia.forget_who_left()
    amelia.sees()
    expect(amelia.page).to_have_url(CLIENT_PAGE)


def test_titles_of_hidden_tabs_say_that_a_user_waits(amelia_waits: Person, daniel: Person) -> None:
    title, daniels_title = amelia_waits.page.title(), daniel.page.title()
    amelia_waits.hide_tab()
    expect(amelia_waits.page).to_have_title(f"Waiting – {title}")
    amelia_waits.show_tab()
    expect(amelia_waits.page).to_have_title(title)

    daniel.hide_tab()
    ask_to_finish(amelia_waits)
    expect(daniel.page).to_have_title(f"A user is waiting – {daniels_title}")
    amelia_waits.waiting.get_by_role("button", name="Stop waiting").click()
    expect(daniel.page).to_have_title(daniels_title)


def test_user_who_finishes_on_the_undo_page_leaves_it(
    amelia_waits: Person, daniel: Person, cast: Cast, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 409")
    save_for(cast.ada, client, phone="1")
    save_for(cast.ada, client, phone="2")
    daniel.page.goto(f"/clients/{client.id}/history")
    daniel.page.get_by_role("link", name="Undo change 2").click()
    daniel.page.get_by_role("button", name="Undo change 2").click()
    expect(daniel.page.get_by_role("main")).to_contain_text("Change 2 is not undone yet.")
    ask_to_finish(amelia_waits)

    daniel.nudged.get_by_role("button", name="Save and hand over").click()

    expect(daniel.page).not_to_have_url(re.compile("/revert"))
    expect(amelia_waits.page).to_have_url(EDITOR)


def test_request_to_finish_is_answered_and_the_focus_moves_on_until_the_page_is_handed_over(
    amelia_waits: Person, daniel: Person, client: Client
) -> None:
    daniel.field("Phone").fill("01632 960778")
    ask_to_finish(amelia_waits)
    expect(daniel.nudged).to_contain_text("Amelia is waiting to edit this client.")
    expect(amelia_waits.waiting).to_contain_text(re.compile(r"Asked \d:\d\d"))
    expect(amelia_waits.waiting.get_by_role("button", name="Ask to finish")).to_be_hidden()
    expect(amelia_waits.waiting.locator("[data-asked]")).to_be_focused()

    hand_over = daniel.nudged.get_by_role("button", name="Save and hand over")
    daniel.nudged.get_by_role("button", name="Finish soon").press("Enter")
    expect(hand_over).to_be_focused()
    expect(amelia_waits.waiting).to_contain_text(re.compile(r"Daniel: finishing soon \(\d\d:\d\d\)"))
    expect(daniel.nudged).to_contain_text("They know that you finish soon")

    hand_over.press("Enter")
    expect(daniel.page).to_have_url(CLIENT_PAGE)
    expect(daniel.page.locator(".flash")).to_be_focused()
    # Daniel still views the page but has said that he is done, so Amelia does not wait for him.
    expect(amelia_waits.page).to_have_url(EDITOR)
    expect(amelia_waits.field("Phone")).to_have_value("01632 960778")
    daniel.sees("Amelia is editing this client record")


def test_focus_is_on_the_heading_when_a_user_hands_over_without_a_change_and_when_a_viewer_is_done(
    amelia_waits: Person, daniel: Person, client: Client
) -> None:
    ask_to_finish(amelia_waits)
    daniel.nudged.get_by_role("button", name="Save and hand over").press("Enter")
    expect(daniel.page).to_have_url(CLIENT_PAGE)
    expect(heading(daniel)).to_be_focused()
    expect(amelia_waits.page).to_have_url(EDITOR)
    assert reloaded(client).version == 1

    amelia_waits.open(client)
    amelia_waits.wait_for_others()
    ask_to_finish(amelia_waits)
    daniel.nudged.get_by_role("button", name="Done").press("Enter")
    expect(daniel.nudged).to_be_hidden()
    expect(heading(daniel)).to_be_focused()


def test_waiting_on_the_unhurried_portal_is_updated_at_once_and_the_title_of_a_hidden_tab_announces_the_turn(
    open_browser: OpenBrowser, unhurried_portal: Portal, cast: Cast, client: Client
) -> None:
    """Heartbeats are 30 s apart here. A hidden tab that waits keeps its stream."""
    amelia, daniel = (open_browser(profile, at=unhurried_portal) for profile in (cast.amelia, cast.daniel))
    daniel.open_editor(client)
    amelia.open(client)
    amelia.wait_for_others()
    amelia.context.add_init_script(f"({SET_HIDDEN})(true)")  # of the next page, too
    amelia.hide_tab()
    title = amelia.page.title().removeprefix("Waiting – ")

    daniel.leave()

    expect(amelia.page).to_have_url(EDITOR, timeout=AT_ONCE_MS)
    expect(amelia.page).to_have_title(f"Your turn – Edit {title}")
    expect(amelia.page.locator(".flash")).to_have_text("Your turn.")
    amelia.show_tab()
    expect(amelia.page).to_have_title(f"Edit {title}")
    amelia.hide_tab()
    expect(amelia.page).to_have_title(f"Edit {title}")
