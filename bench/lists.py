"""Measure open client lists: `python -m bench.lists`.

A thousand users have the same page of the list open, each with an event stream of its rows, so that each change of a
row concerns all of them. The table has what the streams cost at rest, the delay from a change to the streams, the cost
of a save that may bring another client into each list, and the response times of the desk and of each view among 50,000
clients. The load shares the machine's cores with the portal.
"""

import argparse
import selectors
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from urllib.parse import urlencode

from bench import data, load, servers
from bench.data import Viewer
from bench.load import Outcome
from bench.measures import Side
from bench.search import timed_requests
from bench.servers import WORK
from bench.streams import OPENING_SECONDS, REST_SECONDS, max_streams
from portal.clients.listing.filters import VIEWS
from portal.live.notifications import CHANNEL, SAVED, Notification
from portal.postgres.server import EmbeddedPostgres
from portal.web.pagination import PAGE_SIZE

# One adviser has half of the clients, and each view has some. A thousand clients are in use.
SPREAD_CLIENTS = """
UPDATE clients SET
    adviser_id = CASE WHEN id % 10 = 1 THEN NULL WHEN id % 2 = 0 THEN 1 ELSE adviser_id END,
    is_restricted = id % 50 = 0,
    next_review_on = current_date + (id % 400 - 200)
"""
ROWS_IN_USE = 1_000
NOTIFY_PAYLOAD = "SELECT pg_notify(%(channel)s, %(payload)s)"
FIRST_LISTS = 50  # they start the hub of each worker, so that no list is charged for it
PAGES = {
    "the desk": "/",
    **{f"view “{label}”": f"/clients?view={view}" for view, label in VIEWS.items()},
    "view “All” by value": "/clients?view=all&sort=-total",
    "order of “All”": "/clients/order?view=all",
    "26 of its clients": "/clients/order?" + urlencode([("view", "all"), *(("client", n) for n in range(1, 27))]),
    "26 in a search": "/clients/order?" + urlencode([("q", "an"), *(("client", n) for n in range(1, 27))]),
}


class Lists:
    """Open lists of the same rows, one for each viewer."""

    def __init__(self, port: int, viewers: Sequence[Viewer], rows: Sequence[int]) -> None:
        """Open the streams, and wait until each has received all rows. Raises RuntimeError."""
        self._selector = selectors.DefaultSelector()
        query = urlencode([("follow", "saves"), *(("page", f"client-{row}") for row in rows)])
        for viewer in viewers:
            stream = socket.create_connection(("127.0.0.1", port), timeout=load.TIMEOUT_SECONDS)
            request = f"GET /user_page_presence/events?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {viewer.cookie}"
            stream.sendall(f"{request}\r\n\r\n".encode())
            self._selector.register(stream, selectors.EVENT_READ, stream)
        self.forget()
        missing = len(viewers) - len(self.wait_for(rows, OPENING_SECONDS))
        if missing:
            raise RuntimeError(f"{missing} of {len(viewers)} streams did not receive all of their rows.")

    def wait_for(self, rows: Sequence[int], seconds: float) -> list[float]:
        """Return the time at which each stream had received an event of all these rows, as far as they arrive."""
        wanted = [f'"page": "client-{row}",'.encode() for row in rows]
        waiting, times = set(self._streams()), []
        deadline = time.perf_counter() + seconds
        while waiting and (left := deadline - time.perf_counter()) > 0:
            for stream in self._read(left):
                if stream in waiting and all(event in self._received[stream] for event in wanted):
                    waiting.remove(stream)
                    times.append(time.perf_counter())
        return times

    def __len__(self) -> int:
        return len(self._streams())

    def forget(self) -> None:
        """Forget what has been received so far."""
        self._received = dict.fromkeys(self._streams(), b"")

    def rest(self, seconds: float) -> None:
        deadline = time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            list(self._read(left))

    def close(self) -> None:
        for stream in self._streams():
            stream.close()
        self._selector.close()

    def _streams(self) -> list[socket.socket]:
        return [key.data for key in self._selector.get_map().values()]

    def _read(self, timeout: float) -> Iterator[socket.socket]:
        for key, _ in self._selector.select(timeout):
            stream: socket.socket = key.data
            frame = stream.recv(262_144)
            if not frame:
                raise RuntimeError("The portal has ended a stream.")
            self._received[stream] += frame
            yield stream


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.lists", description=(__doc__ or "").split(": ")[0])
    parser.add_argument("--streams", type=int, default=1_000, help="open lists (default: 1000)")
    parser.add_argument("--changes", type=int, default=100, help="of rows, one after the other (default: 100)")
    parser.add_argument("--requests", type=int, default=20, help="of each page (default: 20)")
    chosen = parser.parse_args(arguments)
    WORK.mkdir(parents=True, exist_ok=True)
    with data.temporary_postgres() as server:
        _measure(server, chosen.streams, chosen.changes, chosen.requests)
    return 0


