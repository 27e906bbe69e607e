"""Build every page in every state, for the tests that check all of them.

Each scene has the longest names that a record accepts, without a space to break them at, and twenty viewers where the
page shows viewers.
"""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pyotp
from flask import current_app
from playwright.sync_api import Page, expect
from sqlalchemy import select, text

from portal import audit
from portal.auth import Profile
from portal.auth.sessions import store as sign_in_sessions
from portal.clients import Client, Product
from portal.clients.history import revert
from portal.clients.records import models
from portal.clients.records.entries import CLIENT, PERSON, PRODUCT, Entry
from portal.clients.saving import operations
from portal.clients.visits.store import record
from portal.editing.base_version import BaseVersion
from portal.editing.drafts import store as drafts
from portal.editing.drafts.store import DraftKey, DraftPayload
from portal.editing.merge.resolutions import Resolution
from portal.extensions import db
from portal.notifications import store as notifications
from portal.notifications.kinds import Kind, mention_subject
from portal.notifications.models import Notification
from portal.page_kinds import parse
from portal.presence import beats
from portal.presence.store import current_store
from portal.web.actor import Actor, RequestOrigin
from tests.browser.browser_errors import BrowserErrors
from tests.browser.drafts import wait_until_draft_is_kept
from tests.browser.people import CHANGES, PRESENCE_PATH, Crowd, OpenBrowser, Person
from tests.support.cast import PASSWORD, Cast, make_profile
from tests.support.edits import edit_from, save_for
from tests.support.factories import make_client, make_note, make_person, make_product
from tests.support.hostile_texts import shuffled
from tests.support.server import Portal
from tests.support.test_client import identity_of

LONG_NAME = "Featherstonehaugh-Cholmondeley-Marjoribanks-Wriothesley-Beauchamp-Dalziel"
LONG_WORD = "w" * 90
VIEWERS = 20


@dataclass(frozen=True)
class SceneSetup:
    """What a scene needs. Its portal is the unhurried one, on which nothing changes by itself."""

    open_browser: OpenBrowser
    portal: Portal
    cast: Cast
    crowd: Crowd
    browser_errors: BrowserErrors

    def amelia(self) -> Person:
        return self.open_browser(self.cast.amelia, at=self.portal)

    def amelia_among_others(self) -> tuple[Person, Client]:
        """Open the client page beside twenty other viewers, and wait until it shows them."""
        client = long_client(self.cast)
        self.crowd(client, VIEWERS, LONG_NAME)
        amelia = self.amelia()
        amelia.open(client)
        amelia.sees(f"{VIEWERS} users are viewing this client record")
        return amelia, client


def the_sign_in_page(setup: SceneSetup) -> Page:
    anonymous = setup.open_browser(None, at=setup.portal)
    anonymous.page.goto("/sign-in")
    return anonymous.page


def a_refused_sign_in(setup: SceneSetup) -> Page:
    setup.browser_errors.expect("status of 401")
    page = the_sign_in_page(setup)
    page.get_by_label("Email").fill(f"{LONG_WORD}@firm.example")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    return page


def the_signed_in_page(setup: SceneSetup) -> Page:
    amelia = setup.amelia()
    amelia.page.goto("/signed-in")
    return amelia.page


def the_list(setup: SceneSetup) -> Page:
    client = long_client(setup.cast)
    setup.crowd(client, VIEWERS, LONG_NAME)
    amelia = setup.amelia()
    amelia.page.goto("/clients?q=Featherstonehaugh")
    expect(amelia.page.locator(f'[data-page="client-{client.id}"] .avatar')).to_have_count(4)
    return amelia.page


