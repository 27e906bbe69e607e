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
RHYS_JOINED = "Rhys Morgan joined this page 👋"


def test_arrivals_and_departures_are_shown_and_announced_once_by_toasts_that_expire_or_are_dismissed(
    amelia: Person, daniel: Person, open_browser: OpenBrowser, cast: Cast, client: Client
) -> None:
    """The indicator that the first arrival inserts must not add a second listener."""
    amelia.open(client)
    amelia.sees()
    daniel.open(client)
    daniel.sees("Amelia is also viewing this client record")
    amelia.sees("Daniel is also viewing this client record")
    expect(amelia.avatars).to_have_text(["DO"])
    expect(amelia.avatars).to_have_attribute("title", "Daniel Okafor – Active now")
    expect(amelia.avatars).to_have_class(re.compile(r"\bviewing\b"))
    expect(amelia.toasts).to_contain_text([DANIEL_JOINED])
    expect(amelia.toasts).to_have_count(0)

    rhys = open_browser(cast.rhys)
    rhys.open(client)
    amelia.sees("2 users are viewing this client record")
    expect(amelia.toasts).to_contain_text([RHYS_JOINED])
    amelia.toasts.hover()  # a toast stays while the pointer is on it
    daniel.page.close()
    expect(amelia.toasts).to_contain_text([RHYS_JOINED, DANIEL_LEFT])
    for _ in range(2):
        amelia.toasts.first.get_by_role("button", name="Dismiss").click()
    expect(amelia.toasts).to_have_count(0)
    assert amelia.toasts_so_far() == [DANIEL_JOINED, RHYS_JOINED, DANIEL_LEFT]
    rhys.leave()
    amelia.sees()


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


def test_many_arrivals_are_announced_in_one_sentence_and_their_toasts_cover_neither_the_navigation_nor_the_head(
    open_browser: OpenBrowser, unhurried_portal: Portal, cast: Cast, client: Client, crowd: Crowd
) -> None:
    amelia = open_browser(cast.amelia, at=unhurried_portal)
    amelia.open(client)
    people = crowd(client, 7)
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

    amelia.sees("7 users are viewing this client record")
    expect(amelia.avatars).to_have_text(["VO", "VO", "VO", "+4"])
    first, *_, more = amelia.avatars.all()
    expect(first).to_have_attribute("title", f"Viewer01 Of Client {client.id} – Active now")
    expect(more).to_have_attribute("title", re.compile("Viewer04 .+, Viewer05 .+"))
    amelia.page.set_viewport_size({"width": 1440, "height": 900})
    amelia.indicator.locator("summary").click()
    names = amelia.page.get_by_role("list", name="Who is here").locator("[data-name]")
    expect(names).to_have_text([profile.full_name for profile in people])
