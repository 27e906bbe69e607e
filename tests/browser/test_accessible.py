"""Test that shapes and words repeat what colours say, and that keyboards, forced colours and phones work."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from portal.auth import Profile
from portal.clients import Client
from portal.clients.records import models
from portal.clients.records.entries import PERSON, PRODUCT, Entry
from portal.clients.saving import operations
from portal.extensions import db
from tests.browser.drafts import wait_until_draft_is_kept
from tests.browser.page_checks import ANIMATIONS_FINISHED, TOO_SMALL_CONTROLS, phone
from tests.browser.people import OpenBrowser, Person
from tests.browser.scenes import dialogs
from tests.browser.scenes.setup import SceneSetup
from tests.support.cast import Cast
from tests.support.edits import edit_from, save_for
from tests.support.factories import make_person, make_product
from tests.support.server import Portal

AT_400_PERCENT = {"width": 320, "height": 256}


def test_shape_differs_for_each_state_in_avatars_and_in_the_sentence(
    amelia: Person, daniel: Person, client: Client
) -> None:
    daniel.open_editor(client)
    amelia.open(client)
    amelia.sees("Daniel is editing this client record")
    # The ring is outside the avatar, hence the margin. In greyscale only the shape remains.
    row = amelia.indicator.locator("li").first
    row.evaluate("row => Object.assign(row.style, { padding: '8px', filter: 'grayscale(1) contrast(9)' })")
    avatar, state = row.locator(".avatar"), amelia.sentence.locator("i")
    expect(avatar).to_have_class(re.compile(r"\bediting\b"))
    for colours in ("active", "none"):
        amelia.page.emulate_media(forced_colors=colours)  # type: ignore[arg-type]
        shown = []
        for name in ("viewing", "editing", "waiting", "away", "editing away", "waiting away"):
            avatar.evaluate("(avatar, name) => (avatar.className = `avatar hue-1 ${name}`)", name)
            shown.append(row.screenshot(animations="disabled"))
        assert len(set(shown)) == 6, colours

        clauses = []
        for name in ("editing", "waiting", "away"):
            state.evaluate("(state, name) => (state.className = `state ${name}`)", name)
            clauses.append(state.screenshot(animations="disabled"))
        assert len(set(clauses)) == 3, colours


def test_risk_meter_shows_its_steps_in_forced_colours(amelia: Person, client: Client) -> None:
    client.risk_profile = 3
    db.session.commit()
    amelia.page.emulate_media(forced_colors="active")
    amelia.open(client)
    steps = [step.screenshot() for step in amelia.page.locator(".meter i").all()]
    assert len(steps) == 7
    assert steps[2] != steps[3]


def heading(person: Person) -> Locator:
    return person.page.get_by_role("heading", level=1)


def remove_for(cast: Cast, client: Client, entry: Entry) -> None:
    """Remove a part of the record in another session."""
    operations.remove_part(client, entry, edit_from(client.version, cast.ada.id))
    db.session.commit()


def test_focus_is_on_what_a_save_and_a_restored_draft_say(amelia: Person, client: Client) -> None:
    amelia.open_editor(client)
    amelia.field("Phone").fill("01632 960780")
    wait_until_draft_is_kept(amelia)
    amelia.open_editor(client)
    amelia.page.get_by_role("link", name="Restore").press("Enter")
    expect(amelia.page.get_by_text("Your unsaved changes are back")).to_be_visible()
    expect(amelia.page.locator(".draft-offer")).to_be_focused()

    amelia.save()
    expect(amelia.page.locator(".flash")).to_be_focused()


def test_focus_stays_near_a_part_that_another_user_removes_unless_the_user_has_given_it_up(
    amelia: Person, cast: Cast, client: Client
) -> None:
    for name in ("Gone soon", "Still there", "Gone later"):
        make_product(client, product_name=name)
    products = db.session.scalars(select(models.Product).where(models.Product.client_id == client.id))
    entries = {product.product_name: Entry(PRODUCT, product.id) for product in products}
    links = {name: amelia.page.get_by_role("link", name=name) for name in entries}
    amelia.open(client)
    links["Gone soon"].focus()
    remove_for(cast, client, entries["Gone soon"])
    expect(links["Gone soon"]).to_have_count(0)
    expect(links["Still there"]).to_be_focused()

    links["Gone later"].focus()
    heading(amelia).click()
    remove_for(cast, client, entries["Gone later"])
    expect(links["Gone later"]).to_have_count(0)
    assert amelia.page.evaluate("document.activeElement.localName") in ("body", "main")


def test_focus_is_in_the_field_when_the_choice_under_the_keyboard_is_replaced(
    amelia: Person, cast: Cast, client: Client
) -> None:
    amelia.open_editor(client)
    amelia.field("Phone").fill("01632 960781")
    save_for(cast.daniel, client, phone="01632 960782")
    amelia.page.get_by_role("button", name="Use Daniel’s: Phone").focus()
    save_for(cast.daniel, client, phone="01632 960783")
    expect(amelia.page.locator(".choice")).to_contain_text("01632 960783")
    expect(amelia.field("Phone")).to_be_focused()


def test_focus_returns_from_a_dismissed_message_and_from_a_dialog_whose_opener_is_gone(
    amelia: Person, daniel: Person, cast: Cast, client: Client
) -> None:
    joan = make_person(client, "Joan", "Whitmore")
    amelia.open(client)
    edit = amelia.page.get_by_role("link", name="Edit", exact=True)
    edit.focus()
    daniel.open(client)
    amelia.toasts.get_by_role("button", name="Dismiss").press("Enter")
    expect(amelia.toasts).to_have_count(0)
    expect(edit).to_be_focused()
    save_for(cast.ada, client, phone="01632 960784")
    amelia.page.locator("update-notice").get_by_role("button", name="Dismiss").press("Enter")
    expect(edit).to_be_focused()

    amelia.page.get_by_role("link", name="Joan Whitmore").press("Enter")
    expect(amelia.modal).to_be_visible()
    remove_for(cast, client, Entry(PERSON, joan.id))
    expect(amelia.page.get_by_role("link", name="Joan Whitmore")).to_have_count(0)
    amelia.page.keyboard.press("Escape")
    expect(amelia.modal).to_be_hidden()
    expect(amelia.page.locator(":focus")).to_be_visible()


@pytest.mark.parametrize(
    "open_dialog",
    [dialogs.concurrent_access, dialogs.signed_out, dialogs.unsaved_changes, dialogs.still_there],
    ids=lambda open_dialog: open_dialog.__name__,
)
def test_dialog_opens_at_its_top_and_scrolls_to_each_button_at_400_percent(
    open_dialog: Callable[[SceneSetup], Page], scene_setup: SceneSetup, open_browser: OpenBrowser
) -> None:
    def open_zoomed_browser(profile: Profile, at: Portal = scene_setup.portal) -> Person:
        person = open_browser(profile, at=at)
        person.page.set_viewport_size(AT_400_PERCENT)  # type: ignore[arg-type]
        return person

    page = open_dialog(replace(scene_setup, open_browser=open_zoomed_browser))
    dialog = page.locator("dialog[open]")
    page.wait_for_function(ANIMATIONS_FINISHED)
    expect(dialog.get_by_role("heading")).to_be_in_viewport(ratio=1)
    expect(dialog.locator(":focus")).to_be_in_viewport(ratio=1)
    assert dialog.evaluate("({ scrollTop }) => scrollTop") == 0

    seen = set()
    for _ in range(2 * dialog.locator("a, button").count()):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('dialog :is(a, button)')"):
            expect(page.locator(":focus")).to_be_in_viewport(ratio=0.9)
            seen.add(page.locator(":focus").inner_text())
    assert seen >= set(dialog.locator("a:visible, button:visible").all_inner_texts())


def test_every_control_is_large_enough_for_a_thumb_where_names_are_short(
    amelia: Person, client: Client, cast: Cast
) -> None:
    """Long names, as in the scenes of test_every_page.py, make links high by breaking them."""
    client.name, client.phone, client.email = "Ng", "1", "a@b.example"
    make_person(client, "Jo", "Ng")
    product = make_product(client, (date(2025, 3, 31), "1"), product_name="A")
    db.session.commit()
    save_for(cast.daniel, client, town="Ely")
    page = f"/clients/{client.id}"
    with phone(amelia.page):
        for path in (
            page,
            f"{page}/edit",
            f"{page}/history",
            f"{page}/product/{product.id}",
            "/clients?q=Ng",
            "/account",
        ):
            amelia.page.goto(path)
            assert amelia.page.evaluate(TOO_SMALL_CONTROLS) == [], path
