"""Test dates in forms: an incomplete or impossible date is rejected and kept, and every language shows dates alike."""

import re
from datetime import date

import pytest
from playwright.sync_api import Browser, Locator, expect

from portal.clients import Client
from tests.browser.browser_errors import BrowserErrors
from tests.browser.drafts import draft_offer, newest_draft
from tests.browser.people import CLIENT_PAGE, OpenBrowser, Person, reloaded
from tests.support.cast import Cast
from tests.support.edits import save_for
from tests.support.factories import make_client
from tests.support.volume import IS_FULL

LABEL = "Next review"


@pytest.fixture
def client(cast: Cast) -> Client:
    return make_client("Whitmore Family", adviser_id=cast.amelia.id, next_review_on=date(2026, 12, 8))


def hint(person: Person) -> Locator:
    return person.page.locator("#next_review_on-hint")


def test_invalid_date_is_counted_kept_as_typed_and_rejected_at_its_field(
    amelia: Person, cast: Cast, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 422")
    amelia.open_editor(client)
    for typed, problem in (("12/08", "Add the year"), ("30/02/2027", "30 February 2027 is not in the calendar")):
        with amelia.page.expect_response(lambda answer: answer.request.method == "PUT"):
            amelia.field(LABEL).fill(typed)
        expect(amelia.page.locator("[data-change-count]")).to_have_text("1 changed")
        assert newest_draft(cast.amelia, client) == {"next_review_on": typed}
        amelia.save()
        expect(amelia.page.get_by_role("alert")).to_contain_text("one field needs another look")
        expect(amelia.field(LABEL)).to_have_value(typed)
        expect(amelia.field(LABEL)).to_have_accessible_description(re.compile(problem))
    assert reloaded(client).next_review_on == date(2026, 12, 8)

    amelia.leave()
    amelia.open_editor(client)
    draft_offer(amelia).get_by_role("link", name="Restore").click()
    expect(amelia.field(LABEL)).to_have_value("30/02/2027")


@pytest.mark.parametrize("locale", ["en-US", "de-DE"] if IS_FULL else ["en-US"])
def test_day_reads_and_is_understood_the_same_in_a_browser_of_another_language(
    open_browser: OpenBrowser, browser: Browser, cast: Cast, client: Client, locale: str
) -> None:
    amelia = open_browser(cast.amelia, browser=browser, locale=locale)
    amelia.open_editor(client)
    expect(amelia.field(LABEL)).to_have_value("8 December 2026")
    amelia.field(LABEL).fill("9/12/2026")
    expect(hint(amelia)).to_have_text("Wednesday 9 December 2026")
    amelia.save()

    expect(amelia.page).to_have_url(CLIENT_PAGE)
    assert reloaded(client).next_review_on == date(2026, 12, 9)
    amelia.context.close()


def test_typed_date_is_shown_with_its_weekday_or_as_invalid_and_a_day_of_the_calendar_is_written_into_the_field(
    amelia: Person, client: Client
) -> None:
    amelia.open_editor(client)
    field = amelia.field(LABEL)
    field.focus()
    expect(hint(amelia)).to_have_text("Day first, such as 31/12/2026")
    button = amelia.page.get_by_role("button", name="Choose Next review from a calendar")
    button.click()
    picker = amelia.page.locator(".day", has=button).locator("[type=date]")
    expect(picker).to_have_value("2026-12-08")
    amelia.page.keyboard.press("Escape")
    field.fill("1 sep 2027")
    expect(hint(amelia)).to_have_text("Wednesday 1 September 2027")
    field.fill("1/9")
    expect(hint(amelia)).to_have_text("Day first, such as 31/12/2026")
    field.press("Tab")
    expect(hint(amelia)).to_have_text("Not a date. Day first, such as 31/12/2026")

    field.focus()
    button.click()
    picker.fill("2027-01-31")  # as the browser's own calendar does
    amelia.page.keyboard.press("Escape")
    expect(field).to_have_value("31 January 2027")
    expect(amelia.page.locator("[data-change-count]")).to_have_text("1 changed")
    amelia.save()
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    assert reloaded(client).next_review_on == date(2027, 1, 31)


def test_day_saved_by_a_colleague_arrives_in_words_and_the_same_day_asks_nothing(
    amelia: Person, cast: Cast, client: Client
) -> None:
    amelia.open_editor(client)
    save_for(cast.daniel, client, next_review_on=date(2027, 3, 1))
    expect(amelia.field(LABEL)).to_have_value("1 March 2027")

    amelia.field(LABEL).fill("2/3/2027")
    save_for(cast.daniel, client, next_review_on=date(2027, 3, 2))
    expect(amelia.page.get_by_text("Daniel, just now")).to_be_visible()
    expect(amelia.page.locator(".choice")).to_have_count(0)


def test_conflict_about_a_day_shows_it_in_words_and_takes_a_typed_one(
    amelia: Person, cast: Cast, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 409", "status of 422")
    amelia.miss_saves()
    amelia.open_editor(client)
    amelia.field(LABEL).fill("2/3/2027")
    save_for(cast.daniel, client, next_review_on=date(2027, 3, 1))
    amelia.save()
    question = amelia.page.get_by_role("group", name=LABEL)
    third = question.get_by_label(f"{LABEL}: something else")
    expect(third).to_have_value("2 March 2027")
    third.fill("3/3")
    expect(question.get_by_role("radio", name="Something else")).to_be_checked()
    amelia.save()
    expect(question).to_contain_text("Add the year")
    expect(third).to_have_value("3/3")
    third.fill("3/3/2027")
    amelia.save()

    expect(amelia.page).to_have_url(CLIENT_PAGE)
    assert reloaded(client).next_review_on == date(2027, 3, 3)
