"""Tells open pages at once what they would learn from their next beat: PostgreSQL's NOTIFY in, server-sent events out.

    publish.py    NOTIFY, of whoever changes something
    outbox.py     what is done at once after a commit, and not in it
    notices.py    what a notification says
    listener.py   the one LISTEN of a process
    hub.py        which streams are open here, which page is read when, who may hear it
    schedule.py   when a page is due to be read (pure)
    stream.py     one open stream: a tab that listens to a page, and its mailbox
    body.py       what one connection is sent, of one stream or of several
    clients.py    notices that the other end of a stream is gone

What a roster is, `presence` says: it gives the hub a Source. Must not import presence, auth or clients.
"""

import socket
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

from flask import Flask

from portal.extensions import LIVE_BIND, db
from portal.live.body import Body
from portal.live.clients import Client
from portal.live.hub import Hub
from portal.live.outbox import init_outbox
from portal.live.source import Source
from portal.live.stream import Stream
from portal.pages import Page
from portal.sessions import Identity

EXTENSION = "portal.live"


class Tab(NamedTuple):
    """A tab that listens: to which page, and which of its streams this is, counted from 1."""

    page: Page
    tab_id: str
    number: int


def init_live(app: Flask, source: Source) -> None:
    """Give the app a hub. Nothing runs and no connection is opened before its first stream, so after the fork."""
    with app.app_context():
        engine = db.engines[LIVE_BIND]
    init_outbox(app)
    app.extensions[EXTENSION] = Hub(engine, source, app.config["SETTINGS"].streams_per_worker)


def open_stream(
    app: Flask,
    tabs: Sequence[Tab],
    caller: Identity,
    *,
    seconds_left: float,
    connection: socket.socket | None,
    is_shared: bool = False,
) -> Body:
    """The events of the pages that these tabs show, open and with their rosters in it.

    The caller's session ends in `seconds_left`. In a shared body each event has its page as its id. `connection` is the
    socket that it will be sent on, where the server tells. Raises what `Hub.open` raises.
    """
    hub = hub_of(app)
    arrived = threading.Event()
    ends_at = time.monotonic() + seconds_left
    streams = [
        Stream(tab.page, caller, tab.tab_id, tab.number, ends_at=ends_at, on_close=hub.closed, arrived=arrived)
        for tab in tabs
    ]
    client = Client(connection) if connection is not None else None
    body = Body(streams, arrived, client, is_shared=is_shared)
    hub.open(body)
    return body


def hub_of(app: Flask) -> Hub:
    hub: Hub = app.extensions[EXTENSION]
    return hub