def the_desk(setup: SceneSetup) -> Page:
    client = long_client(setup.cast)
    setup.crowd(client, VIEWERS, LONG_NAME)
    record(setup.cast.amelia, client, 1)
    save_for(setup.cast.daniel, client, phone="0117 496 0001", next_review_on=date(2026, 1, 1))
    key = DraftKey(setup.cast.amelia.id, f"client-{client.id}", "record")
    drafts.save(key, "desk", DraftPayload(1, "", {"phone": "1"}))
    about = {"profile_id": setup.cast.amelia.id, "actor_id": setup.cast.daniel.id, "client_id": client.id}
    db.session.add(Notification(kind=Kind.MENTIONED, subject=mention_subject(1), **about))
    db.session.commit()
    amelia = setup.amelia()
    amelia.page.goto("/")
    expect(amelia.page.get_by_role("region", name="In use now").get_by_text("more").first).to_be_visible()
    return amelia.page


def an_empty_desk(setup: SceneSetup) -> Page:
    newcomer = setup.open_browser(make_profile("Nora", "Newcomer", "reader"))
    newcomer.page.goto("/")
    expect(newcomer.page.get_by_text("You have opened no client yet.")).to_be_visible()
    return newcomer.page


def a_new_client_with_errors(setup: SceneSetup) -> Page:
    setup.browser_errors.expect("status of 422")
    page = setup.amelia().page
    page.goto("/clients/new")
    page.get_by_label("Email").fill(LONG_WORD)
    page.get_by_role("button", name="Add client").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter the client’s name.")
    return page


def an_empty_list(setup: SceneSetup) -> Page:
    amelia = setup.amelia()
    amelia.page.goto(f"/clients?q={LONG_WORD}")
    return amelia.page


def a_client_without_anything(setup: SceneSetup) -> Page:
    amelia = setup.amelia()
    amelia.open(make_client("Sparse"))
    return amelia.page


def a_client_with_viewers(setup: SceneSetup) -> Page:
    return setup.amelia_among_others()[0].page


def who_is_here(setup: SceneSetup) -> Page:
    amelia, _ = setup.amelia_among_others()
    amelia.indicator.locator("summary").click()
    expect(amelia.page.get_by_role("list", name="Who is here")).to_be_visible()
    return amelia.page


def the_modal(setup: SceneSetup) -> Page:
    amelia, _ = setup.amelia_among_others()
    amelia.click_edit()
    expect(amelia.modal).to_be_visible()
    return amelia.page


def the_modal_in_an_editor(setup: SceneSetup) -> Page:
    """Opened by its address."""
    client = long_client(setup.cast)
    setup.crowd(client, VIEWERS, LONG_NAME)
    amelia = setup.amelia()
    amelia.open_path(f"/clients/{client.id}/edit")
    expect(amelia.modal.locator("[data-name]")).to_have_count(VIEWERS)
    return amelia.page


def waiting_for_others(setup: SceneSetup) -> Page:
    page = the_modal(setup)
    page.get_by_role("button", name="Wait for Users").click()
    expect(page.locator("wait-banner")).to_be_visible()
    return page


def asked_to_finish(setup: SceneSetup) -> Page:
    """Open the editor while a user with a long name waits for it."""
    client = long_client(setup.cast)
    amelia = setup.amelia()
    amelia.open_editor(client)
    [waiting] = setup.crowd(client, 1, LONG_NAME)
    caller, page = identity_of(current_app, waiting), parse(f"client-{client.id}")
    current_store().beat(caller, beats.Beat(page, "waits", waiting=True))
    current_store().nudge(caller, page, "waits")
    expect(amelia.nudged).to_contain_text("is waiting to edit this client.")
    return amelia.page


def an_answer_to_that(setup: SceneSetup) -> Page:
    page = asked_to_finish(setup)
    page.get_by_role("button", name="Finish soon").click()
    expect(page.get_by_text("They know that you finish soon")).to_be_visible()
    return page


def news(setup: SceneSetup) -> Page:
    client = long_client(setup.cast)
    amelia = setup.amelia()
    amelia.open(client)
    setup.crowd(client, VIEWERS, LONG_NAME)
    amelia.page.clock.install()
    amelia.hide_tab()  # which sends a heartbeat at once
    expect(amelia.toasts).to_have_count(5)
    amelia.toasts.first.hover()  # so that the toasts stay
    return amelia.page


