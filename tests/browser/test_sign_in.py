"""Test signing in and out, and open pages whose sign-in session ends elsewhere."""

import re

from flask import Flask
from playwright.sync_api import Route, expect

from portal.auth import Profile, profiles
from portal.clients import Client
from portal.extensions import db
from tests.browser.browser_errors import BrowserErrors
from tests.browser.conftest import signed_in
from tests.browser.people import OpenBrowser, Person, is_beat, sign_in_again, submit_credentials
from tests.support.cast import Cast

SIGNED_OUT = "status of 401"


def test_wrong_password_shows_an_error_and_the_right_one_opens_the_requested_page(
    open_browser: OpenBrowser, cast: Cast, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect(SIGNED_OUT)
    anonymous = open_browser(None)
    anonymous.page.goto(f"/clients/{client.id}")
    submit_credentials(anonymous.page, cast.amelia.email, "not the password")
    expect(anonymous.page.get_by_role("alert")).to_contain_text("Incorrect email or password")
    expect(anonymous.field("Email")).to_have_value(cast.amelia.email)

    submit_credentials(anonymous.page, cast.amelia.email)
    expect(anonymous.page).to_have_url(re.compile(rf"/clients/{client.id}$"))


def test_typed_values_are_not_sent_while_signed_out_and_saved_after_signing_in_again_in_a_new_tab(
    open_browser: OpenBrowser, vera: Profile, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect(SIGNED_OUT)
    person = open_browser(vera)
    person.open_editor(client)
    person.field("Phone").fill("01632 960600")
    end_sessions(vera)

    expect(person.signed_out).to_contain_text("What you typed is kept: it is back when you have signed in again.")
    is_hidden(person, client)
    sign_in_again(person, vera)
    expect(person.signed_out).to_be_hidden()
    expect(person.page).to_have_title(re.compile("^Edit Whitmore Family"))
    expect(person.field("Phone")).to_have_value("01632 960600")
    person.take_in()
    person.save()
    expect(person.page).to_have_url(re.compile(r"/clients/\d+$"))
    db.session.rollback()
    assert (client.phone, client.updated_by) == ("01632 960600", vera.id)


def test_sign_out_in_one_tab_and_sign_in_of_another_user_are_noticed_in_the_other(
    open_browser: OpenBrowser, cast: Cast, vera: Profile, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect(SIGNED_OUT)
    person = open_browser(vera)
    person.open(client)
    second = person.another_tab()
    second.page.goto("/clients")
    second.page.get_by_role("button", name="Sign out").click()
    expect(person.signed_out).to_be_visible()
    expect(person.signed_out).not_to_contain_text("typed")
    is_hidden(person, client)

    sign_in_again(person, cast.daniel, come_back=Person.focus_window)
    expect(person.signed_out).to_contain_text("Daniel Okafor is signed in now, but this page was opened by Vera Quinn")
    is_hidden(person, client)
    person.signed_out.get_by_role("link", name="Leave this page").click()
    expect(person.page.locator(".user-menu .name")).to_have_text("Daniel Okafor")


def test_form_of_a_signed_out_user_is_not_sent(
    open_browser: OpenBrowser,
    browsers_app: Flask,
    cast: Cast,
    vera: Profile,
    client: Client,
    browser_errors: BrowserErrors,
) -> None:
    """The submit precedes the heartbeat that would report that another user has signed in, and that fails later."""
    browser_errors.expect(SIGNED_OUT, "status of 403", "Failed to load resource")
    person = open_browser(vera)
    person.open_editor(client)
    beats: list[Route] = []
    person.page.route("**/user_page_presence", lambda route: beats.append(route))  # noqa: PLW0108 – Playwright takes no builtin
    with person.page.expect_request(is_beat):
        pass
    person.field("Phone").fill("01632 960600")
    person.context.add_cookies(signed_in(browsers_app, cast.daniel)["cookies"])
    person.save()

    expect(person.signed_out).to_contain_text("Daniel Okafor is signed in now, but this page was opened by Vera Quinn")
    expect(person.signed_out).to_contain_text("What Vera typed is kept as a draft.")
    for route in beats:
        route.abort()
    is_hidden(person, client)
    person.context.add_cookies(signed_in(browsers_app, vera)["cookies"])
    person.focus_window()
    expect(person.field("Phone")).to_have_value("01632 960600")
    person.save()
    expect(person.page).to_have_url(re.compile(r"/clients/\d+$"))
    db.session.rollback()
    assert (client.phone, client.updated_by) == ("01632 960600", vera.id)


def is_hidden(person: Person, client: Client) -> None:
    """Check that the page shows nothing of the record, also after Escape."""
    person.page.keyboard.press("Escape")
    expect(person.signed_out).to_be_visible()
    expect(person.page.locator("main")).not_to_contain_text(client.name, use_inner_text=True)
    expect(person.page).to_have_title("Signed out · Kingston’s Portal")


def end_sessions(profile: Profile) -> None:
    """End all sessions of the profile, as `flask users sign-out-everywhere` does."""
    profiles.end_sessions(profile)
    db.session.commit()
