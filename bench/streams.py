"""Measure event streams: the delay of a change, the cost of an open stream, and the rate of heartbeats beside them.

The portal must be running. Like load.py it is one loop over non-blocking sockets, because it shares the machine's cores
with what it measures.
"""

import resource
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle

from bench import data, load, servers
from bench.data import Viewer
from bench.load import Outcome
from bench.measures import Side
from bench.report import Idle, Live

STREAMS = 1_000
PAGES = 250
MAX_IDLE_STREAMS = 10_000
STREAMS_OF_VIEWER = 5  # of the 12 that a worker allows a profile
OPENING_SECONDS = 60
CHANGES = 600
CHANGES_PER_SECOND = 60
REST_SECONDS = 10
ROSTER = b"event: roster"


class Streams:
    """Open event streams, and heartbeats sent meanwhile."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._selector = selectors.DefaultSelector()
        self.by_page: dict[int, list[socket.socket]] = {}

    def open(self, viewers: Sequence[Viewer], pages: int) -> None:
        """Open one for each viewer, on the pages in turn, and wait for each first roster. Raises RuntimeError."""
        for number, viewer in enumerate(viewers):
            page = number % pages + 1
            path = f"/user_page_presence/client-{page}/events?tab_id=stream-{number}"
            request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {viewer.cookie}\r\n\r\n"
            self.by_page.setdefault(page, []).append(self._send(request.encode(), is_stream=True))
        missing = {stream for streams in self.by_page.values() for stream in streams}
        deadline = time.perf_counter() + OPENING_SECONDS
        while missing and time.perf_counter() < deadline:
            missing -= set(self.with_rosters(1))
        if missing:
            raise RuntimeError(f"{len(missing)} of {len(viewers)} streams were not opened.")

    def beat(self, request: bytes) -> None:
        """Send one heartbeat. Its response is read with the streams."""
        self._send(request, is_stream=False)

    def with_rosters(self, timeout: float) -> Iterator[socket.socket]:
        """Return the streams that have received a roster. Raises RuntimeError if one ends or a call is rejected."""
        for key, _ in self._selector.select(timeout):
            connection, is_stream = key.data
            frame = connection.recv(65536)
            if is_stream and not frame:
                raise RuntimeError("The portal has ended a stream.")
            if is_stream and ROSTER in frame:
                yield connection
            if not is_stream:
                if b" 200 OK" not in frame[:20]:
                    raise RuntimeError(f"A heartbeat was rejected: {frame[:300]!r}")
                self._selector.unregister(connection)
                connection.close()

    def close(self) -> None:
        for key in list(self._selector.get_map().values()):
            key.data[0].close()
        self._selector.close()

    def _send(self, request: bytes, *, is_stream: bool) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._port), timeout=load.TIMEOUT_SECONDS)
        connection.sendall(request)
        self._selector.register(connection, selectors.EVENT_READ, (connection, is_stream))
        return connection


def live(side: Side, viewers: Sequence[Viewer], seconds: float, rounds: int) -> Live:
    """Measure 1,000 streams: the delay of each change, and the heartbeats a second with and without them."""
    holders, others = viewers[:STREAMS], viewers[STREAMS:] or viewers
    before_kb = servers.memory_kb_below(side.server.pid)
    with _opened(side, holders, PAGES) as streams:
        memory_kb = (servers.memory_kb_below(side.server.pid) - before_kb) / len(holders)
        seen = _changes_seen(streams, others)
    without, beside = [], []
    for _ in range(rounds):
        without.append(side.drive(seconds=seconds).per_second)
        with _opened(side, holders, PAGES):  # the kernel buffers what they receive meanwhile
            beside.append(side.drive(seconds=seconds).per_second)
    return Live(
        len(holders), PAGES, seen.percentile_ms(50), seen.percentile_ms(99), seen.failures, memory_kb, without, beside
    )


def idle(side: Side, viewers: Sequence[Viewer]) -> Idle:
    """Measure the cost of idle streams: as many as this process may open, up to 10,000."""
    holders = [viewer for viewer in viewers for _ in range(STREAMS_OF_VIEWER)][: max_streams()]
    before_kb = servers.memory_kb_below(side.server.pid)
    began = time.perf_counter()
    with _opened(side, holders, PAGES * 10) as streams:
        opened_seconds = time.perf_counter() - began
        memory_kb = (servers.memory_kb_below(side.server.pid) - before_kb) / len(holders)
        before, began = side.cpu_so_far(), time.perf_counter()
        while (left := began + REST_SECONDS - time.perf_counter()) > 0:
            list(streams.with_rosters(left))
        used = side.cpu_so_far().since(before)
    return Idle(
        streams=len(holders),
        opened_seconds=opened_seconds,
        memory_kb=memory_kb,
        cpu_percent=[100 * used.server / REST_SECONDS, 100 * used.postgres / REST_SECONDS],
    )


@contextmanager
def _opened(side: Side, holders: Sequence[Viewer], pages: int) -> Iterator[Streams]:
    streams = Streams(side.server.port)
    try:
        streams.open(holders, pages)
        yield streams
    finally:
        streams.close()


def _changes_seen(streams: Streams, viewers: Sequence[Viewer]) -> Outcome:
    """Time each change from when it is due, for each stream of its page."""
    outcome = Outcome()
    waiting: dict[socket.socket, float] = {}
    changes = _changes(viewers)
    began = time.perf_counter()
    last_due = began + (CHANGES - 1) / CHANGES_PER_SECOND
    due = began
    while due <= last_due or (waiting and time.perf_counter() < last_due + load.TIMEOUT_SECONDS):
        if due <= min(last_due, time.perf_counter()):
            page, request = next(changes)
            waiting |= dict.fromkeys(streams.by_page[page], due)
            streams.beat(request)
            due += 1 / CHANGES_PER_SECOND
        for stream in streams.with_rosters(0.001):
            if stream in waiting:
                outcome.latencies_ms.append((time.perf_counter() - waiting.pop(stream)) * 1000)
    outcome.failures = len(waiting)
    return outcome


def _changes(viewers: Sequence[Viewer]) -> Iterator[tuple[int, bytes]]:
    """Yield the changes: all viewers join, then all begin to edit, and so on, in the order of the pages."""
    for activity in cycle(("viewing", "editing")):
        for number, viewer in enumerate(viewers):
            page = number % PAGES + 1
            yield page, data.portal_beat(viewer, page, activity=activity).requests[0]


def max_streams() -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_IDLE_STREAMS + 200
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(wanted, hard)), hard))
    return min(MAX_IDLE_STREAMS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200)