def reconnecting(setup: SceneSetup) -> Page:
    setup.browser_errors.expect("Failed to load resource")
    amelia, _ = setup.amelia_among_others()
    amelia.page.route(f"**{PRESENCE_PATH}", lambda route: route.abort())
    amelia.hide_tab()
    expect(amelia.page.get_by_text("Reconnecting…")).to_be_visible()
    return amelia.page


def signed_out(setup: SceneSetup) -> Page:
    setup.browser_errors.expect("status of 401")
    amelia, _ = setup.amelia_among_others()
    amelia.context.clear_cookies()
    amelia.hide_tab()
    expect(amelia.signed_out).to_be_visible()
    return amelia.page


def a_lost_client(setup: SceneSetup) -> Page:
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
    return daniel.page


def the_editor(setup: SceneSetup) -> Page:
    client = long_client(setup.cast)
    setup.crowd(client, VIEWERS, LONG_NAME)
    amelia = setup.amelia()
    amelia.open_editor(client)
    amelia.field("Phone").fill("01632 960900")
    amelia.sees(f"{VIEWERS} users are viewing this client record")
    return amelia.page


def the_editor_beside_others(setup: SceneSetup) -> Page:
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
    return amelia.page


def the_client_page_after_a_save(setup: SceneSetup) -> Page:
    client = long_client(setup.cast)
    amelia = setup.amelia()
    amelia.open(client)
    save_for(setup.cast.daniel, client, name=LONG_NAME[::-1], phone="1", email="", town="T" * 90)
    amelia.hide_tab()
    expect(amelia.page.get_by_text("Daniel changed")).to_be_visible()
    return amelia.page


def a_card_being_edited(setup: SceneSetup) -> Page:
    """Edit a field in its card after another user has changed it."""
    client = long_client(setup.cast)
    amelia = setup.amelia()
    amelia.open(client)
    amelia.page.get_by_role("link", name="Edit contact").click()
    amelia.field("Phone").fill("01632 960900")
    save_for(setup.cast.daniel, client, town="T" * 90, phone="1")
    amelia.hide_tab()
    expect(amelia.page.get_by_role("button", name="Keep mine")).to_be_visible()
    return amelia.page


def the_editor_with_errors(setup: SceneSetup) -> Page:
    setup.browser_errors.expect("status of 422")
    amelia = setup.amelia()
    amelia.open_editor(long_client(setup.cast))
    amelia.field("Name").fill("")
    amelia.field("Email").fill(LONG_WORD)
    amelia.save()
    expect(amelia.page.get_by_role("alert")).to_contain_text("2 fields need another look")
    return amelia.page


def a_draft_on_offer(setup: SceneSetup) -> Page:
    """Offer a draft with every field, beside another typed field."""
    client = long_client(setup.cast)
    place = DraftKey(setup.cast.amelia.id, f"client-{client.id}", "record")
    drafts.save(place, "a", DraftPayload(1, "", dict.fromkeys(CLIENT.labels, "1")))
    db.session.commit()
    amelia = setup.amelia()
    amelia.open_editor(client)
    amelia.field("Town").fill("Wells")
    expect(amelia.page.get_by_text("You have unsaved changes")).to_be_visible()
    wait_until_draft_is_kept(amelia)
    return amelia.page


def cancel_asks(setup: SceneSetup) -> Page:
    amelia = setup.amelia()
    amelia.open_editor(long_client(setup.cast))
    amelia.field("Town").fill("Wells")
    amelia.page.get_by_role("link", name="Cancel").click()
    expect(amelia.page.get_by_role("dialog", name="You have not saved your changes")).to_be_visible()
    return amelia.page


