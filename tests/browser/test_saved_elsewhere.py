"""Test that open pages and editors show other users' saves, and keep the user's own values."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from portal.auth import Profile
from portal.clients import Client
from portal.clients.history import revert
from portal.clients.records.entries import CLIENT, PERSON, Entry
from portal.clients.saving import operations
from portal.editing.base_version import BaseVersion
from portal.editing.merge.resolutions import Resolution
from portal.extensions import db
from tests.browser.drafts import wait_until_draft_is_kept
from tests.browser.people import CLIENT_PAGE, Person, reloaded
from tests.support.cast import Cast
from tests.support.edits import edit_from, save_for
from tests.support.factories import make_person

THEIRS, MINE = "01632 960999", "01632 960300"


@pytest.fixture
def choice(amelia: Person) -> Locator:
    """Return the choice below Amelia's Phone after Daniel has changed it too."""
    return amelia.page.locator('[data-field="phone"] .choice')


@pytest.fixture
def both_changed_phone(amelia: Person, client: Client, cast: Cast, choice: Locator) -> None:
    amelia.open_editor(client)
    amelia.field("Phone").fill(MINE)
    save_for(cast.daniel, client, phone=THEIRS)
    expect(choice).to_contain_text(f"Daniel saved {THEIRS}")


def news(person: Person, field: str) -> Locator:
    """Return the line below a field that describes a change by another user."""
    return person.page.locator(f'[data-field="{field}"] .news')


def test_saved_value_of_another_user_is_shown_in_untouched_fields_and_is_undone_and_taken_again(
    amelia: Person, client: Client, cast: Cast
) -> None:
    before = client.phone
    amelia.open_editor(client)
    amelia.field("Town").fill("Bath")

    save_for(cast.daniel, client, phone=THEIRS, risk_profile=5, postcode="BA1", notes="Rang.\nTwice.")

    expect(amelia.field("Phone")).to_have_value(THEIRS)
    expect(amelia.field("Risk profile")).to_have_value("5")
    expect(amelia.field("Key information")).to_have_value("Rang.\nTwice.")
    expect(news(amelia, "phone")).to_have_text(f"Daniel, just now · was {before}Undo")
    expect(news(amelia, "risk_profile")).to_contain_text("was Not assessed")
    expect(news(amelia, "notes").locator("p")).to_have_text("Daniel, just now")
    expect(amelia.page.locator(".field.changed label")).to_have_text(["Town"])
    expect(amelia.page.locator("[name=version]")).to_have_value("1")

    news(amelia, "phone").get_by_role("button", name="Undo: Phone").click()
    expect(amelia.field("Phone")).to_have_value(before)
    expect(amelia.field("Phone")).to_be_focused()
    news(amelia, "phone").get_by_role("button", name="Use Daniel’s: Phone").click()
    news(amelia, "phone").get_by_role("button", name="Put mine back: Phone").click()
    amelia.page.get_by_role("button", name="Keep mine: Phone").click()
    amelia.field("Postcode").press("End")
    amelia.field("Postcode").press_sequentially(" 1AA")  # the browser's undo would remove the typed text
    expect(news(amelia, "postcode")).to_have_text("Daniel, just now · was empty")
    amelia.field("Key information").fill("Rang.\nTwice.\nThree times.")
    amelia.save()
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    saved = reloaded(client)
    assert (saved.phone, saved.risk_profile, saved.town, saved.version) == (before, 5, "Bath", 3)
    assert (saved.postcode, saved.notes) == ("BA1 1AA", "Rang.\nTwice.\nThree times.")


@pytest.mark.usefixtures("both_changed_phone")
def test_field_that_both_have_changed_is_decided_in_place_before_it_is_saved_also_in_the_draft(
    amelia: Person, client: Client, choice: Locator
) -> None:
    expect(amelia.field("Phone")).to_have_value(MINE)
    expect(amelia.field("Phone")).to_have_accessible_description(f"Daniel saved {THEIRS}")
    to_decide = amelia.page.get_by_role("button", name="1 to decide")
    amelia.field("Town").focus()
    to_decide.click()
    expect(choice).to_be_focused()
    amelia.field("Town").press("Control+s")
    expect(choice).to_be_focused()
    assert (reloaded(client).phone, client.version) == (THEIRS, 2)

    choice.get_by_role("button", name="Use Daniel’s").click()
    expect(amelia.field("Phone")).to_have_value(THEIRS)
    expect(amelia.field("Phone")).to_be_focused()
    expect(choice).to_have_count(0)
    expect(to_decide).to_be_hidden()
    expect(amelia.page.locator(".field.changed")).to_have_count(0)
    expect(news(amelia, "phone")).to_contain_text("Using Daniel’s")
    wait_until_draft_is_kept(amelia)

    amelia.open_editor(client)
    offer = amelia.page.get_by_text("You have unsaved changes")
    expect(offer).to_contain_text("(Phone)")
    amelia.page.get_by_role("link", name="Restore").click()
    expect(amelia.field("Phone")).to_have_value(THEIRS)
    amelia.page.get_by_role("button", name="Put mine back: Phone").click()
    expect(amelia.field("Phone")).to_have_value(MINE)
    expect(choice).to_contain_text(f"Daniel saved {THEIRS}")
    choice.get_by_role("button", name="Keep mine: Phone").click()
    expect(amelia.field("Phone")).to_have_value(MINE)
    expect(news(amelia, "phone")).to_have_text("Saving puts yours in place of Daniel’sUse Daniel’s")

    amelia.page.keyboard.press("Control+s")
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    assert (reloaded(client).phone, client.version) == (MINE, 3)
    amelia.open_editor(client)
    expect(offer).to_have_count(0)


