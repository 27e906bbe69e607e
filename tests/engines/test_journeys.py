"""The main journeys of two users who work on one client, in Firefox and in WebKit."""

from portal.clients import Client
from portal.extensions import db
from tests.engines.people import CONTROL, ESCAPE, Person

CLIENT_PAGE, EDITOR = r"/clients/\d+$", r"/edit(\?proceeded=1)?$"
MODAL = ("dialog", "Concurrent Access Detected")


def test_colleague_who_joins_and_leaves_is_shown_and_announced(amelia: Person, daniel: Person, client: Client) -> None:
    amelia.open(client)

    daniel.open(client)
    amelia.saw_toast("Daniel Okafor joined this page")
    amelia.sees("Daniel is also viewing this client record")
    daniel.sees("Amelia is also viewing this client record")

    daniel.leave()
    amelia.saw_toast("Daniel Okafor left this page")
    amelia.no_longer_sees("Daniel is also viewing")


def test_edit_beside_a_colleague_opens_the_modal_and_proceeds(amelia: Person, daniel: Person, client: Client) -> None:
    daniel.open_editor(client)
    amelia.open(client)
    amelia.sees("Daniel is editing this client record")

    amelia.click("link", "Edit")
    amelia.sees("The following users are currently viewing or editing this client record:", inside=MODAL)
    amelia.sees("Daniel Okafor", inside=MODAL)
    amelia.has_focus_on("button", "Wait for Users")

    amelia.press(ESCAPE)
    amelia.sees_no_dialog("Concurrent Access Detected")
    amelia.has_focus_on("link", "Edit")

    amelia.click("link", "Edit")
    amelia.click("button", "Proceed Anyway", inside=MODAL)
    amelia.is_at(EDITOR)
    daniel.sees("Amelia is editing this client record")


def test_user_who_waits_gets_the_editor_with_what_was_saved(amelia: Person, daniel: Person, client: Client) -> None:
    daniel.open_editor(client)
    amelia.open(client)
    amelia.sees("Daniel is editing this client record")
    amelia.click("link", "Edit")
    amelia.click("button", "Wait for Users", inside=MODAL)
    amelia.sees("Waiting for Daniel Okafor")

    amelia.click("button", "Ask to finish")
    daniel.sees("is waiting to edit this client")
    daniel.click("button", "Finish soon")
    amelia.sees("Daniel: finishing soon")
    daniel.fill("Phone", "01632 960777")
    daniel.click("button", "Save changes")
    daniel.is_at(CLIENT_PAGE)
    daniel.leave()

    amelia.is_at(EDITOR)
    amelia.has_value("Phone", "01632 960777")


def test_save_of_a_colleague_reaches_the_open_page_and_the_open_editor(
    amelia: Person, daniel: Person, client: Client
) -> None:
    daniel.open_editor(client)
    amelia.open(client)
    daniel.fill("Phone", "01632 960888")
    daniel.click("button", "Save changes")
    amelia.sees("01632 960888", inside=("main", ""))
    daniel.is_at(CLIENT_PAGE)

    amelia.open_editor_beside_others(client)
    daniel.open_editor_beside_others(client)
    daniel.fill("Phone", "01632 960999")
    daniel.click("button", "Save changes")
    amelia.has_value("Phone", "01632 960999")
    daniel.is_at(CLIENT_PAGE)


def test_changes_of_two_users_to_different_fields_are_merged(amelia: Person, daniel: Person, client: Client) -> None:
    amelia.open_editor(client)
    daniel.open_editor_beside_others(client)
    amelia.fill("Town", "Bath")
    daniel.fill("Phone", "01632 960123")

    daniel.click("button", "Save changes")
    daniel.is_at(CLIENT_PAGE)
    amelia.press(CONTROL + "s")

    amelia.is_at(CLIENT_PAGE)
    db.session.refresh(client)
    assert (client.town, client.phone, client.version) == ("Bath", "01632 960123", 3)


def test_change_of_two_users_to_the_same_field_is_decided_at_the_field(
    amelia: Person, daniel: Person, client: Client
) -> None:
    amelia.open_editor(client)
    daniel.open_editor_beside_others(client)
    amelia.fill("Phone", "01632 960300")
    daniel.fill("Phone", "01632 960999")
    daniel.click("button", "Save changes")
    daniel.is_at(CLIENT_PAGE)
    amelia.sees("Daniel saved 01632 960999")
    amelia.has_value("Phone", "01632 960300")

    amelia.click("button", "Keep mine: Phone")
    amelia.click("button", "Save changes")

    amelia.is_at(CLIENT_PAGE)
    daniel.sees("01632 960300", inside=("main", ""))
    db.session.refresh(client)
    assert (client.phone, client.version) == ("01632 960300", 3)


def test_user_who_goes_back_to_the_page_joins_again(amelia: Person, daniel: Person, client: Client) -> None:
    """Each engine has a rule of its own for the pages that it keeps in memory (back/forward cache)."""
    amelia.open(client)
    daniel.open(client)
    amelia.sees("Daniel is also viewing this client record")
    daniel.click("link", "Clients")
    daniel.is_at("/clients$")
    amelia.no_longer_sees("Daniel is also viewing")

    daniel.go_back()

    amelia.sees("Daniel is also viewing this client record")
    daniel.sees("Amelia is also viewing this client record")


def test_field_that_a_colleague_is_in_is_marked(amelia: Person, daniel: Person, client: Client) -> None:
    amelia.open_editor(client)
    daniel.open_editor_beside_others(client)
    daniel.click("textbox", "Phone")
    amelia.sees("Daniel is here")

    amelia.open(client)
    amelia.sees("Daniel is editing Phone")


def test_unsaved_value_of_a_colleague_is_shown_and_taken_over(amelia: Person, daniel: Person, client: Client) -> None:
    amelia.open_editor(client)
    daniel.open_editor_beside_others(client)

    daniel.fill("Phone", "01632 960444")
    amelia.sees("Daniel, not saved yet: 01632 960444")
    amelia.click("button", "Use this: Daniel’s Phone")

    amelia.has_value("Phone", "01632 960444")
    daniel.sees("Amelia, not saved yet · the same as yours")


def test_draft_is_kept_and_restored(amelia: Person, client: Client) -> None:
    amelia.open_editor(client)
    amelia.fill("Phone", "01632 962000")
    amelia.sees("Draft kept")
    amelia.leave()

    amelia.open_editor(client)
    amelia.sees("You have unsaved changes")
    amelia.has_value("Phone", "01632 960001")
    amelia.click("link", "Restore")
    amelia.has_value("Phone", "01632 962000")


def test_select_is_as_high_as_a_text_field(amelia: Person, client: Client) -> None:
    amelia.open_editor(client)
    assert amelia.height_of("combobox", "Type") == amelia.height_of("textbox", "Name")
