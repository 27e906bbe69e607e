"""Test that users who leave a page, or return to it, are seen at once."""

from playwright.sync_api import expect

from portal.clients import Client
from tests.browser.browser_errors import BrowserErrors
from tests.browser.people import AT_ONCE_MS, OpenBrowser
from tests.support.cast import Cast
from tests.support.server import Portal


def test_leaving_user_is_removed_at_once(
    open_browser: OpenBrowser, unhurried_portal: Portal, cast: Cast, client: Client, browser_errors: BrowserErrors
) -> None:
    """Leave for another page, by closing the tab, and by signing out.

    The server trusts a broken stream after eight seconds, so a faster removal is due to the browser's request.
    """
    browser_errors.expect("status of 401")  # the page sends its leave once more after the sign-out
    amelia, daniel = (open_browser(profile, at=unhurried_portal) for profile in (cast.amelia, cast.daniel))
    amelia.open(client)

    daniel.open(client)
    amelia.is_told(client, {"Amelia": "viewing", "Daniel": "viewing"})
    daniel.leave()
    amelia.is_told(client, {"Amelia": "viewing"}, patience_ms=6000)

    second = daniel.another_tab()
    second.open_editor(client)
    amelia.is_told(client, {"Amelia": "viewing", "Daniel": "editing"})
    second.page.close()
    amelia.is_told(client, {"Amelia": "viewing"}, patience_ms=6000)

    daniel.open(client)
    amelia.is_told(client, {"Amelia": "viewing", "Daniel": "viewing"})
    daniel.page.get_by_role("button", name="Sign out").click()
    amelia.is_told(client, {"Amelia": "viewing"}, patience_ms=6000)
    daniel.page.goto("/clients")
    expect(daniel.page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_return_to_the_tab_shows_at_once_the_users_who_arrived_meanwhile(
    open_browser: OpenBrowser, unhurried_portal: Portal, cast: Cast, client: Client
) -> None:
    amelia, daniel = (open_browser(profile, at=unhurried_portal) for profile in (cast.amelia, cast.daniel))
    amelia.open(client)
    amelia.hide_tab()
    daniel.open(client)
    expect(daniel.avatars).to_have_attribute("title", "Amelia Hart – Away", timeout=AT_ONCE_MS)

    amelia.show_tab()
    expect(amelia.sentence).to_have_text("Daniel is also viewing this client record", timeout=AT_ONCE_MS)