def drafts_on_the_client_page(setup: SceneSetup) -> Page:
    client = long_client(setup.cast)
    person = db.session.scalars(select(models.Person).where(models.Person.client_id == client.id)).one()
    for form in ("record", f"person/{person.id}", "product/new"):
        place = DraftKey(setup.cast.amelia.id, f"client-{client.id}", form)
        drafts.save(place, "a", DraftPayload(1, "", {"name": "1"}))
    db.session.commit()
    amelia = setup.amelia()
    amelia.open(client)
    expect(amelia.page.get_by_role("region", name="Your unsaved changes")).to_contain_text("a new product")
    return amelia.page


def a_save_without_the_portal(setup: SceneSetup) -> Page:
    setup.browser_errors.expect("Failed to load resource")
    amelia = setup.amelia()
    amelia.open_editor(long_client(setup.cast))
    amelia.page.route("**/edit_drafts/**", lambda route: route.abort())
    amelia.field("Town").fill("Wells")
    amelia.save()
    expect(amelia.page.get_by_role("alert")).to_contain_text("Not saved")
    return amelia.page


def a_conflict(setup: SceneSetup) -> Page:
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
    return amelia.page


def a_product(setup: SceneSetup) -> Page:
    amelia, _ = setup.amelia_among_others()
    with amelia.page.expect_navigation():
        amelia.page.locator(".main-cell a").click()
    expect(amelia.page.get_by_role("heading", name="Valuations")).to_be_visible()
    return amelia.page


def the_editor_of_a_product_with_errors(setup: SceneSetup) -> Page:
    setup.browser_errors.expect("status of 422")
    page = a_product(setup)
    page.goto(f"{page.url}/edit")
    page.get_by_role("dialog").get_by_role("button", name="Proceed Anyway").click()
    page.get_by_label("Fixed fee").fill(LONG_WORD)
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("alert")).to_contain_text("one field needs another look")
    return page


def asked_before_removing(setup: SceneSetup) -> Page:
    page = a_product(setup)
    page.goto(f"{page.url}/remove")
    expect(page.get_by_role("button", name="Remove")).to_be_visible()
    return page


def a_removed_part(setup: SceneSetup) -> Page:
    setup.browser_errors.expect("status of 409")
    client = long_client(setup.cast)
    amelia = setup.amelia()
    amelia.page.goto(f"/clients/{client.id}")
    amelia.page.get_by_role("link", name=re.compile("^Mrs ")).click()
    amelia.field("Known as").fill(LONG_WORD[::2])
    person = db.session.scalars(select(models.Person).where(models.Person.client_id == client.id)).one()
    entry = Entry(PERSON, person.id)
    operations.remove_part(client, entry, edit_from(client.version, setup.cast.daniel.id))
    db.session.commit()
    amelia.save()
    expect(amelia.page.get_by_role("heading", name=re.compile("has been removed$"))).to_be_visible()
    return amelia.page


def the_history(setup: SceneSetup) -> Page:
    """Make changes of every kind with the longest values."""
    client = long_client(setup.cast)
    daniel = setup.cast.daniel
    save_for(daniel, client, name=LONG_NAME[::-1], town="T" * 90, notes=f"{LONG_WORD}\n\n{LONG_WORD} and less")
    decided = {"town": Resolution("yours"), "notes": Resolution("theirs")}
    values = {"town": "U" * 90, "notes": LONG_WORD}
    origin = BaseVersion(1, seen_version=2)
    edit = edit_from(origin, setup.cast.amelia.id, values, resolutions=decided, proceeded=True)
    operations.save_entry(client, Entry(CLIENT), edit)
    product = db.session.scalars(select(Product).where(Product.client_id == client.id)).one()
    operations.remove_part(client, Entry(PRODUCT, product.id), edit_from(client.version, daniel.id))
    db.session.commit()
    amelia = setup.amelia()
    amelia.page.goto(f"/clients/{client.id}/history")
    expect(amelia.page.get_by_role("link", name=re.compile("^Undo"))).to_have_count(3)
    return amelia.page


