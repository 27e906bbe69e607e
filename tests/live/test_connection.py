"""The connection under a stream: dropped when nobody reads it, closed when the stream is over, asked when silent."""

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
from portal.live import connection as clients
from portal.live import hub as hub_module
from portal.live import publish
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


def test_that_the_other_end_is_gone_is_told_once(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A closed connection can be read for ever: told at every turn, the loop would do nothing else."""
    server, browser = ends
    monkeypatch.setattr(clients, "is_module_patched", lambda _: True)
    told: list[float] = []
    client = clients.StreamConnection(server)
    client.watch(lambda: told.append(time.monotonic()))

    browser.close()
    for _ in range(5):
        gevent.sleep(0.02)

    assert len(told) == 1
    client.close()


def opened(visitor: Visitor, page_identifier: str, connection: socket.socket) -> TestResponse:
    path = f"/user_page_presence/{page_identifier}/events?tab_id=tab"
    return visitor.get(path, buffered=False, environ_overrides={"gunicorn.socket": connection})


def test_who_does_not_read_is_dropped_and_may_come_back(
    make_app: AppMaker, cast: Cast, page_identifier: str, ends: tuple[socket.socket, socket.socket], monkeypatch
) -> None:
    """The reader here is a server whose send the other end does not take: it never comes for the next event."""
    monkeypatch.setattr(hub_module, "HOUSEKEEPING_INTERVAL_SECONDS", 0.02)
    monkeypatch.setattr(hub_module, "SLOW_SECONDS", 0.2)
    server, browser = ends
    visit = visitors_of(make_app())
    amelia = visit(cast.amelia)
    amelia.beat(page_identifier, tab_id="tab")

    answer = opened(amelia, page_identifier, server)
    amelia.beat(page_identifier, tab_id="tab", activity="editing")

    assert browser.recv(1) == b""  # cut off, which is how a browser knows that it must come again
    answer.close()
    assert rows() == [(cast.amelia.id, page_identifier)]


def test_a_reader_that_reads_is_not_dropped(
    make_app: AppMaker, cast: Cast, page_identifier: str, ends: tuple[socket.socket, socket.socket], monkeypatch
) -> None:
    monkeypatch.setattr(hub_module, "HOUSEKEEPING_INTERVAL_SECONDS", 0.02)
    monkeypatch.setattr(hub_module, "SLOW_SECONDS", 0.2)
    monkeypatch.setattr(hub_module, "PING_SECONDS", 0.1)
    server, _ = ends
    visit = visitors_of(make_app())

    answer = opened(visit(cast.amelia), page_identifier, server)

    pings = (chunk for chunk in answer.response if b"event: ping" in chunk)
    assert [next(pings) for _ in range(5)] == [hub_module.PING_FRAME] * 5
    answer.close()


def test_the_kernel_asks_whether_a_silent_end_is_there_and_gives_up_within_half_a_minute(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    server, _ = ends
    clients.StreamConnection(server).close()

    def option(name: str) -> int:
        return server.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))

    assert server.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    silent_for = option("TCP_KEEPIDLE") + option("TCP_KEEPINTVL") * option("TCP_KEEPCNT")
    assert silent_for + hub_module.LEAVE_GRACE_SECONDS + hub_module.HOUSEKEEPING_INTERVAL_SECONDS <= 30
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        assert option("TCP_USER_TIMEOUT") == silent_for * 1000


def test_when_a_stream_is_over_its_connection_takes_no_other_request(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """gunicorn would keep it for two seconds, and a browser send its next request to a server that stops."""
    server, browser = ends
    client = clients.StreamConnection(server)
    client.close()

    server.sendall(b"the last chunk")
    assert browser.recv(100) == b"the last chunk"
    assert server.recv(1) == b""


def test_the_listener_hears_in_a_process_with_thousands_of_open_files(app: Flask) -> None:
    """`select.select` would not: it takes descriptors below 1024, and a hub that reconnects gets the next free one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(4096, hard)), hard))
    sockets = [socket.socket() for _ in range(1100)]
    try:
        with closing(Wakeup()) as bell, Listener(db.engines[LIVE_BIND], bell) as listener:
            assert listener.connection.fileno() > 1024
            publish.signed_out(db.session.connection(), 7)
            db.session.commit()
            assert [notice.profile for notice in listener.wait(10)] == [7]
            bell.ring()
            assert listener.wait(10) == []
    finally:
        for each in sockets:
            each.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
