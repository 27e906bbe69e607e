"""Open an editor by its address while other users are on the page: it asks first, and asks once."""

import re

from playwright.sync_api import expect

from portal.clients import Client
from tests.browser.drafts import wait_until_draft_is_kept
from tests.browser.people import EDITOR, OpenBrowser, Person
from tests.support.cast import Cast
from tests.support.factories import make_person


def test_user_who_waits_is_led_to_the_client_page_and_waits_there(
    amelia: Person, daniel: Person, open_browser: OpenBrowser, cast: Cast, client: Client
) -> None:
    rhys = open_browser(cast.rhys)
    rhys.open(client)
    amelia.open_path(f"/clients/{client.id}/edit")
    expect(amelia.modal).to_have_count(0)
    amelia.leave()

    daniel.open_editor(client)
    amelia.open_path(f"/clients/{client.id}/edit")
    expect(amelia.modal.locator("[data-name]")).to_have_text(["Daniel Okafor"])
    rhys.is_told(client, {"Rhys": "viewing", "Daniel": "editing", "Amelia": "viewing"})  # while she has not answered
    amelia.modal.get_by_role("button", name="Wait for Users").click()

    expect(amelia.page).to_have_url(re.compile(rf"/clients/{client.id}$"))
    expect(amelia.waiting).to_contain_text("Waiting for Daniel Okafor. You are next.")
    daniel.leave()
    expect(amelia.page).to_have_url(EDITOR)
    expect(amelia.modal).to_have_count(0)
    expect(amelia.page.locator(".flash")).to_have_text("Your turn.")
    rhys.is_told(client, {"Rhys": "viewing", "Amelia": "editing"})

    daniel.open(client)
    amelia.reload()
    expect(amelia.modal).to_be_hidden()
    daniel.sees("Amelia is editing this client record · Rhys is viewing")


def test_user_who_proceeds_edits_at_once_and_is_not_asked_again(amelia: Person, daniel: Person, client: Client) -> None:
    person = make_person(client)
    daniel.open(client)
    amelia.open_path(f"/clients/{client.id}/person/{person.id}/edit")
    amelia.modal.get_by_role("button", name="Proceed Anyway").click()

    expect(amelia.modal).to_be_hidden()
    expect(amelia.field("Title")).to_be_focused()
    daniel.sees("Amelia is editing Ruth Whitmore: Title")
    expect(amelia.page).to_have_url(EDITOR)
    amelia.reload()
    expect(amelia.modal).to_be_hidden()
    amelia.field("Known as").fill("Ruthie")
    wait_until_draft_is_kept(amelia)

    amelia.leave()
    amelia.page.go_back()
    amelia.page.get_by_role("link", name="Restore").click()
    expect(amelia.page.get_by_text("Your unsaved changes are back")).to_be_visible()
    expect(amelia.modal).to_be_hidden()

    amelia.save()
    expect(amelia.page.get_by_role("main")).to_contain_text("Proceeded although others were there")
    amelia.open_path(f"/clients/{client.id}/person/{person.id}/edit?proceeded=1")
    expect(amelia.modal).to_be_visible()  # a bookmark of the address answers nothing


def test_user_who_closes_the_dialog_edits_nothing_and_others_who_leave_meanwhile_leave_the_editor_to_the_user(
    amelia: Person, daniel: Person, client: Client
) -> None:
    daniel.open(client)
    amelia.open_path(f"/clients/{client.id}/edit")
    amelia.reload()
    expect(amelia.modal.get_by_role("button", name="Wait for Users")).to_be_focused()
    amelia.page.keyboard.press("Escape")
    expect(amelia.page).to_have_url(re.compile(rf"/clients/{client.id}$"))
    expect(amelia.waiting).to_be_hidden()
    daniel.sees("Amelia is also viewing this client record")

    amelia.open_path(f"/clients/{client.id}/edit")
    expect(amelia.modal).to_be_visible()
    daniel.leave()
    amelia.forget_who_left()
    amelia.modal.get_by_role("button", name="Edit now").click()
    expect(amelia.field("Name")).to_be_focused()
    expect(amelia.page).to_have_url(EDITOR)
