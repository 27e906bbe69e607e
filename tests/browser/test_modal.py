"""Test the dialog that Edit opens when other users are on the page, and its buttons."""

import re

from playwright.sync_api import expect

from portal.clients import Client
from portal.extensions import db
from tests.browser.people import EDITOR, OpenBrowser, Person
from tests.support.cast import Cast, make_profile


def test_alone_one_goes_straight_to_the_editor(amelia: Person, client: Client) -> None:
    amelia.open(client)
    amelia.click_edit()
    expect(amelia.page).to_have_url(EDITOR)


def test_modal_lists_the_other_users_and_their_activity(
    amelia: Person, daniel: Person, open_browser: OpenBrowser, cast: Cast, client: Client
) -> None:
    priya, ada = open_browser(make_profile("Priya", "Raman")), open_browser(cast.ada)
    priya.open(client)
    ada.open(client)
    ada.hide_tab()
    daniel.open_editor(client)
    daniel.field("Phone").fill("01632 960002")
    amelia.open(client)
    expect(amelia.avatars).to_have_count(3)
    expect(amelia.avatars.first).to_have_attribute("title", "Daniel Okafor – Editing")

    amelia.click_edit()
    expect(amelia.modal).to_contain_text("The following users are currently viewing or editing this client record:")
    listed = amelia.modal.get_by_role("listitem")
    expect(listed.locator("[data-name]")).to_have_text(["Daniel Okafor", "Priya Raman", "Ada Byron"])
    expect(listed.locator("[data-doing]")).to_have_text(["Editing Phone", "Viewing", "Away"])
    expect(listed.locator("[data-seen]")).to_have_text(["Last seen: less than a minute ago"] * 3)
    expect(amelia.modal).to_contain_text(
        "⚠️ Making changes while others are editing may cause data conflicts. "
        "Consider coordinating with your team before proceeding."
    )


def test_compliance_reads_a_restricted_client_without_edit_and_holds_no_user_up(
    amelia: Person, open_browser: OpenBrowser, client: Client
) -> None:
    client.is_restricted = True
    db.session.commit()
    carys = open_browser(make_profile("Carys", "Lloyd", "compliance"))
    carys.open(client)
    amelia.open(client)
    amelia.sees("Carys is also viewing this client record")

    amelia.click_edit()

    expect(amelia.page).to_have_url(EDITOR)
    carys.sees("Amelia is editing this client record")
    expect(carys.page.get_by_role("link", name="Edit")).to_have_count(0)
    carys.page.get_by_role("link", name="Who has read this client").click()
    expect(carys.page.get_by_role("row").filter(has_text="Amelia Hart")).to_be_visible()


def test_reader_neither_opens_the_dialog_nor_is_listed_nor_keeps_a_user_waiting(
    amelia: Person, daniel: Person, open_browser: OpenBrowser, cast: Cast, client: Client
) -> None:
    rhys = open_browser(cast.rhys)
    rhys.open(client)
    amelia.open(client)
    amelia.sees("Rhys is also viewing this client record")
    amelia.click_edit()
    expect(amelia.page).to_have_url(EDITOR)

    daniel.open_editor(client)
    amelia.open(client)
    amelia.click_edit()
    expect(amelia.modal.locator("[data-name]")).to_have_text(["Daniel Okafor"])
    amelia.modal.get_by_role("button", name="Wait for Users").click()
    expect(amelia.waiting).to_contain_text("Waiting for Daniel Okafor. You are next.")
    expect(amelia.waiting.get_by_role("listitem")).to_have_text(["DODaniel: editing"])
    amelia.waiting.get_by_role("button", name="Ask to finish").click()
    expect(daniel.nudged).to_be_visible()
    expect(rhys.nudged).to_be_hidden()

    daniel.leave()
    expect(amelia.page).to_have_url(EDITOR)
    rhys.sees("Amelia is editing this client record")


