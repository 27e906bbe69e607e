"""Scenes of the pages that show clients, and of what appears on an open one."""

import re
from datetime import date

from flask import current_app
from playwright.sync_api import Page, expect
from sqlalchemy import select

from portal.clients import Client
from portal.clients.records import models
from portal.clients.records.entries import CLIENT
from portal.clients.visits.store import record
from portal.editing.drafts import store as drafts
from portal.editing.drafts.store import DraftKey, DraftPayload
from portal.extensions import db
from portal.notifications import store as notifications
from portal.notifications.kinds import Kind, mention_subject
from portal.notifications.models import Notification
from portal.page_kinds import parse
from portal.presence import beats
from portal.presence.store import current_store
from tests.browser.drafts import wait_until_draft_is_kept
from tests.browser.people import PRESENCE_PATH
from tests.browser.scenes.setup import LONG_NAME, LONG_WORD, VIEWERS, SceneSetup, States, long_client
from tests.support.cast import make_profile
from tests.support.edits import save_for
from tests.support.factories import make_client
from tests.support.test_client import identity_of


def lists(setup: SceneSetup) -> States:
    setup.browser_errors.expect("status of 404", "status of 422")
    client = long_client(setup.cast)
    setup.crowd(client, VIEWERS, LONG_NAME)
    page = setup.amelia().page
    page.goto("/clients?q=Featherstonehaugh")
    expect(page.locator(f'[data-page="client-{client.id}"] .avatar')).to_have_count(4)
    save_for(setup.cast.daniel, client, phone="0117 496 0002")
    expect(page.locator("list-changes").get_by_role("button", name="Show")).to_be_visible()
    yield "list that was changed elsewhere", page

    page.goto(f"/clients?q={LONG_WORD}")
    yield "empty list", page

    page.goto("/clients/new")
    page.get_by_label("Email").fill(LONG_WORD)
    page.get_by_role("button", name="Add client").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter the client’s name.")
    yield "new client with errors", page

    page.goto("/clients/999999999")
    yield "missing page", page

    page.goto("/signed-in")
    yield "page after signing in again", page


def desk(setup: SceneSetup) -> States:
    client = long_client(setup.cast)
    setup.crowd(client, VIEWERS, LONG_NAME)
    record(setup.cast.amelia, client, 1)
    save_for(setup.cast.daniel, client, phone="0117 496 0001", next_review_on=date(2026, 1, 1))
    key = DraftKey(setup.cast.amelia.id, f"client-{client.id}", "record")
    drafts.save(key, "desk", DraftPayload(1, "", {"phone": "1"}))
    about = {"profile_id": setup.cast.amelia.id, "actor_id": setup.cast.daniel.id, "client_id": client.id}
    db.session.add(Notification(kind=Kind.MENTIONED, subject=mention_subject(1), **about))
    db.session.commit()
    page = setup.amelia().page
    page.goto("/")
    expect(page.get_by_role("region", name="In use now").get_by_text("more").first).to_be_visible()
    yield "desk", page

    newcomer = setup.open_browser(make_profile("Nora", "Newcomer", "reader")).page
    newcomer.goto("/")
    expect(newcomer.get_by_text("You have opened no client yet.")).to_be_visible()
    yield "empty desk", newcomer


def notification_list(setup: SceneSetup) -> States:
    """Show the list with the panel of the top bar open above it."""
    client = make_client(LONG_NAME, adviser_id=setup.cast.amelia.id)
    for kind in (Kind.MENTIONED, Kind.WAITING, Kind.OPENED):
        notifications.add(kind, [setup.cast.amelia.id], client_id=client.id, actor_id=setup.cast.daniel.id)
    db.session.commit()
    page = setup.amelia().page
    page.goto("/notifications")
    page.locator(".bell").click()
    expect(page.locator(".notifications-panel")).to_be_visible()
    yield "notifications", page


def client_with_viewers(setup: SceneSetup) -> States:
    setup.browser_errors.expect("Failed to load resource")
    amelia, _ = setup.amelia_among_others()
    page = amelia.page
    yield "client with viewers", page

    amelia.indicator.locator("summary").click()
    expect(page.get_by_role("list", name="Who is here")).to_be_visible()
    yield "list of viewers", page

    page.keyboard.press("Escape")
    amelia.click_edit()
    expect(amelia.modal).to_be_visible()
    yield "modal", page

    page.get_by_role("button", name="Wait for Users").click()
    expect(amelia.waiting).to_be_visible()
    yield "client that a user waits for", page

    amelia.waiting.get_by_role("button", name="Stop waiting").click()
    page.route(f"**{PRESENCE_PATH}", lambda route: route.abort())
    amelia.hide_tab()  # which sends a heartbeat at once
    expect(page.get_by_text("Reconnecting…")).to_be_visible()
    yield "client without a connection", page

    page.unroute(f"**{PRESENCE_PATH}")
    amelia.context.clear_cookies()
    amelia.show_tab()
    expect(amelia.signed_out).to_be_visible()
    yield "client page of a user who is signed out", page


def client_without_anything(setup: SceneSetup) -> States:
    client = make_client("Sparse")
    amelia = setup.amelia()
    amelia.open(client)
    yield "client without anything", amelia.page

    amelia.page.goto(f"/clients/{client.id}/history")
    yield "empty history", amelia.page


