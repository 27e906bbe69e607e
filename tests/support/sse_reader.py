"""Hears one event stream as a browser does: in a thread of its own, event by event."""

import contextlib
import json
import queue
import re
import threading
from typing import Any, NamedTuple, Self

from werkzeug.test import TestResponse

LINE_END = re.compile(r"\r\n|\r|\n")  # and no other: https://html.spec.whatwg.org/multipage/server-sent-events.html
PATIENCE_SECONDS = 10  # never used up, unless a test fails


class Event(NamedTuple):
    name: str
    data: Any


class Hearing:
    """What a stream says. Closed by `close`, or at the end of a `with` block, as a browser that goes away."""

    def __init__(self, answer: TestResponse) -> None:
        self.answer = answer
        self._heard: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def next(self, patience_seconds: float = PATIENCE_SECONDS) -> Event | None:
        """The next event that is not a ping, as soon as there is one; None for the end of the stream."""
        while (event := self._heard.get(timeout=patience_seconds)) is not None and event.name == "ping":
            pass
        return event

    def names(self, patience_seconds: float = PATIENCE_SECONDS) -> list[str]:
        """Who is on the next roster."""
        event = self.next(patience_seconds)
        assert event is not None
        assert event.name == "roster", event
        return sorted(user["first_name"] for user in event.data["users"])

    @property
    def has_ended(self) -> bool:
        """Whether the server has ended the stream, or its connection has broken."""
        return not self._thread.is_alive()

    def has_heard_all(self) -> bool:
        """Whether everything that has come was asked for."""
        return self._heard.empty()

    def close(self) -> None:
        self.answer.close()
        self._thread.join(PATIENCE_SECONDS)

    def _read(self) -> None:
        with contextlib.suppress(ValueError):  # closed while it was being read
            for chunk in self.answer.response:
                for event in events_in(chunk.decode()):
                    self._heard.put(event)
        self._heard.put(None)


def events_in(text: str) -> list[Event]:
    """The events of whole frames."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in LINE_END.split(block) if line)
        if lines:
            found.append(Event(lines["event"], json.loads(lines["data"])))
    return found
