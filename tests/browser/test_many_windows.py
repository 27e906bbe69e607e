"""Test many windows of one browser: over HTTP/1.1 they share six connections, and streams use at most three."""

import re

from playwright.sync_api import expect

from portal.clients import Client
from portal.extensions import db
from tests.browser.people import AT_ONCE_MS, OpenBrowser
from tests.support.cast import Cast
from tests.support.edits import save_for
from tests.support.factories import make_client
from tests.support.server import Portal
from tests.support.volume import volume

WINDOWS_OF_ONE_CLIENT = 4
OTHER_CLIENTS = volume(3, 6)  # seven windows are more than there are connections


def test_more_windows_than_connections_load_save_and_show_what_others_save(
    open_browser: OpenBrowser, unhurried_portal: Portal, cast: Cast, client: Client
) -> None:
    """Four windows show one client, each other window another. Heartbeats are 30 s apart, and all streams are open."""
    first = open_browser(cast.amelia, at=unhurried_portal)
    windows = [first, *(first.another_tab() for _ in range(WINDOWS_OF_ONE_CLIENT + OTHER_CLIENTS - 1))]
    clients = [client] * WINDOWS_OF_ONE_CLIENT + [make_client("Side By Side") for _ in range(OTHER_CLIENTS)]
    for window, shown in zip(windows, clients, strict=True):
        window.open(shown)

    first.open_editor(client)
    first.field("Phone").fill("01632 960700")
    first.save()
    expect(first.page).to_have_url(re.compile(rf"/clients/{client.id}$"))
    for window in windows[:WINDOWS_OF_ONE_CLIENT]:
        expect(window.page.get_by_role("link", name="01632 960700")).to_be_visible(timeout=AT_ONCE_MS)

    db.session.rollback()  # so that it reads what the portal has saved
    for number, shown in enumerate(clients[WINDOWS_OF_ONE_CLIENT - 1 :]):
        save_for(cast.ada, shown, phone=f"01632 96080{number}")
    for number, window in enumerate(windows[WINDOWS_OF_ONE_CLIENT - 1 :]):
        expect(window.page.get_by_role("link", name=f"01632 96080{number}")).to_be_visible(timeout=AT_ONCE_MS)
    for window in windows[:WINDOWS_OF_ONE_CLIENT]:
        expect(window.page.get_by_role("link", name="01632 960800")).to_be_visible(timeout=AT_ONCE_MS)
