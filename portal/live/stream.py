"""One open stream: who holds it, a mailbox that cannot grow, and the body that a browser reads (text/event-stream).

The hub posts and ends; the server's thread or greenlet iterates. Holds no database connection, no transaction and no
application context. The format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Literal

from portal.live.connection import StreamConnection
from portal.live.source import Authorization
from portal.page_kinds import Page
from portal.web.session_cookie import Identity

ROSTER, SAVED, NUDGE, SIGNED_OUT, PING, END = "roster", "saved", "nudge", "signed-out", "ping", "end"
# Of these only the newest matters, since each carries whole state.
WHOLE_STATE = (ROSTER, SAVED, PING)
MAX_PENDING_NUDGES = 3

# "moving": this server stops, or the sign-in session has grown old: come back at once, with the newest cookie.
# "full": a newer stream of the same person took its place: come back later, the heartbeat carries on alone.
Reason = Literal["moving", "full"]


def frame(event: str, data: str) -> bytes:
    """One event. `data` is JSON on one line, so no text of people's can end it early."""
    return f"event: {event}\ndata: {data}\n\n".encode()


class Stream:
    """An open stream. Who iterates it sends it; `close` follows, whichever side ended it."""

    # A worker holds thousands of these.
    __slots__ = (
        "_arrived",
        "_ended",
        "_last",
        "_lock",
        "_newest",
        "_nudges",
        "_on_close",
        "caller",
        "client",
        "ends_at",
        "is_broken",
        "number",
        "opened",
        "page",
        "pinged_at",
        "tab_id",
        "verdict",
        "waiting_since",
    )

    def __init__(
        self,
        page: Page,
        caller: Identity,
        tab_id: str,
        number: int,
        *,
        ends_at: float,
        client: StreamConnection | None,
        on_close: Callable[["Stream"], None],
    ) -> None:
        self.page = page
        self.caller = caller
        self.tab_id = tab_id
        self.number = number  # of those that the tab has opened
        self.ends_at = ends_at  # when the cookie it was opened with grows too old, by time.monotonic()
        self.client = client
        self.verdict: Authorization | None = None  # None until its page has been read for it
        self.opened = threading.Event()  # set with the first verdict, or when there will be none
        self.is_broken = False  # the other end went without a word
        self.pinged_at = time.monotonic()
        self.waiting_since: float | None = None  # since when something posted has not been taken
        self._on_close = on_close
        self._newest: dict[str, bytes] = {}
        self._nudges: deque[bytes] = deque(maxlen=MAX_PENDING_NUDGES)
        self._arrived = threading.Event()
        self._lock = threading.Lock()
        self._last = b""
        self._ended = False
        if client is not None:
            client.watch(self.break_off)

    @property
    def is_ended(self) -> bool:
        return self._ended

    @property
    def has_last_event(self) -> bool:
        """Whether it has been ended with an event that says why, which has not been sent yet."""
        return bool(self._last)

    def post(self, event: str, frame: bytes) -> None:
        """Put an event into the mailbox, in place of an older one of its kind."""
        with self._lock:
            if self._ended:
                return
            if event in WHOLE_STATE:
                self._newest[event] = frame
            else:
                self._nudges.append(frame)
            self._wake()

    def end(self, last: bytes = b"", *, is_refused: bool = False) -> None:
        """Send what is left and then `last`, and close. What is posted afterwards is dropped.

        What is left is dropped too where the stream is refused: it may not be theirs any more.
        """
        with self._lock:
            if self._ended:
                return
            self._ended = True
            self._last = last
            if is_refused:
                self._newest.clear()
                self._nudges.clear()
            self._wake()
        self.opened.set()

    def break_off(self) -> None:
        """The other end is gone: nothing is sent any more. Called from an event loop's callback, so it never waits."""
        self.is_broken = self.is_broken or not self._ended
        self._ended = True
        if self.waiting_since is None:
            self.waiting_since = time.monotonic()  # a send that is under way is cut in time
        self._arrived.set()
        self.opened.set()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        self._arrived.wait()
        with self._lock:
            frames = b"".join((*self._newest.values(), *self._nudges, self._last))
            self._newest.clear()
            self._nudges.clear()
            self._last = b""
            self.waiting_since = None
            self._arrived.clear()
            if self._ended:  # asked afterwards: `break_off` takes no lock
                self._arrived.set()
        if self.is_broken or not frames:
            raise StopIteration
        return frames

    def close(self) -> None:
        """By the server, when the body has been sent or could not be. Unless the hub ended it, the other end has."""
        if not self._ended:
            self.break_off()
        if self.client is not None:
            self.client.close()
        self._on_close(self)

    def _wake(self) -> None:
        if self.waiting_since is None:
            self.waiting_since = time.monotonic()
        self._arrived.set()
