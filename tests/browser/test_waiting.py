"""Test Wait for Users: the banner, the queue, and the editor that opens when the page is free."""

import re

import pytest
from playwright.sync_api import expect

from portal.clients import Client
from portal.extensions import db
from tests.browser.browser_errors import BrowserErrors
from tests.browser.people import AT_ONCE_MS, EDITOR, SET_HIDDEN, OpenBrowser, Person
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


def test_editor_opens_by_itself_on_fresh_data_when_the_others_have_left(
    amelia_waits: Person, daniel: Person, client: Client
) -> None:
    expect(amelia_waits.waiting).to_contain_text("Waiting for Daniel Okafor. You are next.")
    daniel.field("Phone").fill("01632 960777")
    expect(amelia_waits.waiting).to_contain_text("Daniel: editing Phone")
    daniel.save()
    expect(daniel.page).to_have_url(re.compile(r"/clients/\d+$"))
    # Daniel still views the page, so it is not free.
    expect(amelia_waits.waiting).to_contain_text("Daniel: viewing")

    daniel.leave()
    expect(amelia_waits.page).to_have_url(EDITOR)
    expect(amelia_waits.field("Phone")).to_have_value("01632 960777")
    expect(amelia_waits.page.get_by_role("heading", level=1)).to_be_focused()
    expect(amelia_waits.page.locator(".flash")).to_have_text("Your turn. Changed while you waited: Phone (Daniel)")


def test_waiting_banner_shows_the_time_of_the_last_check_and_the_title_of_a_hidden_tab_the_wait(
    amelia_waits: Person, client: Client
) -> None:
    expect(amelia_waits.waiting).to_contain_text("Still in use – checked just now")
    amelia_waits.take_in()
    expect(amelia_waits.waiting).to_be_visible()
    expect(amelia_waits.page).to_have_url(re.compile(rf"/clients/{client.id}$"))

    title = amelia_waits.page.title()
    amelia_waits.hide_tab()
    expect(amelia_waits.page).to_have_title(f"Waiting – {title}")
    amelia_waits.show_tab()
    expect(amelia_waits.page).to_have_title(title)


def test_waiting_can_be_stopped(amelia_waits: Person, daniel: Person, client: Client) -> None:
    amelia_waits.waiting.get_by_role("button", name="Stop waiting").click()
    expect(amelia_waits.waiting).to_be_hidden()

    daniel.leave()
    amelia_waits.forget_who_left()
    amelia_waits.sees()
    expect(amelia_waits.page).to_have_url(re.compile(rf"/clients/{client.id}$"))


def test_title_of_a_hidden_tab_asks_to_finish_while_a_user_waits(amelia_waits: Person, daniel: Person) -> None:
    title = daniel.page.title()
    daniel.hide_tab()
    amelia_waits.waiting.get_by_role("button", name="Ask to finish").click()
    expect(daniel.page).to_have_title(f"A user is waiting – {title}")

    amelia_waits.waiting.get_by_role("button", name="Stop waiting").click()
    expect(daniel.page).to_have_title(title)


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
    amelia_waits.waiting.get_by_role("button", name="Ask to finish").click()

    daniel.nudged.get_by_role("button", name="Save and hand over").click()

    expect(daniel.page).not_to_have_url(re.compile("/revert"))
    expect(amelia_waits.page).to_have_url(EDITOR)


def test_two_who_wait_are_served_in_the_order_of_asking(
    amelia_waits: Person, daniel: Person, open_browser: OpenBrowser, cast: Cast, client: Client
) -> None:
    ada = open_browser(cast.ada)
    ada.open(client)
    ada.wait_for_others()
    expect(ada.waiting).to_contain_text("Waiting for Daniel Okafor and Amelia Hart. You are 2nd.")
    expect(ada.waiting.get_by_role("listitem")).to_have_text(["DODaniel: editing", "AHAmelia: waiting, 1st"])
    expect(amelia_waits.waiting).to_contain_text("Waiting for Daniel Okafor. You are next.")

    daniel.leave()
    expect(amelia_waits.page).to_have_url(EDITOR)
    expect(ada.waiting).to_contain_text("Amelia: editing")
    expect(ada.waiting).to_contain_text("Still in use – checked just now")

    amelia_waits.leave()
    expect(ada.page).to_have_url(EDITOR)


def test_asking_to_finish_is_answered_and_done_opens_the_way(
    amelia_waits: Person, daniel: Person, client: Client
) -> None:
    daniel.field("Phone").fill("01632 960778")
    ask = amelia_waits.waiting.get_by_role("button", name="Ask to finish")
    ask.click()
    expect(daniel.nudged).to_contain_text("Amelia is waiting to edit this client.")
    expect(amelia_waits.waiting).to_contain_text(re.compile(r"Asked \d:\d\d"))
    expect(ask).to_be_hidden()
    expect(amelia_waits.waiting.locator("[data-asked]")).to_be_focused()

    daniel.nudged.get_by_role("button", name="Finish soon").click()
    expect(amelia_waits.waiting).to_contain_text(re.compile(r"Daniel: finishing soon \(\d\d:\d\d\)"))
    expect(daniel.nudged).to_contain_text("They know that you finish soon")

    daniel.nudged.get_by_role("button", name="Save and hand over").click()
    expect(daniel.page).to_have_url(re.compile(rf"/clients/{client.id}$"))
    # Daniel still views the page but has said that he is done, so Amelia does not wait for him.
    expect(amelia_waits.page).to_have_url(EDITOR)
    expect(amelia_waits.field("Phone")).to_have_value("01632 960778")
    daniel.sees("Amelia is editing this client record")


def test_user_who_waits_can_proceed_anyway_from_the_banner_that_stays_in_sight(
    amelia_waits: Person, client: Client
) -> None:
    """On a phone, and at 200 % zoom in a window of 1280 by 800 pixels."""
    for width, height in ((380, 760), (640, 400)):
        amelia_waits.page.set_viewport_size({"width": width, "height": height})
        amelia_waits.page.evaluate("scrollTo(0, document.body.scrollHeight)")
        amelia_waits.page.wait_for_function("scrollY > 500")
        expect(amelia_waits.waiting).to_be_in_viewport(ratio=1)
        for button in amelia_waits.waiting.get_by_role("button").all():
            expect(button).to_be_in_viewport(ratio=1)

    amelia_waits.waiting.get_by_role("button", name="Proceed Anyway").click()

    expect(amelia_waits.page).to_have_url(EDITOR)


def test_user_who_finishes_without_a_change_leaves_the_editor(
    amelia_waits: Person, daniel: Person, client: Client
) -> None:
    amelia_waits.waiting.get_by_role("button", name="Ask to finish").click()
    daniel.nudged.get_by_role("button", name="Save and hand over").click()

    expect(daniel.page).to_have_url(re.compile(rf"/clients/{client.id}$"))
    expect(amelia_waits.page).to_have_url(EDITOR)
    db.session.rollback()
    assert client.version == 1


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
