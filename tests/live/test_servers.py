"""Run several servers on one database: their users see each other, and no server's end makes a user leave or join."""

import http.client
import re
import selectors
import signal
import socket
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import text

from portal.auth.sessions import store
from portal.extensions import db
from portal.web.actor import RequestOrigin
from tests.support.cast import Cast
from tests.support.network_client import NetworkClient, network_client_app, network_client_of
from tests.support.notifications import NotificationListener
from tests.support.processes import is_running
from tests.support.server import Portal
from tests.support.time_travel import tab_ids
from tests.support.until import wait_until
from tests.support.volume import volume

STREAMS = volume(100, 500)
BEATING = 10
RELOAD_SECONDS = 60 + 10 + 20  # HANDOVER_SECONDS and graceful_timeout of gunicorn.conf.py, on a busy machine
TOKEN = "a-token-for-metrics-only"
CROWD = """
    INSERT INTO profiles (first_name, last_name, email, role)
    SELECT 'Viewer', n::text, 'viewer-' || n || '@crowd.example', 'adviser' FROM generate_series(1, :count) n
    RETURNING id
"""


@pytest.fixture(scope="module")
def servers(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Portal]]:
    """Two portals that do not know of each other: north with one worker process, south with two."""
    made = [
        Portal(database_url, tmp_path_factory.mktemp(name) / "log", PORTAL_METRICS_TOKEN=TOKEN, WEB_CONCURRENCY=workers)
        for name, workers in (("north", "1"), ("south", "2"))
    ]
    yield made
    for portal in made:
        portal.stop()


@pytest.fixture
def north(servers: list[Portal], app: Flask) -> Portal:
    servers[0].start()
    return servers[0]


@pytest.fixture
def south(servers: list[Portal], app: Flask) -> Portal:
    servers[1].start()
    return servers[1]


@pytest.fixture(scope="module")
def network_app(database_url: str) -> Flask:
    return network_client_app(database_url)


@pytest.fixture
def amelia(network_app: Flask, cast: Cast) -> NetworkClient:
    return network_client_of(network_app, cast.amelia)


@pytest.fixture
def daniel(network_app: Flask, cast: Cast) -> NetworkClient:
    return network_client_of(network_app, cast.daniel)


@pytest.fixture
def crowd(app: Flask, network_app: Flask) -> Callable[[int], list[NetworkClient]]:
    """`crowd(500)` returns 500 users, each signed in."""

    def make(count: int) -> list[NetworkClient]:
        ids = db.session.scalars(text(CROWD), {"count": count}).all()
        db.session.commit()
        texts = [store.begin(profile_id, 1, RequestOrigin(), hours=1) for profile_id in ids]
        db.session.commit()
        return [NetworkClient(network_app, text) for text in texts]

    return make


def test_users_on_different_servers_see_each_other(
    north: Portal, south: Portal, amelia: NetworkClient, daniel: NetworkClient, page_identifier: str
) -> None:
    amelia.beat(north, page_identifier, tab_id="tab")
    with amelia.listen(north, page_identifier) as amelia_events, daniel.listen(south, page_identifier) as daniel_events:
        assert amelia_events.names() == daniel_events.names() == ["Amelia"]

        daniel.beat(south, page_identifier)
        assert amelia_events.names() == daniel_events.names() == ["Amelia", "Daniel"]


def test_killed_browser_is_removed(
    north: Portal, south: Portal, amelia: NetworkClient, daniel: NetworkClient, page_identifier: str
) -> None:
    """Its row would stay for two minutes; the broken connection is detected earlier (tests/live/test_connection.py)."""
    daniel.beat(south, page_identifier, tab_id="tab")
    with amelia.listen(north, page_identifier) as amelia_events:
        assert amelia_events.names() == ["Daniel"]
        daniels = opened(south, daniel, page_identifier, "tab")
        read_until(daniels, b"event: roster")

        daniels.close()

        assert amelia_events.names(timeout_seconds=60) == []


def test_stopped_server_ends_hundreds_of_streams_and_no_user_leaves(
    north: Portal,
    crowd: Callable[[int], list[NetworkClient]],
    page_identifier: str,
    listener: NotificationListener,
) -> None:
    people = crowd(STREAMS)
    streams = open_streams(north, people, page_identifier)

    end_streams(north, signal.SIGTERM, streams, listener)

    north.wait_until_gone()
    north.start()
    take_up_again(north, people[0], page_identifier)


