"""Test servers that restart, crash or lose their connections: browsers return in seconds, without false departures."""

import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Response, expect

from portal.clients import Client
from tests.browser.browser_errors import BrowserErrors
from tests.browser.people import AT_ONCE_MS, OpenBrowser, Person
from tests.support.cast import Cast
from tests.support.load_balancer import Balancer
from tests.support.server import Portal

JOINED = "Daniel Okafor joined this page 👋"
LEFT = "Daniel Okafor left this page 👋"
SEEN = "Daniel is also viewing this client record"
EDITS = "Daniel is editing this client record"


@pytest.fixture(scope="module")
def south(browsers_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Start a server that tests may kill, with the timings of the unhurried portal."""
    portal = Portal(browsers_database_url, tmp_path_factory.mktemp("south") / "log")
    portal.start()
    yield portal
    portal.stop()


@pytest.fixture
def balancer(south: Portal, unhurried_portal: Portal) -> Iterator[Balancer]:
    """Balance to the server `south`, and to the unhurried portal if it is gone."""
    south.start()  # an earlier test may have killed it
    with Balancer([south.port, unhurried_portal.port]) as balancer:
        yield balancer


@pytest.fixture
def amelia(
    open_browser: OpenBrowser, unhurried_portal: Portal, cast: Cast, client: Client, browser_errors: BrowserErrors
) -> Person:
    """Open the client page on the server that stays up."""
    browser_errors.expect("Failed to load resource")
    person = open_browser(cast.amelia, at=unhurried_portal)
    with person.page.expect_response(is_stream):
        person.open(client)
    return person


@pytest.fixture
def daniel(open_browser: OpenBrowser, balancer: Balancer, cast: Cast, amelia: Person, client: Client) -> Person:
    """Open the same page through the balancer, and wait until Amelia sees Daniel."""
    person = open_browser(cast.daniel, at=balancer)
    with person.page.expect_response(is_stream):
        person.open(client)
    expect(amelia.sentence).to_have_text(SEEN, timeout=AT_ONCE_MS)
    return person


def is_stream(response: Response) -> bool:
    return "/events?" in response.url and response.ok


def test_lost_connections_a_reload_and_a_crash_of_the_server_show_no_user_leaving(
    amelia: Person, daniel: Person, south: Portal, balancer: Balancer, client: Client
) -> None:
    """After the crash Daniel is on the other server."""
    with daniel.page.expect_response(is_stream):
        balancer.lose_connections()
    daniel.open_editor(client)
    expect(amelia.sentence).to_have_text(EDITS, timeout=AT_ONCE_MS)

    with daniel.page.expect_response(is_stream, timeout=AT_ONCE_MS):
        south.tell(signal.SIGHUP)
    expect(daniel.page.get_by_text("Reconnecting…")).to_be_hidden()
    with daniel.page.expect_response(is_stream):
        daniel.open(client)
    expect(amelia.sentence).to_have_text(SEEN, timeout=AT_ONCE_MS)

    with daniel.page.expect_response(is_stream, timeout=AT_ONCE_MS):
        south.kill()
    daniel.open_editor(client)
    expect(amelia.sentence).to_have_text(EDITS, timeout=AT_ONCE_MS)
    assert amelia.toasts_so_far() == [JOINED]


def test_sleeping_laptop_leaves_the_roster_and_wakes_to_a_page_without_stale_toasts(
    amelia: Person, daniel: Person, balancer: Balancer
) -> None:
    with balancer.away():
        expect(amelia.indicator).to_be_hidden(timeout=60_000)  # without its leave the row would stay for two minutes
    assert amelia.toasts_so_far() == [JOINED, LEFT]
    daniel.page.evaluate("dispatchEvent(new Event('online'))")  # as when a laptop wakes up

    expect(amelia.sentence).to_have_text(SEEN)
    daniel.sees("Amelia is also viewing this client record")
    assert daniel.toasts_so_far() == []
    assert amelia.toasts_so_far() == [JOINED, LEFT, JOINED]
