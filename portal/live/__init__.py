"""Send changes to open pages as they happen: PostgreSQL's NOTIFY in, server-sent events out.

    publish.py        NOTIFY
    outbox.py         work after a commit
    notifications.py  the payload of a notification
    listener.py       LISTEN, on one connection for each process
    hub.py            the loop that reads due pages, for each process
    due.py            what one statement reads
    listed.py         pages that lists may have to show (pure)
    broadcast.py      events for the streams of a page, of lists and of a profile
    schedule.py       when a page is due to be read (pure)
    registry.py       the open streams by page, row and profile
    stream.py         one stream: its pending events and its body
    connection.py     the TCP connection of a stream

Presence implements source.py, from which the hub reads rosters. Must not import presence, auth or clients.
"""

import socket
import time

from flask import Flask

from portal.extensions import LIVE_BIND, db
from portal.live.connection import StreamConnection
from portal.live.hub import Hub
from portal.live.outbox import init_outbox
from portal.live.source import Source
from portal.live.stream import NO_ROWS, Rows, Stream
from portal.page_kinds import Page
from portal.web.session_cookie import Identity

EXTENSION = "portal.live"


def init_live(app: Flask, source: Source) -> None:
    """Give the application a hub. Its thread and connection start with the first stream, so after the fork."""
    with app.app_context():
        engine = db.engines[LIVE_BIND]
    init_outbox(app)
    app.extensions[EXTENSION] = Hub(engine, source, app.config["SETTINGS"].streams_per_worker)


def open_stream(
    app: Flask,
    page: Page | None,
    caller: Identity,
    tab_id: str,
    number: int,
    *,
    rows: Rows = NO_ROWS,
    seconds_left: float,
    connection: socket.socket | None,
) -> Stream:
    """Open a stream of the page's events, of the events of `rows`, and of the caller's. Raises what `Hub.open` raises.

    `rows` has identifiers of pages; those that the caller may not see are ignored. `number` counts the streams that the
    tab has opened. The caller's session ends in `seconds_left`. `connection` is the socket of the response, if the
    server provides it.
    """
    hub = hub_of(app)
    stream = Stream(
        page,
        caller,
        tab_id,
        number,
        rows=rows,
        ends_at=time.monotonic() + seconds_left,
        connection=StreamConnection(connection) if connection is not None else None,
        on_close=hub.close,
    )
    hub.open(stream)
    return stream


def hub_of(app: Flask) -> Hub:
    hub: Hub = app.extensions[EXTENSION]
    return hub