def test_dialog_that_is_restricted_to_users_who_edit_does_not_ask_about_users_who_view(
    amelia: Person, daniel: Person, open_browser: OpenBrowser, cast: Cast, client: Client
) -> None:
    """The attribute is what a portal with PORTAL_EDIT_WARNING=editing sends."""
    ada = open_browser(cast.ada)
    ada.open(client)
    daniel.open_editor(client)
    amelia.open(client)
    amelia.page.evaluate("document.querySelector('presence-page').dataset.editWarning = 'editing'")
    amelia.click_edit()
    expect(amelia.modal.locator("[data-name]")).to_have_text(["Daniel Okafor"])
    amelia.modal.get_by_role("button", name="Wait for Users").click()
    expect(amelia.waiting).to_contain_text("Waiting for Daniel Okafor. You are next.")

    daniel.leave()
    expect(amelia.page).to_have_url(EDITOR)


def test_each_button_says_its_consequence_and_rows_say_who_waits(
    amelia: Person, daniel: Person, open_browser: OpenBrowser, cast: Cast, client: Client
) -> None:
    daniel.open_editor(client)
    ada = open_browser(cast.ada)
    ada.open(client)
    ada.wait_for_others()
    expect(ada.waiting).to_be_visible()
    amelia.open(client)
    amelia.click_edit()

    wait = amelia.modal.get_by_role("button", name="Wait for Users")
    expect(wait).to_have_accessible_description("Opens by itself when Daniel is done. You are 2nd.")
    expect(amelia.modal.get_by_role("button", name="Proceed Anyway")).to_have_accessible_description(
        "Different fields are saved together; for the same field you will be asked."
    )
    expect(amelia.modal.locator("[data-doing]")).to_have_text(["Editing", "Waiting, 1st"])

    ada.waiting.get_by_role("button", name="Stop waiting").click()
    expect(wait).to_have_accessible_description("Opens by itself when Daniel and Ada are done. You are next.")


def test_closing_it_stays_on_the_page_and_gives_the_focus_back(amelia: Person, daniel: Person, client: Client) -> None:
    daniel.open(client)
    amelia.open(client)
    for close in (
        lambda: amelia.page.keyboard.press("Escape"),
        lambda: amelia.modal.get_by_role("button", name="Close").click(),
    ):
        amelia.click_edit()
        expect(amelia.modal.get_by_role("button", name="Wait for Users")).to_be_focused()
        close()

        expect(amelia.modal).to_be_hidden()
        expect(amelia.waiting).to_be_hidden()
        expect(amelia.page.get_by_role("link", name="Edit", exact=True)).to_be_focused()
        expect(amelia.page).to_have_url(re.compile(rf"/clients/{client.id}$"))


def test_proceed_anyway_opens_the_editor_asks_no_second_time_and_stands_in_the_history(
    amelia: Person, daniel: Person, client: Client
) -> None:
    daniel.open(client)
    amelia.open(client)
    amelia.click_edit()
    amelia.modal.get_by_role("button", name="Proceed Anyway").click()
    expect(amelia.page).to_have_url(EDITOR)
    daniel.sees("Amelia is editing this client record")
    expect(amelia.modal).to_be_hidden()

    amelia.field("Phone").fill("01632 960700")
    amelia.save()
    expect(amelia.page.get_by_role("main")).to_contain_text("Proceeded although others were there")


def test_list_of_the_modal_follows_the_roster_until_the_user_is_alone(
    amelia: Person, daniel: Person, open_browser: OpenBrowser, cast: Cast, client: Client
) -> None:
    daniel.open(client)
    amelia.open(client)
    amelia.click_edit()
    names = amelia.modal.locator("[data-name]")
    expect(names).to_have_text(["Daniel Okafor"])

    ada = open_browser(cast.ada)
    ada.open(client)
    expect(names).to_have_text(["Daniel Okafor", "Ada Byron"])

    daniel.leave()
    ada.leave()
    amelia.forget_who_left()
    expect(amelia.modal).to_contain_text("The others have finished. You can edit this client record now.")
    amelia.modal.get_by_role("button", name="Edit now").click()
    expect(amelia.page).to_have_url(EDITOR)


def test_click_that_opens_a_new_tab_is_left_to_the_browser(amelia: Person, daniel: Person, client: Client) -> None:
    daniel.open(client)
    amelia.open(client)
    with amelia.context.expect_page() as opened:
        amelia.page.get_by_role("link", name="Edit", exact=True).click(modifiers=["Control"])
    expect(opened.value).to_have_url(EDITOR)
    expect(amelia.modal).to_be_hidden()
