"""Test that the page asks shortly before a sign-in session ends, and does not ask an active user."""

import re

from playwright.sync_api import Request, Response, expect

from portal.auth import profiles
from portal.extensions import db
from tests.browser.browser_errors import BrowserErrors
from tests.browser.people import OpenBrowser
from tests.support.cast import Cast, make_profile


def is_prolonging(request: Request) -> bool:
    return request.method == "POST" and request.url.endswith("/session")


def is_prolonged(response: Response) -> bool:
    return is_prolonging(response.request) and response.ok


def test_typing_user_is_not_asked_and_idle_user_stays_by_a_button(
    open_browser: OpenBrowser, cast: Cast, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("Failed to load resource")
    person = open_browser(cast.amelia)
    page, asked = person.page, person.page.get_by_role("alertdialog", name="Are you still there?")
    page.clock.install()
    page.goto("/clients")
    with page.expect_response(re.compile("session/timer.js$")) as script:
        page.clock.fast_forward("06:00")
    page.evaluate("(url) => import(url).then(() => true)", script.value.url)  # the script has run, not only loaded
    with page.expect_response(is_prolonged):
        page.keyboard.press("Shift")
    page.wait_for_function(
        "() => new Promise((soon) => fetch('/healthz').then(() => soon(true)))"
    )  # the page has read it

    page.route("**/session", lambda route: route.continue_() if is_prolonging(route.request) else route.abort())
    page.clock.fast_forward("27:59")
    expect(asked).to_be_hidden()
    page.clock.fast_forward("00:02")
    expect(asked).to_be_visible()
    expect(asked.locator("[data-countdown]")).to_have_text("1:59")
    stay = page.get_by_role("button", name="Stay signed in")
    expect(stay).to_be_focused()
    page.clock.fast_forward("00:59")
    expect(asked.get_by_role("status")).to_have_text(re.compile(r"^(60|5\d) seconds left$"))
    with page.expect_response(is_prolonged):
        stay.click()
    expect(asked).to_be_hidden()


def test_ended_session_shows_a_dialog_that_leads_to_the_sign_in_page(
    open_browser: OpenBrowser, cast: Cast, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 401")
    vera = make_profile("Vera", "Timer")
    page = open_browser(vera).page
    page.clock.install()
    page.goto("/account")
    profiles.end_sessions(vera)
    db.session.commit()
    page.clock.fast_forward("30:01")

    ended = page.get_by_role("alertdialog", name="You are signed out")
    expect(ended).to_be_visible()
    ended.get_by_role("link", name="Sign in").click()
    expect(page).to_have_url(re.compile(r"/sign-in\?next=/account$"))
