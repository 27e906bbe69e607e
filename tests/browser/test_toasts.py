"""Test the toasts about users who join and leave: one each, and none without a change."""

import re

from playwright.sync_api import expect

from portal.clients import Client
from tests.browser.people import PRESENCE_PATH, OpenBrowser, Person
from tests.support.cast import Cast

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


def test_toast_of_many_arrivals_names_four_and_counts_the_others(amelia_seeing_seven_arrive: Person) -> None:
    expect(amelia_seeing_seven_arrive.toasts.last).to_contain_text("and 3 more joined")
