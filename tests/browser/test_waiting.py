"""Wait for Users: visible, patient, and in the editor the moment the page is free."""

import re

import pytest
from playwright.sync_api import expect

from portal.clients import Client
from tests.browser.people import Person


@pytest.fixture
def amelia_waits(amelia: Person, daniel: Person, client: Client) -> Person:
    """Amelia, who waits for Daniel to leave the editor."""
    daniel.open_editor(client)
    amelia.open(client)
    amelia.click_edit()
    amelia.modal.get_by_role("button", name="Wait for Users").click()
    expect(amelia.modal).to_be_hidden()
    return amelia


def test_the_editor_opens_by_itself_on_fresh_data_when_the_others_have_left(
    amelia_waits: Person, daniel: Person, client: Client
) -> None:
    expect(amelia_waits.waiting).to_contain_text("Waiting for Daniel Okafor, who is editing.")
    daniel.field("Phone").fill("01632 960777")
    expect(amelia_waits.waiting).to_contain_text("Waiting for Daniel Okafor, who is changing Phone.")
    daniel.save()
    expect(daniel.page).to_have_url(re.compile(r"/clients/\d+$"))
    # He still reads: that is not free yet.
    expect(amelia_waits.waiting).to_contain_text("Daniel Okafor, who is viewing this client record.")

    daniel.leave()
    amelia_waits.forget_who_left()
    expect(amelia_waits.page).to_have_url(re.compile(r"/edit$"))
    expect(amelia_waits.field("Phone")).to_have_value("01632 960777")


def test_while_they_stay_it_says_when_it_has_looked_and_goes_on(amelia_waits: Person, client: Client) -> None:
    expect(amelia_waits.waiting).to_contain_text("Still in use – checked just now")
    amelia_waits.take_in()
    expect(amelia_waits.waiting).to_be_visible()
    expect(amelia_waits.page).to_have_url(re.compile(rf"/clients/{client.id}$"))


def test_waiting_can_be_stopped(amelia_waits: Person, daniel: Person, client: Client) -> None:
    amelia_waits.waiting.get_by_role("button", name="Stop waiting").click()
    expect(amelia_waits.waiting).to_be_hidden()

    daniel.leave()
    amelia_waits.forget_who_left()
    amelia_waits.sees()
    expect(amelia_waits.page).to_have_url(re.compile(rf"/clients/{client.id}$"))


def test_a_hidden_tab_says_in_its_title_that_it_waits(amelia_waits: Person) -> None:
    title = amelia_waits.page.title()
    amelia_waits.hide_tab()
    expect(amelia_waits.page).to_have_title(f"Waiting – {title}")
    amelia_waits.show_tab()
    expect(amelia_waits.page).to_have_title(title)
