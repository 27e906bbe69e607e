"""Notify a user on whatever page the user is, and lead to the place."""

import re

import pytest
from flask import Flask
from playwright.sync_api import expect
from sqlalchemy import delete

from portal.clients import Client
from portal.extensions import db
from portal.notifications import store
from portal.notifications.kinds import Kind
from portal.notifications.models import Notification
from tests.browser.page_checks import tab_to
from tests.browser.people import AT_ONCE_MS, OpenBrowser, Person
from tests.support.cast import Cast
from tests.support.edits import save_for
from tests.support.factories import make_client
from tests.support.server import Portal


@pytest.fixture(autouse=True)
def _no_earlier_notifications(app: Flask) -> None:
    """Delete those of the tests before, which share the users."""
    db.session.execute(delete(Notification))
    db.session.commit()


def test_count_rises_on_another_page_and_one_click_leads_to_the_change(
    open_browser: OpenBrowser, unhurried_portal: Portal, cast: Cast, client: Client
) -> None:
    """Both on a page without presence and on the page of another client."""
    amelia = open_browser(cast.amelia, at=unhurried_portal)
    bell = amelia.page.locator(".bell")
    amelia.page.goto("/account")
    expect(bell.locator("b")).to_be_empty()
    save_for(cast.daniel, client, phone="222")
    expect(bell).to_have_accessible_name("Notifications: 1 unread", timeout=AT_ONCE_MS)
    amelia.open(make_client("Another Client", adviser_id=cast.amelia.id))
    save_for(cast.ada, client, town="Bath")
    expect(bell.locator("b")).to_have_text("2", timeout=AT_ONCE_MS)

    panel = amelia.page.get_by_role("region", name="Notifications")
    bell.click()
    expect(panel).to_be_visible()
    bell.click()
    expect(panel).to_be_hidden()
    bell.click()
    expect(panel.get_by_role("listitem")).to_have_count(2)
    panel.get_by_role("link", name="Daniel Okafor changed Phone").click()
    expect(amelia.page).to_have_url(re.compile(rf"/clients/{client.id}/history\?version=2$"))
    expect(bell.locator("b")).to_have_text("1")


def test_user_on_another_page_is_notified_that_a_colleague_waits(
    amelia: Person, daniel: Person, cast: Cast, client: Client
) -> None:
    daniel.open_editor(client)
    elsewhere = daniel.another_tab()
    elsewhere.page.goto("/clients")
    amelia.open(client)
    amelia.wait_for_others()
    amelia.waiting.get_by_role("button", name="Ask to finish").click()
    expect(elsewhere.page.locator(".bell")).to_have_accessible_name("Notifications: 1 unread", timeout=AT_ONCE_MS)
    expect(elsewhere.page.get_by_role("status").filter(has_text="new notification")).to_be_attached()
    elsewhere.page.locator(".bell").click()
    elsewhere.page.get_by_role("link", name="Amelia Hart waits for you to finish").click()
    expect(elsewhere.page).to_have_url(re.compile(rf"/clients/{client.id}$"))


def test_panel_is_used_by_keyboard(amelia: Person, cast: Cast, client: Client) -> None:
    for note in range(12):
        store.add(
            Kind.MENTIONED,
            [cast.amelia.id],
            client_id=client.id,
            actor_id=cast.daniel.id,
            subject=f"note/{note}",
        )
    db.session.commit()
    amelia.page.goto("/account")
    page, bell = amelia.page, amelia.page.locator(".bell")
    panel = page.get_by_role("region", name="Notifications")
    tab_to(page, bell)
    page.keyboard.press("Enter")
    expect(panel.get_by_role("heading")).to_be_focused()
    expect(panel.get_by_role("listitem")).to_have_count(10)
    expect(bell).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(bell).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, panel.get_by_role("button", name="Mark all read"))
    page.keyboard.press("Enter")
    expect(bell).to_have_accessible_name("Notifications", timeout=AT_ONCE_MS)
    expect(panel.locator(".unread")).to_have_count(0)
    tab_to(page, panel.get_by_role("link", name="All notifications"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/notifications$"))