def test_ctrl_z_takes_out_what_arrived_live_in_one_step(amelia: Person, client: Client, cast: Cast) -> None:
    save_for(cast.daniel, client, notes="One.\nTwo.")
    amelia.open_editor(client)
    notes = amelia.field("Key information")
    notes.press("Control+End")
    notes.press_sequentially(" Three.")
    save_for(cast.daniel, client, notes="Nought.\nOne.\nTwo.")
    expect(notes).to_have_value("Nought.\nOne.\nTwo. Three.")
    expect(news(amelia, "notes")).to_have_text("Daniel changed this too: both are here")

    notes.press("Control+z")
    expect(notes).to_have_value("One.\nTwo. Three.")
    expect(news(amelia, "notes")).to_have_text("Daniel changed this too. Saving puts both together, or asks")
    notes.press("Control+z")
    expect(notes).not_to_have_value("One.\nTwo. Three.")
    assert "One.\nTwo. Three.".startswith(notes.input_value()), "what was typed goes, and no piece of another text"
    amelia.save()
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    assert reloaded(client).notes.startswith("Nought.\nOne.\nTwo.")


def test_lines_that_touch_are_offered_with_the_difference_and_no_answer_takes_out_others(
    amelia: Person, client: Client, cast: Cast
) -> None:
    """Daniel changes the second line as Amelia has, and puts another before them; she has added one at the end."""
    save_for(cast.daniel, client, notes="One.\nTwo.\nThree.")
    amelia.open_editor(client)
    notes, choice = amelia.field("Key information"), amelia.page.locator('[data-field="notes"] .choice')
    notes.fill("One.\nTwo, says Amelia.\nThree.\nFour.")
    save_for(cast.daniel, client, notes="Nought.\nOne.\nTwo, says Daniel.\nThree.")
    expect(choice).to_contain_text("Daniel changed lines that you have changed too:")
    expect(choice.get_by_role("button").first).to_have_text("Keep both")
    expect(choice.locator("ins")).to_contain_text(["Nought.", ", says Daniel."])

    choice.get_by_role("button", name="Use Daniel’s").click()
    expect(notes).to_have_value("Nought.\nOne.\nTwo, says Daniel.\nThree.")
    amelia.page.get_by_role("button", name="Put mine back: Key information").click()
    choice.get_by_role("button", name="Keep both").click()
    expect(notes).to_have_value("Nought.\nOne.\nTwo, says Daniel.\nTwo, says Amelia.\nThree.\nFour.")
    notes.press("Control+z")
    choice.get_by_role("button", name="Keep mine").click()
    kept = "Nought.\nOne.\nTwo, says Amelia.\nThree.\nFour."
    expect(notes).to_have_value(kept)
    amelia.save()
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    assert reloaded(client).notes == kept


def overrule(client: Client, by: Profile, **values: Any) -> None:
    """A save from before the newest change, decided against it."""
    db.session.refresh(client)
    resolutions = {name: Resolution("yours") for name in values}
    base = BaseVersion(client.version - 1, seen_version=client.version)
    operations.save_entry(client, Entry(CLIENT), edit_from(base, by.id, values, resolutions=resolutions))
    db.session.commit()


def undo(client: Client, by: Profile, version: int, entry: Entry | None = None) -> None:
    db.session.refresh(client)
    edit = edit_from(client.version, by.id)
    revert.revert(client, revert.revision_of(client, version), entry or Entry(CLIENT), edit)
    db.session.commit()


