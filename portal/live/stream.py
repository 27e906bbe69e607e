"""An open stream: its caller, a bounded set of pending events, and the response body (text/event-stream).

The hub posts events and ends the stream; the server's thread or greenlet iterates it. A stream holds no database
connection, transaction or application context.
Format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

from portal.live.connection import StreamConnection
from portal.live.source import Authorization
from portal.page_kinds import Page
from portal.web.session_cookie import Identity

ROSTER, SAVED, DRAFTS, NUDGE = "roster", "saved", "drafts", "nudge"
ROW, LISTED, NOTIFICATIONS = "row", "listed", "notifications"
SIGNED_OUT, PING, END = "signed-out", "ping", "end"
# Saves that may bring a page into the list; other users that have just opened a page.
FOLLOWED = SAVES, ARRIVALS = "saves", "arrivals"
MAX_PENDING_NUDGES = 3
# The server keeps what it has sent last until something follows, which may be a ping in 20 s. An empty piece, which it
# does not send, follows what is longer, such as the first rows of a list.
MAX_KEPT_BYTES = 1_000

# "restarting": the server stops, or the cookie is too old. The browser reconnects at once, with its newest cookie.
# "replaced": a newer stream of the same user replaced this one. The browser reconnects later; heartbeats continue.
EndReason = Literal["restarting", "replaced"]


class Rows(NamedTuple):
    """The pages whose changes a stream sends as rows. `follows` says of which other pages a list hears (FOLLOWED)."""

    identifiers: Iterable[str] = ()
    follows: str = ""


NO_ROWS = Rows()


def frame(event: str, data: str) -> bytes:
    """Return one event. `data` is JSON on one line, so no text in it can end the event early."""
    return f"event: {event}\ndata: {data}\n\n".encode()


class Stream:
    """An open stream, iterated by the server that sends it. The server calls `close` whichever side ended it."""

    # A worker holds thousands of these.
    __slots__ = (
        "_arrived",
        "_ended",
        "_is_last_kept",
        "_last_event",
        "_lock",
        "_newest",
        "_nudges",
        "_on_close",
        "authorization",
        "caller",
        "connection",
        "drafts_signature",
        "ends_at",
        "follows",
        "is_broken",
        "number",
        "opened",
        "page",
        "pending_since",
        "pinged_at",
        "rows",
        "rows_read_at",
        "tab_id",
        "unread",
    )

    def __init__(
        self,
        page: Page | None,
        caller: Identity,
        tab_id: str,
        number: int,
        *,
        rows: Rows = NO_ROWS,
        ends_at: float,
        connection: StreamConnection | None,
        on_close: Callable[["Stream"], None],
    ) -> None:
        self.page = page  # None: it has events of rows and of its profile only
        # The identifiers of the pages whose changes it sends as rows of a list, each with a mark of what it sent last.
        self.rows: dict[str, int | None] = dict.fromkeys(map(sys.intern, rows.identifiers))
        self.rows_read_at: float | None = None
        self.follows = rows.follows
        self.unread: int | None = None  # the number of notifications that it sent last
        self.caller = caller
        self.tab_id = tab_id
        self.number = number  # counts the streams that the tab has opened
        self.ends_at = ends_at  # when its cookie becomes too old, by time.monotonic()
        self.connection = connection
        self.authorization: Authorization | None = None  # None until the first reading of its page
        self.drafts_signature: tuple[object, ...] = ()  # of the drafts that it was sent last
        self.opened = threading.Event()  # set with the first authorisation, or when the stream ends before
        self.is_broken = False  # the browser disconnected
        self.pinged_at = time.monotonic()
        self.pending_since: float | None = None  # the time of the oldest event that is not sent
        self._on_close = on_close
        self._newest: dict[str, bytes] = {}
        self._nudges: deque[bytes] = deque(maxlen=MAX_PENDING_NUDGES)
        self._arrived = threading.Event()
        self._lock = threading.Lock()
        self._last_event = b""
        self._ended = False
        self._is_last_kept = False
        if connection is not None:
            connection.watch(self.disconnect)

    @property
    def is_ended(self) -> bool:
        return self._ended

    @property
    def has_last_event(self) -> bool:
        """Return whether it has ended with an event that is not yet sent."""
        return bool(self._last_event)

    def post(self, event: str, frame: bytes) -> None:
        """Add a pending event. It replaces an older one with this name, except a nudge.

        The events of a row and of a listed page are named after the page, too, so that the newest of each stays.
        """
        with self._lock:
            if self._ended:
                return
            if event == NUDGE:
                self._nudges.append(frame)
            else:
                self._newest[event] = frame
            self._wake()

    def end(self, last_event: bytes = b"", *, is_refused: bool = False) -> None:
        """Send the pending events and then `last_event`, and close. Events posted afterwards are dropped.

        A refused stream drops its pending events, too: the user may no longer see them.
        """
        with self._lock:
            if self._ended:
                return
            self._ended = True
            self._last_event = last_event
            if is_refused:
                self._newest.clear()
                self._nudges.clear()
            self._wake()
        self.opened.set()

    def disconnect(self) -> None:
        """End without sending anything, because the browser has gone. Never waits: it runs in the event loop."""
        self.is_broken = self.is_broken or not self._ended
        self._ended = True
        if self.pending_since is None:
            self.pending_since = time.monotonic()  # so that the hub aborts a running send
        self._arrived.set()
        self.opened.set()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._is_last_kept:
            self._is_last_kept = False
            return b""
        self._arrived.wait()
        with self._lock:
            frames = b"".join((*self._newest.values(), *self._nudges, self._last_event))
            self._newest.clear()
            self._nudges.clear()
            self._last_event = b""
            self.pending_since = None
            self._arrived.clear()
            if self._ended:  # checked last, because `disconnect` takes no lock
                self._arrived.set()
        if self.is_broken or not frames:
            raise StopIteration
        self._is_last_kept = len(frames) > MAX_KEPT_BYTES
        return frames

    def close(self) -> None:
        """Close after the body has been sent or has failed. Unless the hub ended the stream, the browser did."""
        if not self._ended:
            self.disconnect()
        if self.connection is not None:
            self.connection.close()
        self._on_close(self)

    def _wake(self) -> None:
        if self.pending_since is None:
            self.pending_since = time.monotonic()
        self._arrived.set()