def arrivals(setup: SceneSetup) -> States:
    client = long_client(setup.cast)
    amelia = setup.amelia()
    amelia.open(client)
    setup.crowd(client, VIEWERS, LONG_NAME)
    amelia.page.clock.install()
    amelia.hide_tab()  # which sends a heartbeat at once
    expect(amelia.toasts).to_have_count(5)
    amelia.toasts.first.hover()  # so that the toasts stay
    yield "toasts", amelia.page


def request_to_finish(setup: SceneSetup) -> States:
    """Open the editor while a user with a long name waits for it."""
    client = long_client(setup.cast)
    amelia = setup.amelia()
    amelia.open_editor(client)
    [waiting] = setup.crowd(client, 1, LONG_NAME)
    caller, page = identity_of(current_app, waiting), parse(f"client-{client.id}")
    current_store().beat(caller, beats.Beat(page, "waits", waiting=True))
    current_store().nudge(caller, page, "waits")
    expect(amelia.nudged).to_contain_text("is waiting to edit this client.")
    yield "request to finish", amelia.page

    amelia.page.get_by_role("button", name="Finish soon").click()
    expect(amelia.page.get_by_text("They know that you finish soon")).to_be_visible()
    yield "reply to that request", amelia.page


def lost_client(setup: SceneSetup) -> States:
    """Restrict the client while the user edits it."""
    setup.browser_errors.expect("status of 404")
    client = long_client(setup.cast)
    daniel = setup.open_browser(setup.cast.daniel, at=setup.portal)
    daniel.open_editor(client)
    daniel.field("Town").fill(LONG_WORD[::-1])
    daniel.field("Key information").fill(f"{LONG_WORD}\n{LONG_WORD}")
    save_for(setup.cast.amelia, client, is_restricted=True)
    daniel.hide_tab()  # which sends a heartbeat at once
    expect(daniel.page.get_by_text("Amelia Hart restricted it at")).to_be_visible()
    yield "lost client", daniel.page


def live_changes(setup: SceneSetup) -> States:
    """Change the client while it is shown, and a field of a card while the user edits it."""
    client = long_client(setup.cast)
    amelia = setup.amelia()
    amelia.open(client)
    save_for(setup.cast.daniel, client, name=LONG_NAME[::-1], phone="1", email="", town="T" * 90)
    amelia.hide_tab()  # which sends a heartbeat at once
    expect(amelia.page.get_by_text("Daniel changed")).to_be_visible()
    yield "client that another user has changed", amelia.page

    amelia.show_tab()
    amelia.page.get_by_role("link", name="Edit contact").click()
    amelia.field("Phone").fill("01632 960900")
    save_for(setup.cast.daniel, client, town="U" * 90, phone="2")
    amelia.hide_tab()
    expect(amelia.page.get_by_role("button", name="Keep mine")).to_be_visible()
    yield "card with a conflict", amelia.page


def kept_drafts(setup: SceneSetup) -> States:
    """Offer drafts on the client page, and one with every field in the editor, beside another typed field."""
    client = long_client(setup.cast)
    for form, values in _drafts_of(client).items():
        place = DraftKey(setup.cast.amelia.id, f"client-{client.id}", form)
        drafts.save(place, "a", DraftPayload(1, "", values))
    db.session.commit()
    amelia = setup.amelia()
    amelia.open(client)
    expect(amelia.page.get_by_role("region", name="Your unsaved changes")).to_contain_text("a new product")
    yield "client with drafts", amelia.page

    amelia.open_editor(client)
    amelia.field("Town").fill("Wells")
    expect(amelia.page.get_by_text("You have unsaved changes")).to_be_visible()
    wait_until_draft_is_kept(amelia)
    yield "editor with a draft", amelia.page


def _drafts_of(client: Client) -> dict[str, dict[str, str]]:
    person = db.session.scalars(select(models.Person).where(models.Person.client_id == client.id)).one()
    name = {"name": "1"}
    return {"record": dict.fromkeys(CLIENT.labels, "1"), f"person/{person.id}": name, "product/new": name}


def product(setup: SceneSetup) -> States:
    setup.browser_errors.expect("status of 422")
    page, address = _open_product(setup)
    yield "product", page

    page.goto(f"{address}/edit")
    page.get_by_role("dialog").get_by_role("button", name="Proceed Anyway").click()
    page.get_by_label("Fixed fee").fill(LONG_WORD)
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("alert")).to_contain_text("one field needs another look")
    yield "editor of a product with errors", page

    page.goto(f"{address}/remove")
    expect(page.get_by_role("button", name="Remove")).to_be_visible()
    yield "question before a removal", page


def _open_product(setup: SceneSetup) -> tuple[Page, str]:
    amelia, _ = setup.amelia_among_others()
    with amelia.page.expect_navigation():
        amelia.page.locator(".main-cell a").click()
    expect(amelia.page.get_by_role("heading", name="Valuations")).to_be_visible()
    return amelia.page, amelia.page.url


def access(setup: SceneSetup) -> States:
    client = long_client(setup.cast)
    granted = setup.crowd(client, 3, LONG_NAME)
    client.is_restricted = True
    db.session.add_all([models.ClientGrant(client_id=client.id, profile_id=profile.id) for profile in granted])
    db.session.commit()
    page = setup.amelia().page
    page.goto(f"/clients/{client.id}/access")
    expect(page.get_by_role("button", name=re.compile("^Take back the access"))).to_have_count(3)
    yield "access to a client", page
