"""Test the history page: a long text is compared when the user unfolds it, and stays unfolded."""

import re

import pytest
from playwright.sync_api import Locator, expect

from portal.clients import Client
from tests.browser.browser_errors import BrowserErrors
from tests.browser.people import Person
from tests.support.cast import Cast
from tests.support.edits import save_for

LONG = "\n".join(f"Rang on day {n} about the pension, who is to have it and from when." for n in range(40))


@pytest.fixture
def folded(amelia: Person, client: Client, cast: Cast) -> Locator:
    """Open Amelia's history with a change by Daniel to a long text."""
    for notes in (LONG, LONG.replace("day 20", "day twenty")):
        save_for(cast.daniel, client, notes=notes)
    amelia.page.goto(f"/clients/{client.id}/history")
    amelia.sees()
    return amelia.page.locator("[data-unfold]")


def test_long_text_is_compared_when_it_is_unfolded_and_stays_open_when_another_user_saves(
    amelia: Person, folded: Locator, client: Client, cast: Cast
) -> None:
    expect(folded.locator("ins")).to_have_count(0)
    summary = folded.get_by_text("Show what was changed")
    expect(summary).to_contain_text(re.compile(r"2,\d{3} characters before, 2,\d{3} after"))
    summary.press("Enter")
    expect(folded.locator("ins")).to_have_text("twenty")
    expect(folded.locator("del")).to_have_text("20")

    save_for(cast.daniel, client, phone="01632 960999")
    expect(amelia.page.get_by_text("01632 960999")).to_be_visible()
    expect(folded.locator("ins")).to_be_visible()


def test_long_text_is_compared_before_the_module_is_there_and_has_a_link_without_the_portal(
    amelia: Person, folded: Locator, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 503")
    held = amelia.hold("**/clients/unfold-diff.js")
    with amelia.page.expect_request("**/clients/unfold-diff.js"):
        amelia.page.reload(wait_until="commit")
    folded.locator("summary").click()
    held.pop().continue_()
    expect(folded.locator("ins")).to_have_text("twenty")

    amelia.page.route("**/history?version=*", lambda route: route.fulfill(status=503, body="away"))
    amelia.page.reload()
    folded.locator("summary").click()
    expect(folded.get_by_role("link", name="Show this change alone")).to_be_visible()
