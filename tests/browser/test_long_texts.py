"""Test that no pasted text is cut: a text that is too long stays in the field and the draft, with its excess stated."""

import re

from playwright.sync_api import expect

from portal.clients import Client
from tests.browser.browser_errors import BrowserErrors
from tests.browser.drafts import newest_draft, wait_until_draft_is_kept
from tests.browser.people import CLIENT_PAGE, OpenBrowser, Person, reloaded
from tests.support.cast import Cast

# Few and long lines, because Chromium takes 7 ms of CPU for each line that it inserts.
MINUTES = "\n".join(f"Item {number}: {'discussed at length, ' * 25}" for number in range(1, 25)) + "\nDecided: sell."
TOO_MANY = f"Use at most 10,000 characters. This has {len(MINUTES):,}: {len(MINUTES) - 10_000:,} too many."


def test_text_longer_than_the_field_stays_whole_and_is_not_sent(amelia: Person, cast: Cast, client: Client) -> None:
    assert len(MINUTES) > 12_000
    amelia.open_editor(client)
    notes = amelia.field("Key information")
    notes.focus()
    amelia.page.keyboard.insert_text(MINUTES)
    expect(notes).to_have_value(MINUTES)
    expect(notes).to_have_accessible_description(re.compile(re.escape(TOO_MANY)))
    wait_until_draft_is_kept(amelia)
    assert (newest_draft(cast.amelia, client) or {})["notes"] == MINUTES

    amelia.save()
    expect(notes).to_be_focused()
    assert reloaded(client).version == 1

    notes.fill(MINUTES[-9_000:])
    expect(amelia.page.get_by_text("too many")).to_have_count(0)
    expect(notes).not_to_have_attribute("aria-invalid", "true")
    amelia.save()
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    assert reloaded(client).notes == MINUTES[-9_000:].strip()


def test_too_long_a_text_comes_back_whole_without_a_script(
    open_browser: OpenBrowser, cast: Cast, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 422")
    amelia = open_browser(cast.amelia, java_script_enabled=False)
    amelia.page.goto(f"/clients/{client.id}/edit")
    amelia.field("Key information").fill(MINUTES)
    amelia.page.get_by_role("button", name="Save changes").click()

    expect(amelia.page.get_by_role("alert")).to_contain_text(TOO_MANY)
    expect(amelia.field("Key information")).to_have_value(MINUTES)
    assert reloaded(client).notes == ""
