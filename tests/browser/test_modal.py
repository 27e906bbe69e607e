"""Test the dialog that Edit opens when other users are on the page, and its buttons."""

import re

from playwright.sync_api import expect

from portal.clients import Client
from portal.clients.records.models import ClientGrant
from portal.extensions import db
from tests.browser.people import CLIENT_PAGE, EDITOR, OpenBrowser, Person
from tests.support.cast import Cast, make_profile


def test_modal_lists_the_other_users_follows_the_roster_and_says_what_each_button_does(
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
    expect(amelia.modal.get_by_role("button", name="Proceed Anyway")).to_have_accessible_description(
        "Different fields are saved together; for the same field you will be asked."
    )

    ada.show_tab()
    ada.wait_for_others()
    wait = amelia.modal.get_by_role("button", name="Wait for Users")
    expect(wait).to_have_accessible_description("Opens by itself when Daniel and Priya are done. You are 2nd.")
    expect(listed.filter(has_text="Ada Byron").locator("[data-doing]")).to_have_text("Waiting, 1st")
    ada.waiting.get_by_role("button", name="Stop waiting").click()
    expect(wait).to_have_accessible_description(re.compile("You are next.$"))

    amelia.page.keyboard.press("Escape")  # as on a portal with PORTAL_EDIT_WARNING=editing
    amelia.page.evaluate("document.querySelector('presence-page').dataset.editWarning = 'editing'")
    amelia.click_edit()
    expect(listed.locator("[data-name]")).to_have_text(["Daniel Okafor"])

    for person in (priya, ada, daniel):
        person.leave()
    amelia.forget_who_left()
    expect(amelia.modal).to_contain_text("The others have finished. You can edit this client record now.")
    amelia.modal.get_by_role("button", name="Edit now").click()
    expect(amelia.page).to_have_url(EDITOR)


def test_users_who_may_not_edit_are_not_listed_and_keep_no_user_waiting(
    amelia: Person, daniel: Person, open_browser: OpenBrowser, cast: Cast, client: Client
) -> None:
    """A reader, and a user of compliance who also reads a restricted client."""
    client.is_restricted = True
    db.session.add(ClientGrant(client_id=client.id, profile_id=cast.daniel.id))
    db.session.add(ClientGrant(client_id=client.id, profile_id=cast.rhys.id))
    db.session.commit()
    rhys, carys = open_browser(cast.rhys), open_browser(make_profile("Carys", "Lloyd", "compliance"))
    for person in (rhys, carys, amelia):
        person.open(client)
    amelia.sees("2 users are viewing this client record")
    amelia.click_edit()
    expect(amelia.page).to_have_url(EDITOR)
    for person in (rhys, carys):
        expect(person.page.get_by_role("link", name="Edit")).to_have_count(0)

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
    carys.page.get_by_role("link", name="Who has read this client").click()
    expect(carys.page.get_by_role("row").filter(has_text="Amelia Hart")).to_be_visible()


def test_dialog_keeps_the_focus_and_gives_it_back_or_opens_the_editor_that_asks_no_second_time(
    amelia: Person, daniel: Person, client: Client
) -> None:
    daniel.open(client)
    amelia.open(client)
    edit = amelia.page.get_by_role("link", name="Edit", exact=True)
    with amelia.context.expect_page() as opened:
        edit.click(modifiers=["Control"])  # which is left to the browser
    expect(opened.value).to_have_url(EDITOR)
    opened.value.close()
    expect(amelia.modal).to_be_hidden()

    for close in (
        lambda: amelia.page.keyboard.press("Escape"),
        lambda: amelia.modal.get_by_role("button", name="Close").click(),
    ):
        amelia.click_edit()
        expect(amelia.modal.get_by_role("button", name="Wait for Users")).to_be_focused()
        for _ in range(6):
            amelia.page.keyboard.press("Tab")
            # After the last control the focus is on the body, before the browser starts again.
            assert amelia.page.evaluate("document.activeElement.matches('body, dialog *')")
        close()
        expect(amelia.modal).to_be_hidden()
        expect(amelia.waiting).to_be_hidden()
        expect(edit).to_be_focused()
        expect(amelia.page).to_have_url(CLIENT_PAGE)

    amelia.click_edit()
    amelia.modal.get_by_role("button", name="Proceed Anyway").click()
    expect(amelia.page).to_have_url(EDITOR)
    daniel.sees("Amelia is editing this client record")
    expect(amelia.modal).to_be_hidden()
    amelia.field("Phone").fill("01632 960700")
    amelia.save()
    expect(amelia.page.get_by_role("main")).to_contain_text("Proceeded although others were there")
