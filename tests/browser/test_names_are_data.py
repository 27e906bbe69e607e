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


def test_client_name_that_looks_like_markup_is_shown_as_text_everywhere(amelia: Person, client: Client) -> None:
    amelia.page.goto("/clients")
    amelia.field("Search").fill(f'"{MARKUP}zzz')
    amelia.page.keyboard.press("Enter")
    expect(amelia.page.get_by_role("main")).to_contain_text(f'"{MARKUP}zzz')
    expect(amelia.field("Search")).to_have_value(f'"{MARKUP}zzz')
    expect(amelia.page.locator("img")).to_have_count(0)

    amelia.page.goto(f"/clients?q={client.client_ref}")
    amelia.page.get_by_role("link", name=client.name).click()
    expect(amelia.page.get_by_role("heading", level=1)).to_contain_text(client.name)
    expect(amelia.page).to_have_title(re.compile(re.escape(client.name)))
    expect(amelia.page.get_by_role("main")).to_contain_text(client.notes)

    amelia.open_editor(client)
    expect(amelia.field("Name")).to_have_value(client.name)
    expect(amelia.field("Town")).to_have_value(client.town)
    expect(amelia.page.locator("img")).to_have_count(0)


def test_viewer_name_that_looks_like_markup_is_shown_as_text_everywhere(
    amelia: Person, open_browser: OpenBrowser, mallory: Profile, client: Client
) -> None:
    amelia.open(client)
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
