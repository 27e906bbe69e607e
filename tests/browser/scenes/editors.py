"""Scenes of the editors, and of the history of what they have saved."""

import re

from playwright.sync_api import expect
from sqlalchemy import select

from portal.clients import Product
from portal.clients.history import revert
from portal.clients.records import models
from portal.clients.records.entries import CLIENT, PERSON, PRODUCT, Entry
from portal.clients.saving import operations
from portal.editing.base_version import BaseVersion
from portal.editing.merge.resolutions import Resolution
from portal.extensions import db
from tests.browser.people import CHANGES, paste_into
from tests.browser.scenes.setup import LONG_NAME, LONG_WORD, VIEWERS, SceneSetup, States, long_client
from tests.support.edits import edit_from, save_for
from tests.support.factories import make_product
from tests.support.hostile_texts import shuffled


def editor(setup: SceneSetup) -> States:
    """Open the editor by its address, beside twenty viewers."""
    setup.browser_errors.expect("Failed to load resource")
    client = long_client(setup.cast)
    setup.crowd(client, VIEWERS, LONG_NAME)
    amelia = setup.amelia()
    page = amelia.page
    viewport = page.viewport_size
    assert viewport
    page.set_viewport_size(viewport | {"height": 3000})  # later the list of viewers is too long for the window
    amelia.open_path(f"/clients/{client.id}/edit")
    expect(amelia.modal.locator("[data-name]")).to_have_count(VIEWERS)
    yield "modal in the editor", page

    amelia.modal.get_by_role("button", name="Proceed Anyway").click()
    amelia.field("Phone").fill("01632 960900")
    amelia.sees(f"{VIEWERS} users are viewing this client record")
    page.set_viewport_size(viewport)
    yield "editor", page

    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("dialog", name="You have not saved your changes")).to_be_visible()
    yield "question of Cancel", page

    page.keyboard.press("Escape")
    page.route("**/edit_drafts/**", lambda route: route.abort())
    amelia.field("Town").fill("Wells")
    amelia.save()
    expect(page.get_by_role("alert")).to_contain_text("Not saved")
    yield "editor without the portal", page

    page.unroute("**/edit_drafts/**")
    amelia.field("Name").fill("")
    amelia.field("Email").fill(LONG_WORD)
    amelia.save()
    expect(page.get_by_role("alert")).to_contain_text("2 fields need another look")
    yield "editor with errors", page


def editor_beside_others(setup: SceneSetup) -> States:
    """Open the editor beside a user who is changing a field, and who has saved a changed and an unchanged field."""
    client = long_client(setup.cast)
    amelia, daniel = setup.amelia(), setup.open_browser(setup.cast.daniel, at=setup.portal)
    amelia.open_editor(client)
    amelia.field("Key information").fill(LONG_WORD)
    daniel.open_editor(client)
    daniel.field("Postcode").fill("KT1 1AB")
    daniel.is_told(client, {"Amelia": "editing", "Daniel": "editing"})
    expect(daniel.page.get_by_text("Amelia, not saved yet")).to_be_visible()  # and the server has his own focus
    daniel.hide_tab()  # which sends a heartbeat at once, with the typed field
    expect(amelia.page.get_by_text("Daniel, not saved yet")).to_be_visible()  # before her stream ends
    save_for(setup.cast.daniel, client, town="T" * 90, notes=f"{LONG_WORD} theirs")
    amelia.hide_tab()
    expect(amelia.page.get_by_role("button", name="Keep both")).to_be_visible()
    yield "editor beside others", amelia.page


def valuation_grid(setup: SceneSetup) -> States:
    """Show pasted rows of which none has a place, and then everything that the grid can say about its amounts."""
    setup.browser_errors.expect("status of 422")
    client = long_client(setup.cast)
    make_product(client)
    amelia = setup.amelia()
    page = amelia.page
    amelia.open_path(f"/clients/{client.id}/valuations?day=2026-03-31")
    amounts = page.locator("tbody [data-amount]")
    paste_into(amounts.first, f"{LONG_WORD}\t{LONG_WORD}\n{LONG_WORD}\t2")
    yield "grid of valuations after a paste", page

    amounts.first.fill(LONG_WORD)
    amounts.last.fill("1")
    page.get_by_role("button", name="Save valuations").click()
    expect(page.get_by_role("alert")).to_contain_text("3 fields need another look")
    yield "grid of valuations with errors", page


def conflict(setup: SceneSetup) -> States:
    setup.browser_errors.expect("status of 409")
    client = long_client(setup.cast)
    amelia = setup.amelia()
    amelia.open_editor(client)
    amelia.page.route(CHANGES, lambda route: None)  # so that only the server finds the conflict
    amelia.field("Town").fill(LONG_WORD)
    amelia.field("Risk profile").select_option("3 of 7")
    amelia.field("Objectives").fill(f"https://{LONG_WORD}.example/\nRetire early")
    amelia.field("Key information").fill(f"{LONG_WORD}\n{LONG_WORD}")
    save_for(setup.cast.daniel, client, town="T" * 90, notes=f"{LONG_WORD} theirs", risk_profile=2, phone="1")
    amelia.save()
    expect(amelia.page.get_by_role("group", name="Key information")).to_contain_text("theirs")
    yield "conflict", amelia.page