def test_reloaded_server_ends_hundreds_of_streams_no_user_leaves_and_its_metrics_are_of_all_workers(
    south: Portal,
    crowd: Callable[[int], list[NetworkClient]],
    page_identifier: str,
    listener: NotificationListener,
) -> None:
    before = figures(south)
    people = crowd(STREAMS)
    streams = open_streams(south, people, page_identifier)
    for _ in range(6):  # any worker may answer
        after = figures(south)
        assert after["portal_streams_open"] == STREAMS
        assert after["portal_beats_total"] - before["portal_beats_total"] == BEATING
        assert after["portal_notifications_sent_total"] - before["portal_notifications_sent_total"] == BEATING

    end_streams(south, signal.SIGHUP, streams, listener)

    assert figures(south)["portal_streams_open"] == 0
    assert figures(south)["portal_beats_total"] == after["portal_beats_total"]
    take_up_again(south, people[0], page_identifier)


# The last test, because the killed server starts again, which takes 3 s of CPU, for any other that follows.
def test_users_of_a_killed_server_move_to_the_other_without_leaving(
    north: Portal, south: Portal, amelia: NetworkClient, daniel: NetworkClient, page_identifier: str
) -> None:
    amelia.beat(north, page_identifier)
    daniel.beat(south, page_identifier, tab_id="tab")
    with amelia.listen(north, page_identifier) as amelia_events:
        assert amelia_events.names() == ["Amelia", "Daniel"]
        with daniel.listen(south, page_identifier) as daniel_events:
            assert daniel_events.names() == ["Amelia", "Daniel"]

            south.kill()

            assert daniel_events.next() is None
        assert daniel.beat(north, page_identifier, tab_id="tab") == ["Amelia", "Daniel"]
        with daniel.listen(north, page_identifier) as daniel_events:
            assert daniel_events.names() == ["Amelia", "Daniel"]
            # Her next event is his next change: she received nothing in between.
            daniel.beat(north, page_identifier, tab_id="tab", activity="editing")
            event = amelia_events.next()
    assert event is not None
    assert {user["first_name"]: user["activity"] for user in event.data["users"]} == {
        "Amelia": "viewing",
        "Daniel": "editing",
    }


def open_streams(portal: Portal, people: list[NetworkClient], page_identifier: str) -> list[socket.socket]:
    """Let some send a heartbeat and all open a stream."""
    for number, network_client in enumerate(people[:BEATING]):
        network_client.beat(portal, page_identifier, tab_id=f"tab-{number}")
    streams = [
        opened(portal, network_client, page_identifier, f"tab-{number}") for number, network_client in enumerate(people)
    ]
    for stream in streams:
        read_until(stream, b"event: roster")
    return streams


def end_streams(
    portal: Portal, how: signal.Signals, streams: list[socket.socket], listener: NotificationListener
) -> None:
    """Send the signal. The workers end in order, each stream says why, and no tab leaves."""
    old_workers = portal.workers()
    with listener.expect_none():
        portal.tell(how)
        last_words = read_to_the_end(streams)
        wait_until_gone(old_workers)

    # An open stream would keep its worker until gunicorn's own limit. `make bench` measures the time.
    assert "Worker graceful timeout" not in portal.log.read_text()
    assert all(b'{"reason": "restarting"}' in words for words in last_words)
    assert len(tab_ids()) == BEATING


def take_up_again(portal: Portal, network_client: NetworkClient, page_identifier: str) -> None:
    """Open the stream of the first tab once more."""
    again = opened(portal, network_client, page_identifier, "tab-0")
    read_until(again, b"event: roster")
    again.close()


def opened(portal: Portal, network_client: NetworkClient, page_identifier: str, tab_id: str) -> socket.socket:
    """Return an open stream of which nothing has been read."""
    stream = socket.create_connection(("127.0.0.1", portal.port), timeout=20)
    path = f"/user_page_presence/{page_identifier}/events?tab_id={tab_id}"
    stream.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {network_client.cookie}\r\n\r\n".encode())
    return stream


def read_until(stream: socket.socket, wanted: bytes) -> None:
    read = b""
    while wanted not in read:
        chunk = stream.recv(65536)
        assert chunk, read
        read += chunk


def read_to_the_end(streams: list[socket.socket]) -> list[bytes]:
    """Return what each stream sends until the server closes it."""
    said = dict.fromkeys(streams, b"")
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(20)
            assert ready
            for key, _ in ready:
                chunk = key.fileobj.recv(65536)  # type: ignore[union-attr]
                said[key.fileobj] += chunk  # type: ignore[index]
                if not chunk:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()  # type: ignore[union-attr]
    return list(said.values())


def wait_until_gone(pids: list[int]) -> None:
    """Wait for as long as gunicorn.conf.py lets them wait for their successors and then for their last requests."""
    wait_until(lambda: not any(map(is_running, pids)), "workers still run", within_seconds=RELOAD_SECONDS)


def figures(portal: Portal) -> dict[str, float]:
    connection = http.client.HTTPConnection("127.0.0.1", portal.port, timeout=20)
    connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    assert (response.status, response.headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return {name: float(value) for name, value in re.findall(r"^([a-z_]+) ([0-9.e+]+)$", body, re.MULTILINE)}