def the_same_person_again(setup: SceneSetup) -> Page:
    setup.browser_errors.expect("status of 422")
    client = long_client(setup.cast)
    amelia = setup.amelia()
    amelia.page.goto(f"/clients/{client.id}/person/new")
    amelia.field("First name").fill(LONG_NAME)
    amelia.field("Last name").fill(LONG_NAME)
    amelia.save()
    expect(amelia.page.get_by_role("checkbox", name="This is another person")).to_be_visible()
    return amelia.page


def overruled(setup: SceneSetup) -> Page:
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
    amelia = setup.amelia()
    amelia.page.goto(f"/clients/{client.id}")
    amelia.page.get_by_text("1 more", exact=True).click()
    expect(amelia.page.get_by_role("button", name="Dismiss what Daniel did")).to_have_count(3)
    return amelia.page


def asked_before_undoing(setup: SceneSetup) -> Page:
    """Undo a change that restores a field, asks about another and removes lines of a text."""
    client = long_client(setup.cast)
    daniel = setup.cast.daniel
    before = client.notes
    save_for(daniel, client, name=LONG_NAME[::-1], town="T" * 90, notes=f"{before}\n{LONG_WORD} and more")
    save_for(setup.cast.ada, client, town="U" * 90)
    amelia = setup.amelia()
    amelia.page.goto(f"/clients/{client.id}/history")
    amelia.page.get_by_role("link", name="Undo change 2").click()
    expect(amelia.page.get_by_role("main")).to_contain_text("Ada Byron has changed this since")
    return amelia.page


def long_texts_in_the_history(setup: SceneSetup) -> Page:
    """Show an unfolded text, a text that is too costly to compare, and a folded one."""
    client = long_client(setup.cast)
    lines = "\n".join(f"Rang on day {n}: {LONG_WORD}" for n in range(20))
    for notes in (lines, lines.replace("day 3", "day three"), shuffled(0), shuffled(1)):
        save_for(setup.cast.daniel, client, notes=notes)
    amelia = setup.amelia()
    amelia.page.goto(f"/clients/{client.id}/history")
    folded = amelia.page.locator("[data-unfold]")
    folded.nth(2).locator("summary").click()
    expect(folded.nth(2).locator("ins")).to_have_count(1)
    folded.first.locator("summary").click()
    expect(folded.first.locator(".side-by-side")).to_be_visible()
    return amelia.page


def who_sees_a_client(setup: SceneSetup) -> Page:
    client = long_client(setup.cast)
    granted = setup.crowd(client, 3, LONG_NAME)
    client.is_restricted = True
    db.session.add_all([models.ClientGrant(client_id=client.id, profile_id=profile.id) for profile in granted])
    db.session.commit()
    amelia = setup.amelia()
    amelia.page.goto(f"/clients/{client.id}/access")
    expect(amelia.page.get_by_role("button", name=re.compile("^Take back the access"))).to_have_count(3)
    return amelia.page


def an_empty_history(setup: SceneSetup) -> Page:
    amelia = setup.amelia()
    amelia.page.goto(f"/clients/{make_client('Sparse').id}/history")
    return amelia.page


def a_missing_page(setup: SceneSetup) -> Page:
    setup.browser_errors.expect("status of 404")
    amelia = setup.amelia()
    amelia.page.goto("/clients/999999999")
    return amelia.page


def still_there(setup: SceneSetup) -> Page:
    """Let the clock reach two minutes before the idle limit."""
    amelia = setup.amelia()
    amelia.page.clock.install()
    amelia.page.goto("/account")
    amelia.page.route("**/session", lambda route: route.abort())
    setup.browser_errors.expect("Failed to load resource")
    amelia.page.clock.fast_forward("28:01")
    expect(amelia.page.get_by_role("alertdialog", name="Are you still there?")).to_be_visible()
    return amelia.page


def the_notifications(setup: SceneSetup) -> Page:
    """Show the list with the panel of the top bar open above it."""
    client = make_client(LONG_NAME, adviser_id=setup.cast.amelia.id)
    for kind in (Kind.MENTIONED, Kind.WAITING, Kind.OPENED):
        notifications.add(kind, [setup.cast.amelia.id], client_id=client.id, actor_id=setup.cast.daniel.id)
    db.session.commit()
    page = setup.amelia().page
    page.goto("/notifications")
    page.locator(".bell").click()
    expect(page.locator(".notifications-panel")).to_be_visible()
    return page