def people(setup: SceneSetup) -> States:
    """Add a person who is there already, and edit one whom another user removes."""
    setup.browser_errors.expect("status of 409", "status of 422")
    client = long_client(setup.cast)
    amelia = setup.amelia()
    page = amelia.page
    page.goto(f"/clients/{client.id}/person/new")
    amelia.field("First name").fill(LONG_NAME)
    amelia.field("Last name").fill(LONG_NAME)
    amelia.save()
    expect(page.get_by_role("checkbox", name="This is another person")).to_be_visible()
    yield "person who is there already", page

    person = db.session.scalars(select(models.Person).where(models.Person.client_id == client.id)).one()
    page.goto(f"/clients/{client.id}/person/{person.id}/edit")
    amelia.field("Known as").fill(LONG_WORD[::2])
    operations.remove_part(client, Entry(PERSON, person.id), edit_from(client.version, setup.cast.daniel.id))
    db.session.commit()
    amelia.save()
    expect(page.get_by_role("heading", name=re.compile("has been removed$"))).to_be_visible()
    yield "removed person", page


def history(setup: SceneSetup) -> States:
    """Make changes of every kind with the longest values, and undo one of them."""
    client = long_client(setup.cast)
    daniel, before = setup.cast.daniel, client.notes
    save_for(daniel, client, name=LONG_NAME[::-1], town="T" * 90, notes=f"{before}\n{LONG_WORD} and more")
    decided = {"town": Resolution("yours"), "notes": Resolution("theirs")}
    values = {"town": "U" * 90, "notes": LONG_WORD}
    origin = BaseVersion(1, seen_version=2)
    edit = edit_from(origin, setup.cast.amelia.id, values, resolutions=decided, proceeded=True)
    operations.save_entry(client, Entry(CLIENT), edit)
    product = db.session.scalars(select(Product).where(Product.client_id == client.id)).one()
    operations.remove_part(client, Entry(PRODUCT, product.id), edit_from(client.version, daniel.id))
    db.session.commit()
    page = setup.amelia().page
    page.goto(f"/clients/{client.id}/history")
    expect(page.get_by_role("link", name=re.compile("^Undo"))).to_have_count(3)
    yield "history", page

    page.get_by_role("link", name="Undo change 2").click()
    expect(page.get_by_role("main")).to_contain_text("Amelia Hart has changed this since")
    yield "question before an undo", page


def long_texts(setup: SceneSetup) -> States:
    """Show an unfolded text, a text that is too costly to compare, and a folded one."""
    client = long_client(setup.cast)
    lines = "\n".join(f"Rang on day {n}: {LONG_WORD}" for n in range(20))
    for notes in (lines, lines.replace("day 3", "day three"), shuffled(0), shuffled(1)):
        save_for(setup.cast.daniel, client, notes=notes)
    page = setup.amelia().page
    page.goto(f"/clients/{client.id}/history")
    folded = page.locator("[data-unfold]")
    folded.nth(2).locator("summary").click()
    expect(folded.nth(2).locator("ins")).to_have_count(1)
    folded.first.locator("summary").click()
    expect(folded.first.locator(".side-by-side")).to_be_visible()
    yield "history of long texts", page


def replaced_changes(setup: SceneSetup) -> States:
    """Replace two of the user's values, and undo a change with a long reason."""
    client = long_client(setup.cast)
    daniel_id = setup.cast.daniel.id
    for number, name in enumerate(("phone", "notes")):
        save_for(setup.cast.amelia, client, **{name: LONG_WORD[:40], "town": f"T{number}"})
        decided = {name: Resolution("yours") for name in (name, "town")}
        values = {name: f"{number}", "town": LONG_WORD}
        origin = BaseVersion(client.version - 1, seen_version=client.version)
        operations.save_entry(client, Entry(CLIENT), edit_from(origin, daniel_id, values, resolutions=decided))
    save_for(setup.cast.amelia, client, address_line1="1 High Street")
    revision = revert.revision_of(client, client.version)
    edit = edit_from(client.version, daniel_id, reason=f"{LONG_WORD} belongs to another client")
    revert.revert(client, revision, Entry(CLIENT), edit)
    db.session.commit()
    page = setup.amelia().page
    page.goto(f"/clients/{client.id}")
    page.get_by_text("1 more", exact=True).click()
    expect(page.get_by_role("button", name="Dismiss what Daniel did")).to_have_count(3)
    yield "client with replaced changes", page
