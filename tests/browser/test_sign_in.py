"""Signing in and out, and what an open page does when its sign-in session ends elsewhere."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from portal.auth import Profile, operations
from portal.clients import Client
from portal.extensions import db
from tests.browser.people import Person, SitDown
from tests.browser.trouble import Trouble
from tests.cast import PASSWORD, Cast, make_profile

SIGNED_OUT = "status of 401"


@pytest.fixture
def vera(app: object, request: pytest.FixtureRequest) -> Profile:
    """Somebody of this test alone, whose sign-in sessions may be ended without missing them later."""
    return make_profile("Vera", f"Quinn {abs(hash(request.node.name))}")


def test_a_wrong_password_is_told_and_the_right_one_opens_the_page_that_was_wanted(
    sit_down: SitDown, cast: Cast, client: Client, trouble: Trouble
) -> None:
    trouble.expect(SIGNED_OUT)
    somebody = sit_down(None)
    somebody.page.goto(f"/clients/{client.id}")
    fill_in(somebody.page, cast.amelia.email, "not the password")
    expect(somebody.page.get_by_role("alert")).to_contain_text("do not belong together")
    expect(somebody.field("Email")).to_have_value(cast.amelia.email)

    fill_in(somebody.page, cast.amelia.email)
    expect(somebody.page).to_have_url(re.compile(rf"/clients/{client.id}$"))


def test_what_was_typed_is_not_sent_while_signed_out_and_saved_after_signing_in_again_in_a_new_tab(
    sit_down: SitDown, vera: Profile, client: Client, trouble: Trouble
) -> None:
    trouble.expect(SIGNED_OUT)
    person = sit_down(vera)
    person.open_editor(client)
    person.field("Phone").fill("01632 960600")
    end_sessions(vera)

    expect(person.signed_out).to_contain_text("Nothing you typed is lost.")
    person.signed_out.get_by_role("button", name="Not now").click()
    person.save()
    expect(person.signed_out).to_be_visible()
    expect(person.field("Phone")).to_have_value("01632 960600")
    sign_in_again(person, vera)
    expect(person.signed_out).to_be_hidden()
    expect(person.field("Phone")).to_have_value("01632 960600")
    person.take_in()
    person.save()
    expect(person.page).to_have_url(re.compile(r"/clients/\d+$"))
    db.session.rollback()
    assert (client.phone, client.updated_by) == ("01632 960600", vera.id)


def test_signing_out_in_one_tab_is_noticed_in_the_other(
    sit_down: SitDown, vera: Profile, client: Client, trouble: Trouble
) -> None:
    trouble.expect(SIGNED_OUT)
    person = sit_down(vera)
    person.open(client)
    second = person.another_tab()
    second.page.goto("/clients")
    second.page.get_by_role("button", name="Sign out").click()

    expect(person.signed_out).to_be_visible()
    person.signed_out.get_by_role("button", name="Not now").click()
    expect(person.page.get_by_text("You are signed out.")).to_be_visible()
    person.page.get_by_role("button", name="Sign in again").click()
    expect(person.signed_out).to_be_visible()


def test_another_person_who_signs_in_there_is_noticed(
    sit_down: SitDown, cast: Cast, vera: Profile, client: Client, trouble: Trouble
) -> None:
    trouble.expect(SIGNED_OUT)
    person = sit_down(vera)
    person.open(client)
    end_sessions(vera)
    expect(person.signed_out).to_be_visible()
    sign_in_again(person, cast.daniel, come_back=Person.focus_window)

    expect(person.signed_out).to_contain_text("Daniel Okafor is signed in now, but this page was opened by Vera Quinn")
    person.signed_out.get_by_role("button", name="Reload").click()
    expect(person.page.locator(".me .name")).to_have_text("Daniel Okafor")


def sign_in_again(person: Person, profile: Profile, come_back: Callable[[Person], None] = Person.show_tab) -> None:
    """Follow the dialog to its new tab, sign in there, close it and come back."""
    with person.context.expect_page() as opened:
        person.signed_out.get_by_role("link", name="Sign in again").click()
    fill_in(opened.value, profile.email)
    expect(opened.value.get_by_role("heading", level=1)).to_have_text("You are signed in again")
    opened.value.close()
    come_back(person)


def fill_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def end_sessions(profile: Profile) -> None:
    """As `flask users sign-out-everywhere` does."""
    operations.end_sessions(profile)
    db.session.commit()