def the_account(setup: SceneSetup) -> Page:
    """Show two sign-in sessions, and the error of a wrong password."""
    setup.browser_errors.expect("status of 422")
    profile = _long_profile()
    sign_in_sessions.begin(
        profile.id, profile.session_epoch, RequestOrigin("2001:db8::1", "Firefox/1 Windows"), hours=12
    )
    db.session.commit()
    page = setup.open_browser(profile, at=setup.portal).page
    page.goto("/account")
    page.get_by_label("Your password").last.fill("wrong")
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_text("That is not your password.")).to_be_visible()
    return page


def setting_up_a_second_factor(setup: SceneSetup) -> Page:
    page = setup.open_browser(_long_profile(), at=setup.portal).page
    page.goto("/account")
    page.get_by_label("Your password").last.fill(PASSWORD)
    page.get_by_role("button", name="Set up").click()
    page.get_by_text("Or type the key by hand").click()
    expect(page.get_by_role("img", name="QR code for your authenticator app")).to_be_visible()
    return page


def recovery_codes(setup: SceneSetup) -> Page:
    page = setting_up_a_second_factor(setup)
    secret = page.locator(".code").inner_text().replace(" ", "")
    page.get_by_label("Code", exact=True).fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Keep these recovery codes")
    return page


def entering_a_code(setup: SceneSetup) -> Page:
    """Enter a wrong code after the password."""
    setup.browser_errors.expect("status of 401")
    page = recovery_codes(setup)
    page.goto("/account")
    email = page.locator(".count").inner_text().split(", ")[-1]
    page.get_by_role("button", name="Sign out", exact=True).first.click()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Code", exact=True).fill("000000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("That code is incorrect")
    return page


def choosing_a_password(setup: SceneSetup) -> Page:
    setup.browser_errors.expect("status of 422")
    page = setup.open_browser(None, at=setup.portal).page
    page.goto("/choose-password")
    page.get_by_label("Code").fill("x")
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_text("Enter your email address.")).to_be_visible()
    return page


def the_users(setup: SceneSetup) -> Page:
    _long_profile()
    return _ada_at(setup, "/users")


def a_user(setup: SceneSetup) -> Page:
    return _ada_at(setup, f"/users/{_long_profile().id}")


def a_new_user_with_errors(setup: SceneSetup) -> Page:
    setup.browser_errors.expect("status of 422")
    page = _ada_at(setup, "/users/new")
    page.get_by_role("button", name="Add user").click()
    expect(page.get_by_text("Enter the first name.")).to_be_visible()
    return page


def a_code_for_a_new_user(setup: SceneSetup) -> Page:
    page = _ada_at(setup, "/users/new")
    page.get_by_label("First name").fill(LONG_NAME)
    page.get_by_label("Last name").fill(LONG_NAME)
    page.get_by_label("Email").fill(f"{secrets.token_hex(16)}@{'mail' * 12}.example")
    page.get_by_role("button", name="Add user").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Password code for")
    return page


def a_hand_over(setup: SceneSetup) -> Page:
    adviser = _long_profile()
    make_client(LONG_NAME, adviser_id=adviser.id, is_restricted=True)
    return _ada_at(setup, f"/users/{adviser.id}/hand-over")


def asked_before_exporting(setup: SceneSetup) -> Page:
    setup.browser_errors.expect("status of 422")
    page = _ada_at(setup, "/records/export")
    page.get_by_role("button", name="Export").click()
    expect(page.get_by_text("Enter your password.")).to_be_visible()
    return page


