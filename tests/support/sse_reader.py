"""Read an event stream as a browser does: in its own thread, event by event."""

import contextlib
import json
import queue
import re
import threading
from typing import Any, NamedTuple, Self

from werkzeug.test import TestResponse

LINE_END = re.compile(r"\r\n|\r|\n")  # and no other: https://html.spec.whatwg.org/multipage/server-sent-events.html
UNASKED = ("ping", "notifications")  # they arrive at any time
TIMEOUT_SECONDS = 10  # only a failing test waits this long


class Event(NamedTuple):
    name: str
    data: Any


class EventReader:
    """The events of a stream. `close`, or the end of a `with` block, disconnects as a browser does."""

    def __init__(self, response: TestResponse) -> None:
        self.response = response
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def next(self, timeout_seconds: float = TIMEOUT_SECONDS) -> Event | None:
        """Wait for the next event and return it; None for the end of the stream. Leaves out pings and own events."""
        while (event := self._events.get(timeout=timeout_seconds)) is not None and event.name in UNASKED:
            pass
        return event

    def unread(self, timeout_seconds: float = TIMEOUT_SECONDS) -> int:
        """Return the next number of unread notifications. Leaves out all other events."""
        while event := self._events.get(timeout=timeout_seconds):
            if event.name == "notifications":
                number: int = event.data["unread"]
                return number
        raise AssertionError("The stream has ended.")

    def names(self, timeout_seconds: float = TIMEOUT_SECONDS) -> list[str]:
        """Return the sorted first names on the next roster."""
        event = self.next(timeout_seconds)
        assert event is not None
        assert event.name == "roster", event
        return sorted(user["first_name"] for user in event.data["users"])

    @property
    def has_ended(self) -> bool:
        """Return whether the server has ended the stream or its connection has broken."""
        return not self._thread.is_alive()

    def is_drained(self) -> bool:
        """Return whether every event that has arrived was taken."""
        return self._events.empty()

    def close(self) -> None:
        self.response.close()
        self._thread.join(TIMEOUT_SECONDS)

    def _read(self) -> None:
        with contextlib.suppress(ValueError):  # raised when the stream is closed during a read
            for chunk in self.response.response:
                for event in events_in(chunk.decode()):
                    self._events.put(event)
        self._events.put(None)


def events_in(text: str) -> list[Event]:
    """Return the events in complete frames."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in LINE_END.split(block) if line)
        if lines:
            found.append(Event(lines["event"], json.loads(lines["data"])))
    return found
