"""Tells open pages at once what they would learn from their next beat: PostgreSQL's NOTIFY in, server-sent events out.

    publish.py    NOTIFY, of whoever changes something
    outbox.py     what is done at once after a commit, and not in it
    notices.py    what a notification says
    listener.py   the one LISTEN of a process
    hub.py        which streams are open here, which page is read when, who may hear it
    schedule.py   when a page is due to be read (pure)
    stream.py     one open stream: its mailbox and its body
    clients.py    notices that the other end of a stream is gone

What a roster is, `presence` says: it gives the hub a Source. Must not import presence, auth or clients.
"""

import socket
import time

from flask import Flask

from portal.extensions import LIVE_BIND, db
from portal.live.connection import StreamConnection
from portal.live.hub import Hub
from portal.live.outbox import init_outbox
from portal.live.source import Source
from portal.live.stream import Stream
from portal.page_kinds import Page
from portal.web.session_cookie import Identity

EXTENSION = "portal.live"


def init_live(app: Flask, source: Source) -> None:
    """Give the app a hub. Nothing runs and no connection is opened before its first stream, so after the fork."""
    with app.app_context():
        engine = db.engines[LIVE_BIND]
    init_outbox(app)
    app.extensions[EXTENSION] = Hub(engine, source, app.config["SETTINGS"].streams_per_worker)


def open_stream(
    app: Flask,
    page: Page,
    caller: Identity,
    tab_id: str,
    number: int,
    *,
    seconds_left: float,
    connection: socket.socket | None,
) -> Stream:
    """A stream of the page's events, open and with its roster in it; the caller's session ends in `seconds_left`.

    `number` counts the streams that the tab has opened.

    `connection` is the socket that it will be sent on, where the server tells. Raises what `Hub.open` raises.
    """
    hub = hub_of(app)
    stream = Stream(
        page,
        caller,
        tab_id,
        number,
        ends_at=time.monotonic() + seconds_left,
        client=StreamConnection(connection) if connection is not None else None,
        on_close=hub.closed,
    )
    hub.open(stream)
    return stream


def hub_of(app: Flask) -> Hub:
    hub: Hub = app.extensions[EXTENSION]
    return hub