def _measure(server: EmbeddedPostgres, streams: int, changes: int, requests: int) -> None:
    database = data.start_postgres(server)
    environ = data.portal_environ(server, database) | {"PORTAL_STREAMS_PER_WORKER": str(streams)}
    count = min(streams, max_streams())
    app = data.make_portal(database, environ, count + 1)
    database.run(SPREAD_CLIENTS)
    database.run("VACUUM ANALYZE")
    adviser, *viewers = data.sign_in(app, count + 1)
    with servers.portal(environ, WORK) as portal:
        side = Side(portal, database, [], server.pid or 0)
        with _opened(side, viewers) as (lists, rows):
            _measure_rest(side, lists, len(viewers))
            _measure_changes(side, lists, adviser, rows, changes)
            _measure_listed(side, lists, changes // 5)
        _measure_pages(side, adviser, count + 1, requests)


@contextmanager
def _opened(side: Side, viewers: Sequence[Viewer]) -> Iterator[tuple[Lists, Sequence[int]]]:
    rows = [number for number in range(1, PAGE_SIZE * 2) if number % 50][:PAGE_SIZE]  # without restricted clients
    Lists(side.server.port, viewers[:FIRST_LISTS], rows).close()
    before_kb, began = servers.memory_kb_below(side.server.pid), time.perf_counter()
    lists = Lists(side.server.port, viewers, rows)
    try:
        print(f"{len(viewers):,} lists of {len(rows)} rows, opened in {time.perf_counter() - began:.1f} s")
        memory_kb = (servers.memory_kb_below(side.server.pid) - before_kb) / len(viewers)
        print(f"memory a list {memory_kb:.0f} KB, {memory_kb * len(viewers) / servers.WORKERS / 1024:.0f} MB a worker")
        yield lists, rows
    finally:
        lists.close()


def _measure_rest(side: Side, lists: Lists, streams: int) -> None:
    before = side.cpu_so_far()
    lists.rest(REST_SECONDS)
    used = side.cpu_so_far().since(before)
    server, postgres = (100 * seconds / REST_SECONDS for seconds in (used.server, used.postgres))
    print(f"CPU of {streams:,} lists at rest, of one core: workers {server:.1f} %, PostgreSQL {postgres:.1f} %")


def _measure_changes(side: Side, lists: Lists, adviser: Viewer, rows: Sequence[int], changes: int) -> None:
    """Time each change from the request to each stream. The next one follows when all have it."""
    every, last, missed = Outcome(), Outcome(), 0
    activities = [(row, activity) for activity in ("editing", "viewing") for row in rows]
    before = side.cpu_so_far()
    for row, activity in islice(cycle(activities), changes):
        lists.forget()
        began = time.perf_counter()
        beat = data.portal_beat(adviser, row, activity=activity)
        outcome = load.drive(side.server.port, [beat], connections=1, at_most=1)
        if outcome.failures:
            raise RuntimeError(f"A heartbeat was rejected: {outcome.first_failure}")
        delays_ms = [(at - began) * 1000 for at in lists.wait_for([row], load.TIMEOUT_SECONDS)]
        missed += len(lists) - len(delays_ms)
        every.latencies_ms += delays_ms
        last.latencies_ms += delays_ms[-1:]
    used = side.cpu_so_far().since(before)
    print(
        f"a change, until each list has it: p50 {every.percentile_ms(50):.0f} ms, p99 {every.percentile_ms(99):.0f} ms"
    )
    print(f"until the last has it: p50 {last.percentile_ms(50):.0f} ms, p99 {last.percentile_ms(99):.0f} ms")
    print(f"changes that a list did not receive: {missed}")
    workers_ms, postgres_ms = (1000 * seconds / changes for seconds in (used.server, used.postgres))
    print(f"CPU a change: workers {workers_ms:.0f} ms, PostgreSQL {postgres_ms:.0f} ms")


def _measure_listed(side: Side, lists: Lists, saves: int) -> None:
    """Measure what a save costs that may bring a client into the view of each list, without the save itself."""
    before = side.cpu_so_far()
    numbers = [number for number in range(PAGE_SIZE * 2, data.CLIENTS) if number % 50][:saves]
    for number in numbers:
        lists.forget()
        saved = Notification(SAVED, page=f"client-{number}", version=2, lists=True)
        side.database.run(NOTIFY_PAYLOAD, {"channel": CHANNEL, "payload": saved.payload()})
        if len(lists.wait_for([number], load.TIMEOUT_SECONDS)) < len(lists):
            raise RuntimeError(f"A list has not heard of client {number}.")
    used = side.cpu_so_far().since(before)
    workers_ms, postgres_ms = (1000 * seconds / saves for seconds in (used.server, used.postgres))
    print(f"CPU of a client that may come into each list: workers {workers_ms:.0f} ms, PostgreSQL {postgres_ms:.0f} ms")


def _measure_pages(side: Side, adviser: Viewer, users: int, requests: int) -> None:
    data.fill_presence(side.database, ROWS_IN_USE * data.VIEWERS_ON_A_PAGE, users)
    print(f"{'':28} {'p50':>7} {'p95':>7} {'CPU':>7}")
    for name, path in PAGES.items():
        outcome, cpu_ms = timed_requests(side, adviser, path, requests)
        p50_ms, p95_ms = outcome.percentile_ms(50), outcome.percentile_ms(95)
        print(f"{name:28} {p50_ms:4.0f} ms {p95_ms:4.0f} ms {cpu_ms:4.0f} ms")


if __name__ == "__main__":
    sys.exit(main())
