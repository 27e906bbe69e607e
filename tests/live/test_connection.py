"""Close, drop and probe the TCP connection of a stream."""

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import closing

import gevent
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from portal.extensions import LIVE_BIND, db
from portal.live import connection as connection_module
from portal.live import hub as hub_module
from portal.live import publish
from portal.live.broadcast import PING_FRAME
from portal.live.listener import Listener, Wakeup
from tests.conftest import AppMaker
from tests.support.cast import Cast
from tests.support.test_client import Visitor, visitors_of
from tests.support.time_travel import rows

Visit = type[Visitor]


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The server's and the browser's end of one connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        browser = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    browser.settimeout(10)
    server.settimeout(10)
    with server, browser:
        yield server, browser


def test_disconnect_is_reported_once(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A closed connection stays readable. Reported at every turn, it would keep the event loop busy."""
    server, browser = ends
    monkeypatch.setattr(connection_module, "is_module_patched", lambda _: True)
    reports: list[float] = []
    client = connection_module.StreamConnection(server)
    client.watch(lambda: reports.append(time.monotonic()))

    browser.close()
    for _ in range(5):
        gevent.sleep(0.02)

    assert len(reports) == 1
    client.close()


def opened(visitor: Visitor, page_identifier: str, connection: socket.socket) -> TestResponse:
    path = f"/user_page_presence/{page_identifier}/events?tab_id=tab"
    return visitor.get(path, buffered=False, environ_overrides={"gunicorn.socket": connection})


def test_browser_that_does_not_read_is_dropped_and_can_reconnect(
    make_app: AppMaker, cast: Cast, page_identifier: str, ends: tuple[socket.socket, socket.socket], monkeypatch
) -> None:
    """The server's send does not complete, so it never asks for the next event."""
    monkeypatch.setattr(hub_module, "HOUSEKEEPING_INTERVAL_SECONDS", 0.02)
    monkeypatch.setattr(hub_module, "SLOW_SECONDS", 0.2)
    server, browser = ends
    visit = visitors_of(make_app())
    amelia = visit(cast.amelia)
    amelia.beat(page_identifier, tab_id="tab")

    response = opened(amelia, page_identifier, server)
    amelia.beat(page_identifier, tab_id="tab", activity="editing")

    assert browser.recv(1) == b""  # closed, which makes a browser reconnect
    response.close()
    assert rows() == [(cast.amelia.id, page_identifier)]


def test_browser_that_reads_is_not_dropped(
    make_app: AppMaker, cast: Cast, page_identifier: str, ends: tuple[socket.socket, socket.socket], monkeypatch
) -> None:
    monkeypatch.setattr(hub_module, "HOUSEKEEPING_INTERVAL_SECONDS", 0.02)
    monkeypatch.setattr(hub_module, "SLOW_SECONDS", 0.2)
    monkeypatch.setattr(hub_module, "PING_SECONDS", 0.1)
    server, _ = ends
    visit = visitors_of(make_app())

    response = opened(visit(cast.amelia), page_identifier, server)

    pings = (chunk for chunk in response.response if PING_FRAME in chunk)
    assert all(next(pings, None) for _ in range(5))
    response.close()


def test_kernel_probes_a_silent_connection_and_gives_up_within_half_a_minute(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    server, _ = ends
    connection_module.StreamConnection(server).close()

    def option(name: str) -> int:
        return server.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))

    assert server.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    silent_for = option("TCP_KEEPIDLE") + option("TCP_KEEPINTVL") * option("TCP_KEEPCNT")
    assert silent_for + hub_module.LEAVE_GRACE_SECONDS + hub_module.HOUSEKEEPING_INTERVAL_SECONDS <= 30
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        assert option("TCP_USER_TIMEOUT") == silent_for * 1000


def test_connection_closes_with_its_stream(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """gunicorn would keep it for two seconds, and a browser would send its next request to a stopping server."""
    server, browser = ends
    client = connection_module.StreamConnection(server)
    client.close()

    server.sendall(b"the last chunk")
    assert browser.recv(100) == b"the last chunk"
    assert server.recv(1) == b""


def test_listener_works_with_a_descriptor_above_1023(app: Flask) -> None:
    """`select.select` accepts descriptors below 1024 only, and a reconnecting hub gets the next free one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(4096, hard)), hard))
    sockets = [socket.socket() for _ in range(1100)]
    try:
        with closing(Wakeup()) as wakeup, Listener(db.engines[LIVE_BIND], wakeup) as listener:
            assert listener.connection.fileno() > 1024
            publish.signed_out(db.session.connection(), 7)
            db.session.commit()
            assert [notice.profile for notice in listener.wait(10)] == [7]
            wakeup.wake()
            assert listener.wait(10) == []
    finally:
        for each in sockets:
            each.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
