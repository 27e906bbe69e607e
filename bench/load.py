"""Send heartbeats to a server over HTTP and measure their times.

The load shares the machine's cores with what it measures. It is therefore one loop over non-blocking sockets, which
sends prepared requests and parses as little of each response as possible. Must not import the portal.
"""

import json
import random
import re
import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import cycle

CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
PARSE_ONE_IN = 50  # all responses are searched for status and email; parsing each would slow the load
TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Beat:
    """One heartbeat of one viewer: its requests, and the viewer who must be on the returned roster."""

    requests: tuple[bytes, ...]
    profile_id: int
    email: str

    @cached_property
    def mark(self) -> bytes:
        return f'"{self.email}"'.encode()

    def is_answered_by(self, answer: bytes, body_start: int, *, thoroughly: bool) -> bool:
        """Return whether the viewer is on the roster."""
        if not thoroughly:
            return answer.find(self.mark, body_start) > 0
        body = json.loads(answer[body_start:])
        users = body["users"] if isinstance(body, dict) else body
        return any(user["id"] == self.profile_id and user["email"] == self.email for user in users)


@dataclass(frozen=True)
class Request(Beat):
    """Any other call. Its response must contain `expected`."""

    expected: bytes = b""

    def is_answered_by(self, answer: bytes, body_start: int, *, thoroughly: bool) -> bool:
        return answer.find(self.expected, body_start) > 0


@dataclass
class Outcome:
    """The result of a run. A failure is a missing response, a status other than 200, or a roster without the viewer."""

    seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    failures: int = 0
    first_failure: str = ""

    @property
    def per_second(self) -> float:
        return len(self.latencies_ms) / self.seconds

    @property
    def mean_ms(self) -> float:
        return sum(self.latencies_ms) / len(self.latencies_ms)

    def percentile_ms(self, percent: float) -> float:
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def drive(
    port: int,
    beats: Sequence[Beat],
    *,
    connections: int,
    seconds: float = 60.0,
    at_most: int | None = None,
    per_second: float | None = None,
) -> Outcome:
    """Send the heartbeats repeatedly in order, for `seconds` or until `at_most` were sent.

    Without `per_second` each connection sends its next heartbeat after the previous response (full load). With it,
    heartbeats are due at that rate and timed from when they were due, so waiting time counts.
    """
    return _Run(port, beats, connections, at_most, per_second).go(seconds)


class _Connection:
    """A kept-alive connection and its heartbeat in progress, if any."""

    __slots__ = ("beat", "due", "received", "socket", "step")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.beat: Beat | None = None
        self.due = 0.0
        self.step = 0
        self.received = b""


class _Run:
    def __init__(
        self,
        port: int,
        beats: Sequence[Beat],
        connections: int,
        at_most: int | None,
        per_second: float | None,
    ) -> None:
        self.port = port
        self.beats = cycle(random.Random(1).sample(beats, len(beats)))
        self.left = at_most if at_most is not None else -1
        self.interval = 1 / per_second if per_second else 0.0
        self.outcome = Outcome()
        self.selector = selectors.DefaultSelector()
        self.idle: list[_Connection] = []
        self.busy = 0
        for _ in range(connections):
            self._connect()

    def go(self, seconds: float) -> Outcome:
        started = self.next_due = time.perf_counter()
        deadline = started + seconds
        while (now := time.perf_counter()) < deadline and (self.left or self.busy):
            self._send_what_is_due(now)
            wait = self.next_due - now if self.interval and self.idle else deadline - now
            for key, _ in self.selector.select(max(0.0, wait)):
                self._read(key.data)
        self.outcome.seconds = time.perf_counter() - started
        for key in list(self.selector.get_map().values()):
            key.data.socket.close()
        self.selector.close()
        return self.outcome

    def _send_what_is_due(self, now: float) -> None:
        while self.idle and self.left and self.next_due <= now:
            connection = self.idle.pop()
            connection.beat, connection.step = next(self.beats), 0
            connection.due = self.next_due if self.interval else time.perf_counter()
            self.next_due += self.interval
            self.left -= 1
            self.busy += 1
            self._send(connection, connection.beat.requests[0])

    def _send(self, connection: _Connection, request: bytes) -> None:
        try:
            connection.socket.sendall(request)
        except OSError as error:
            self._lost(connection, error)

    def _read(self, connection: _Connection) -> None:
        try:
            received = connection.socket.recv(65536)
        except OSError as error:
            return self._lost(connection, error)
        if not received:
            return self._lost(connection, "closed")
        answer = connection.received + received if connection.received else received
        head_end = answer.find(b"\r\n\r\n")
        length = CONTENT_LENGTH.search(answer, 0, head_end) if head_end >= 0 else None
        if length is None or len(answer) < head_end + 4 + int(length[1]):
            connection.received = answer
            return None
        connection.received = b""
        return self._answered(connection, answer, head_end + 4)

    def _answered(self, connection: _Connection, answer: bytes, body_start: int) -> None:
        beat = connection.beat
        assert beat is not None
        connection.step += 1
        is_last = connection.step == len(beat.requests)
        thoroughly = len(self.outcome.latencies_ms) % PARSE_ONE_IN == 0
        is_right = not is_last or beat.is_answered_by(answer, body_start, thoroughly=thoroughly)
        if answer[9:12] != b"200" or not is_right:
            self._failed(f"{beat.email}: {answer[:1000]!r}")
        elif not is_last:
            return self._send(connection, beat.requests[connection.step])
        else:
            self.outcome.latencies_ms.append((time.perf_counter() - connection.due) * 1000)
        return self._free(connection)

    def _lost(self, connection: _Connection, why: object) -> None:
        """Handle a closed connection. It is a failure only if a heartbeat was in progress."""
        if connection.beat:
            self._failed(f"{connection.beat.email}: connection lost: {why}")
            self.busy -= 1
        else:
            self.idle.remove(connection)
        self.selector.unregister(connection.socket)
        connection.socket.close()
        self._connect()

    def _failed(self, what: str) -> None:
        self.outcome.failures += 1
        self.outcome.first_failure = self.outcome.first_failure or what

    def _free(self, connection: _Connection) -> None:
        connection.beat = None
        self.busy -= 1
        self.idle.append(connection)

    def _connect(self) -> None:
        connection = _Connection(self.port)
        self.selector.register(connection.socket, selectors.EVENT_READ, connection)
        self.idle.append(connection)
