"""Test that text from users is data: markup in a name is shown as typed, and never runs.

The fixture `browser_errors` fails these tests if a dialog opens or the content security policy blocks something.
"""

import re

import pytest
from playwright.sync_api import expect

from portal.auth import Profile
from portal.clients import Client
from tests.browser.people import OpenBrowser, Person
from tests.support.cast import make_profile
from tests.support.factories import make_client

MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture
def client(app: object) -> Client:
    return make_client(f"{MARKUP} & Söhne", notes=f"</p>{MARKUP}", town=f'"{MARKUP}')


@pytest.fixture
def mallory(app: object, request: pytest.FixtureRequest) -> Profile:
    profile = make_profile("Mallory", request.node.name)
    profile.first_name, profile.last_name = MARKUP, "{{ 7 * 7 }}"
    return profile


def test_names_of_a_viewer_and_a_client_that_look_like_markup_are_shown_as_text_everywhere(
    amelia: Person, open_browser: OpenBrowser, mallory: Profile, client: Client
) -> None:
    amelia.open(client)
    expect(amelia.page.get_by_role("heading", level=1)).to_contain_text(client.name)
    expect(amelia.page).to_have_title(re.compile(re.escape(client.name)))
    expect(amelia.page.get_by_role("main")).to_contain_text(client.notes)
    viewer = open_browser(mallory)
    viewer.open(client)
    expect(viewer.page.locator(".user-menu .name")).to_have_text(mallory.full_name)

    expect(amelia.toasts).to_contain_text([f"{mallory.full_name} joined this page"])
    amelia.sees(f"{MARKUP} is also viewing this client record")
    expect(amelia.avatars).to_have_attribute("title", f"{mallory.full_name} – Active now")
    amelia.click_edit()
    expect(amelia.modal.locator("[data-name]")).to_have_text(mallory.full_name)
    amelia.modal.get_by_role("button", name="Wait for Users").click()
    expect(amelia.waiting).to_contain_text(f"Waiting for {mallory.full_name}")
    expect(amelia.page.locator("img")).to_have_count(0)
