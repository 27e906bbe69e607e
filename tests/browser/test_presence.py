"""Test that users of a page see each other arrive, view, edit and leave."""

import re

from playwright.sync_api import Browser, expect

from portal.clients import Client
from tests.browser.browser_errors import BrowserErrors
from tests.browser.people import AT_ONCE_MS, Crowd, OpenBrowser, Person, kill_browser
from tests.support.cast import Cast
from tests.support.server import Portal


def test_users_see_each_other_arrive_and_leave(amelia: Person, daniel: Person, client: Client) -> None:
    amelia.open(client)
    amelia.sees()

    daniel.open(client)
    daniel.sees("Amelia is also viewing this client record")
    amelia.sees("Daniel is also viewing this client record")
    expect(amelia.avatars).to_have_text(["DO"])
    expect(amelia.avatars).to_have_attribute("title", "Daniel Okafor – Active now")
    expect(amelia.avatars).to_have_class(re.compile(r"\bviewing\b"))

    daniel.leave()
    amelia.sees()


def test_three_avatars_are_shown_the_others_counted_and_all_named_in_the_menu(
    open_browser: OpenBrowser,
    unhurried_portal: Portal,
    cast: Cast,
    client: Client,
    crowd: Crowd,
) -> None:
    people = crowd(client, 5)
    amelia = open_browser(cast.amelia, at=unhurried_portal)
    amelia.open(client)

    amelia.sees("5 users are viewing this client record")
    expect(amelia.avatars).to_have_text(["VO", "VO", "VO", "+2"])
    first, *_, more = amelia.avatars.all()
    expect(first).to_have_attribute("title", f"Viewer01 Of Client {client.id} – Active now")
    expect(more).to_have_attribute("title", re.compile("Viewer04 .+, Viewer05 .+"))

    amelia.indicator.locator("summary").click()
    names = amelia.page.get_by_role("list", name="Who is here").locator("[data-name]")
    expect(names).to_have_text([profile.full_name for profile in people])


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


def test_user_of_a_killed_browser_is_removed_after_the_active_window(
    amelia: Person, open_browser: OpenBrowser, another_browser: Browser, cast: Cast, client: Client
) -> None:
    amelia.open(client)
    daniel = open_browser(cast.daniel, browser=another_browser)
    daniel.open(client)
    amelia.sees("Daniel is also viewing this client record")

    kill_browser(another_browser)
    amelia.take_in()
    amelia.sees("Daniel is also viewing this client record")
    amelia.sees()


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