def the_audit(setup: SceneSetup) -> Page:
    profile = _long_profile()
    actor = Actor(profile.id, RequestOrigin("2001:db8:1234:5678:9abc:def0:1234:5678", "w" * 200, "r" * 64))
    audit.record(audit.Event.CONFLICT_OVERRIDDEN, actor, profile_id=profile.id, fields=[LONG_WORD])
    db.session.commit()
    return _ada_at(setup, "/audit")


def the_read_log(setup: SceneSetup) -> Page:
    client, reader = long_client(setup.cast), _long_profile()
    read = "INSERT INTO client_reads SELECT date_trunc('hour', now(), 'UTC'), :client, :reader"
    db.session.execute(text(read), {"client": client.id, "reader": reader.id})
    db.session.commit()
    page = _ada_at(setup, f"/reads?client={client.client_ref}")
    expect(page.get_by_role("row").filter(has_text=reader.email)).to_be_visible()
    return page


def _long_profile() -> Profile:
    """Create a profile of this scene only, with the longest names."""
    return make_profile(LONG_NAME, f"{LONG_NAME}-{secrets.token_hex(4)}")


def _ada_at(setup: SceneSetup, path: str) -> Page:
    ada = setup.open_browser(setup.cast.ada, at=setup.portal)
    ada.page.goto(path)
    return ada.page


SCENES: tuple[Callable[[SceneSetup], Page], ...] = (
    the_sign_in_page,
    a_refused_sign_in,
    the_signed_in_page,
    the_list,
    the_desk,
    an_empty_desk,
    a_new_client_with_errors,
    an_empty_list,
    a_client_without_anything,
    a_client_with_viewers,
    who_is_here,
    the_modal,
    the_modal_in_an_editor,
    waiting_for_others,
    asked_to_finish,
    an_answer_to_that,
    news,
    reconnecting,
    signed_out,
    a_lost_client,
    the_editor,
    the_editor_beside_others,
    the_client_page_after_a_save,
    a_card_being_edited,
    the_editor_with_errors,
    a_draft_on_offer,
    cancel_asks,
    drafts_on_the_client_page,
    a_save_without_the_portal,
    a_conflict,
    a_product,
    the_editor_of_a_product_with_errors,
    asked_before_removing,
    a_removed_part,
    the_history,
    the_same_person_again,
    overruled,
    asked_before_undoing,
    long_texts_in_the_history,
    who_sees_a_client,
    an_empty_history,
    a_missing_page,
    still_there,
    the_account,
    the_notifications,
    setting_up_a_second_factor,
    recovery_codes,
    entering_a_code,
    choosing_a_password,
    the_users,
    a_user,
    a_new_user_with_errors,
    a_code_for_a_new_user,
    a_hand_over,
    asked_before_exporting,
    the_audit,
    the_read_log,
)


def long_client(cast: Cast) -> Client:
    """Create a client with long texts without spaces in every field."""
    client = make_client(
        LONG_NAME,
        adviser_id=cast.amelia.id,
        email=f"{'e' * 60}@{'mail' * 12}.example",
        phone="+44 1632 960 001 extension 12345678901",
        address_line1=LONG_WORD,
        town=LONG_WORD,
        postcode="KT1 1AA",
        risk_profile=4,
        capacity_for_loss="medium",
        client_since=date(2011, 4, 6),
        next_review_on=date(2025, 1, 31),
        objectives=f"https://{LONG_WORD}.example/{LONG_WORD}",
        notes=f"{LONG_WORD}\n\n{LONG_WORD} and more",
    )
    make_note(client, f"{LONG_WORD} " * 54, kind="meeting", author_id=cast.daniel.id)
    make_person(client, LONG_NAME, LONG_NAME, known_as=LONG_WORD, ni_number="QQ123456C", title="Mrs")
    make_product(
        client,
        (date(2025, 3, 31), "123456789.01"),
        (date(2026, 3, 31), "999999999.99"),
        product_name=LONG_WORD,
        provider=LONG_WORD,
        plan_number=f"P{client.id}-{'9' * 30}",
        status="lapsed",
        percentage_fee="0.75",
        fixed_fee="1200",
    )
    return client
