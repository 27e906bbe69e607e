"""Test the toasts about users who join and leave: one each, and none without a change."""

import re

from playwright.sync_api import expect

from portal.clients import Client
from tests.browser.page_checks import COMPACT_HEAD_PX, top_of
from tests.browser.people import PRESENCE_PATH, Crowd, OpenBrowser, Person
from tests.support.cast import Cast
from tests.support.server import Portal

DANIEL_JOINED = "Daniel Okafor joined this page 👋"
DANIEL_LEFT = "Daniel Okafor left this page 👋"


def test_arrival_and_departure_show_toasts_that_expire_or_are_dismissed(
    amelia: Person, daniel: Person, client: Client
) -> None:
    amelia.open(client)
    daniel.open(client)
    expect(amelia.toasts).to_contain_text([DANIEL_JOINED])
    expect(amelia.toasts).to_have_count(0)

    daniel.page.close()
    expect(amelia.toasts).to_contain_text([DANIEL_LEFT])
    amelia.toasts.hover()  # a toast stays while the pointer is on it
    amelia.toasts.get_by_role("button", name="Dismiss").click()
    expect(amelia.toasts).to_have_count(0)
    assert amelia.toasts_so_far() == [DANIEL_JOINED, DANIEL_LEFT]


def test_reload_shows_no_toast_on_either_side(amelia: Person, daniel: Person, client: Client) -> None:
    amelia.open(client)
    daniel.open(client)
    amelia.sees("Daniel is also viewing this client record")

    # A slow reload: Amelia receives a roster without Daniel before his new page sends a heartbeat.
    daniel.page.route(f"**{PRESENCE_PATH}", lambda route: None)
    daniel.page.reload()
    amelia.take_in()
    amelia.sees("Daniel is also viewing this client record")
    daniel.page.unroute(f"**{PRESENCE_PATH}")
    daniel.sees("Amelia is also viewing this client record")

    amelia.forget_who_left()
    amelia.take_in()
    assert amelia.toasts_so_far() == [DANIEL_JOINED]
    assert daniel.toasts_so_far() == []


def test_news_can_be_switched_off_for_good(amelia: Person, daniel: Person, client: Client) -> None:
    daniel.open(client)
    amelia.open(client)
    amelia.indicator.locator("summary").click()
    amelia.page.get_by_label("Tell me when somebody joins or leaves").uncheck()
    daniel.leave()
    amelia.forget_who_left()
    amelia.sees()
    assert amelia.toasts_so_far() == []

    amelia.reload()
    daniel.open(client)
    amelia.sees("Daniel is also viewing this client record")
    assert amelia.toasts_so_far() == []


def test_user_who_joins_beside_another_is_announced_once(
    amelia: Person, daniel: Person, open_browser: OpenBrowser, cast: Cast, client: Client
) -> None:
    """The indicator that the first user's arrival inserts must not add a second listener."""
    daniel.open(client)
    amelia.open(client)
    amelia.sees("Daniel is also viewing this client record")

    open_browser(cast.rhys).open(client)
    amelia.sees("2 users are viewing this client record")
    expect(amelia.toasts.first).to_have_text(re.compile("Rhys Morgan joined this page 👋"))
    expect(amelia.toasts).to_have_count(0)
    assert amelia.toasts_so_far() == ["Rhys Morgan joined this page 👋"]


def test_many_arrivals_are_announced_in_one_sentence_and_their_toasts_cover_neither_the_navigation_nor_the_head(
    open_browser: OpenBrowser, unhurried_portal: Portal, cast: Cast, client: Client, crowd: Crowd
) -> None:
    amelia = open_browser(cast.amelia, at=unhurried_portal)
    amelia.open(client)
    crowd(client, 7)
    amelia.hide_tab()  # which sends a heartbeat at once
    expect(amelia.toasts).to_have_count(5)
    amelia.toasts.last.hover()  # so that they stay

    region = amelia.page.locator("toast-region")
    name = rf"Viewer0\d Of Client {client.id}"
    expect(region.get_by_role("status")).to_have_text(re.compile(rf"^{name}, {name} and 5 others joined this page\.$"))
    expect(region).to_have_attribute("aria-live", "off")
    expect(amelia.toasts.first).to_contain_text("joined this page 👋")
    expect(amelia.toasts.last).to_contain_text("and 3 more joined")

    for width, height in ((1440, 900), (380, 760)):
        amelia.page.set_viewport_size({"width": width, "height": height})
        edit = amelia.page.get_by_role("link", name="Edit", exact=True)
        assert top_of(region) > top_of(edit) + 44
    amelia.page.set_viewport_size({"width": 320, "height": 400})
    assert top_of(region) > COMPACT_HEAD_PX
    expect(amelia.toasts).to_have_count(5)