def test_open_client_page_shows_saves_of_others_and_ones_own_and_offers_to_restore_what_is_replaced(
    amelia: Person, client: Client, cast: Cast
) -> None:
    amelia.open(client)
    phone = amelia.page.get_by_role("link", name=client.phone)
    phone.focus()
    amelia.page.evaluate("document.body.dataset.same = 'page'")

    save_for(cast.daniel, client, phone=THEIRS, name="Whitmore & Sons", email="ruth@mail.example")

    told = amelia.page.locator("update-notice")
    expect(told).to_contain_text("Daniel changed Name, Email and Phone")
    expect(amelia.page.get_by_role("heading", level=1)).to_contain_text("Whitmore & Sons")
    expect(amelia.page.get_by_role("link", name="ruth@mail.example")).to_be_visible()
    expect(amelia.page.get_by_role("link", name=THEIRS)).to_be_focused()
    expect(amelia.page.locator(".just-changed").first).to_be_visible()
    expect(amelia.page.locator("[data-same=page]")).to_have_count(1)

    told.get_by_role("button", name="Dismiss").click()
    expect(told).to_be_hidden()

    other = amelia.another_tab()
    other.open_editor(client)
    other.field("Phone").fill(MINE)
    other.save()
    expect(told).to_contain_text("You changed Phone elsewhere")
    expect(amelia.page.get_by_role("link", name=MINE)).to_be_visible()

    overrule(client, cast.daniel, phone=THEIRS)
    notice = amelia.page.get_by_role("region", name="Your changes that others have replaced")
    expect(notice).to_contain_text(f"Daniel replaced your Phone: {MINE} → {THEIRS}")
    notice.get_by_role("button", name="Put mine back: Phone").click()
    expect(amelia.page.get_by_role("main")).to_contain_text("Phone is as you had it.")
    expect(notice).to_have_count(0)
    assert reloaded(client).phone == MINE


def test_overruled_user_sees_what_is_replaced_or_undone_in_the_open_editor_and_restores_the_values(
    amelia: Person, client: Client, cast: Cast, choice: Locator
) -> None:
    save_for(cast.amelia, client, phone=MINE)
    save_for(cast.amelia, client, email="mine@mail.example")
    amelia.open_editor(client)
    amelia.field("Town").fill("Bath")
    overrule(client, cast.daniel, phone=THEIRS)
    undo(client, cast.daniel, 3)

    replaced = f"Daniel replaced your Phone: {MINE} → {THEIRS}"
    expect(choice).to_have_text(f"{replaced}Put mine back")
    expect(amelia.field("Phone")).to_have_accessible_description(replaced)
    expect(amelia.field("Phone")).to_have_value(THEIRS)
    undone = amelia.page.locator('[data-field="email"] .choice')
    expect(undone).to_have_text("Daniel undid your change to Email: mine@mail.example → emptyPut mine back")
    expect(amelia.field("Email")).to_have_value("")
    save_for(cast.ada, client, phone="01632 960111")
    expect(choice).to_have_text(f"{replaced}. Ada changed thisPut mine back")
    undone.get_by_role("button", name="Put mine back: Email").click()
    choice.get_by_role("button", name="Put mine back: Phone").click()

    expect(amelia.field("Phone")).to_have_value(MINE)
    expect(amelia.field("Phone")).to_be_focused()
    expect(news(amelia, "phone")).to_have_text("Saving puts yours in place of Ada’sUse Ada’s")
    amelia.save()
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    expect(amelia.page.get_by_text(re.compile("Daniel (undid|replaced) your"))).to_have_count(0)
    assert (reloaded(client).phone, client.email, client.town) == (MINE, "mine@mail.example", "Bath")


def test_overruled_user_who_types_in_the_same_field_keeps_the_typed_value(
    amelia: Person, client: Client, cast: Cast, choice: Locator
) -> None:
    save_for(cast.ada, client, notes="1.\nTwo.\nThree.")
    save_for(cast.amelia, client, phone=MINE, notes="One.\nTwo.\nThree.")
    amelia.open_editor(client)
    amelia.field("Phone").fill("01632 960555")
    amelia.field("Key information").fill("One.\nTwo.\nThree.\nFour.")
    overrule(client, cast.daniel, phone=THEIRS, notes="Eins.\nTwo.\nThree.")

    expect(choice).to_contain_text(f"Daniel replaced your Phone: {MINE} → {THEIRS}")
    expect(amelia.field("Phone")).to_have_value("01632 960555")
    expect(news(amelia, "notes")).to_have_text(
        "Daniel replaced your Key information. What you have typed since is here too"
    )
    expect(amelia.field("Key information")).to_have_value("Eins.\nTwo.\nThree.\nFour.")


def test_undo_of_another_part_is_announced_in_the_open_editor_and_changes_no_typed_value(
    amelia: Person, client: Client, cast: Cast
) -> None:
    ruth = Entry(PERSON, make_person(client, "Ruth", "Whitmore").id)
    operations.save_entry(client, ruth, edit_from(1, cast.amelia.id, {"known_as": "Ruthie"}))
    db.session.commit()
    amelia.open_editor(client)
    amelia.field("Phone").fill(MINE)
    undo(client, cast.daniel, 2, ruth)

    notice = amelia.page.get_by_role("region", name="Your changes that others have replaced")
    expect(notice).to_contain_text("Daniel undid your change to Known as of Ruth Whitmore: Ruthie → empty")
    expect(amelia.field("Phone")).to_have_value(MINE)
    notice.get_by_role("button", name="Put mine back: Known as of Ruth Whitmore").click()
    expect(amelia.page.get_by_role("main")).to_contain_text("Known as is as you had it.")
    amelia.page.get_by_role("link", name="Restore").click()
    expect(amelia.field("Phone")).to_have_value(MINE)
