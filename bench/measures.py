"""Measure the figures, one function for each. Both servers must be running.

A `Side` is a server with its database and the heartbeats to send to it.
"""

import http.client
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import quote

from bench import data, load, servers
from bench.data import Database, Viewer
from bench.load import Beat, Outcome
from bench.report import Focus, FullLoad, HalfLoad, Search, Size, Statements

CONNECTIONS = 64
SIZES = (100, 10_000, 100_000)
BEATS_PER_SIZE = 500
FOCUS_EDITORS = 100  # two on each page
# A family name, a reference, a postcode, a full name, a text without matches, and two letters, which no trigram index
# supports.
SEARCHES = ("Thornbury", "KW0421", "BS8 4", "Amara Ellingham", "nobody at all", "an")
STATISTICS_DELAY_SECONDS = 2  # a backend reports its counts to the shared statistics about once a second


class Cpu(NamedTuple):
    """CPU seconds of the server with its workers, of PostgreSQL, and of the load itself."""

    server: float = 0.0
    postgres: float = 0.0
    load: float = 0.0

    def since(self, before: "Cpu") -> "Cpu":
        return Cpu(*(now - then for now, then in zip(self, before, strict=True)))


@dataclass
class Side:
    """One of the two designs, with the results of its full-load rounds."""

    server: servers.Server
    database: Database
    beats: Sequence[Beat]
    postgres_pid: int
    rounds: list[Outcome] = field(default_factory=list)
    cpu: Cpu = field(default_factory=Cpu)

    def cpu_so_far(self) -> Cpu:
        """Return the CPU time used so far by all processes of a heartbeat."""
        return Cpu(
            servers.cpu_seconds_below(self.server.pid),
            servers.cpu_seconds_below(self.postgres_pid),
            time.process_time(),
        )

    def drive(self, **how: float | None) -> Outcome:
        """Send the side's heartbeats (load.drive)."""
        return load.drive(self.server.port, self.beats, **({"connections": CONNECTIONS} | how))  # type: ignore[arg-type]


def warm_up(side: Side) -> None:
    """Send one heartbeat of every viewer. Raises RuntimeError if none succeeds."""
    outcome = side.drive(at_most=len(side.beats))
    if not outcome.latencies_ms:
        raise RuntimeError(f"No beat reached the {side.server.name}. The first: {outcome.first_failure}")


def round_at_full_load(side: Side, seconds: float) -> Outcome:
    """Run one round and keep the outcome with the side."""
    before = side.cpu_so_far()
    outcome = side.drive(seconds=seconds)
    side.cpu = Cpu(*(sum(parts) for parts in zip(side.cpu, side.cpu_so_far().since(before), strict=True)))
    side.rounds.append(outcome)
    return outcome


def full_load(side: Side) -> FullLoad:
    """Return the result of the side's rounds, with the latencies of all of them together."""
    rates = [outcome.per_second for outcome in side.rounds]
    together = Outcome(latencies_ms=[latency for outcome in side.rounds for latency in outcome.latencies_ms])
    return FullLoad(
        rates=[round(rate, 1) for rate in rates],
        beats_per_second=statistics.median(rates),
        p50_ms=together.percentile_ms(50),
        p99_ms=together.percentile_ms(99),
        cpu_us=[seconds / len(together.latencies_ms) * 1e6 for seconds in side.cpu],
        failures=sum(outcome.failures for outcome in side.rounds),
        first_failure=next((o.first_failure for o in side.rounds if o.first_failure), ""),
    )


def half_load(side: Side, maximum: float, seconds: float) -> HalfLoad:
    """Measure evenly due heartbeats at half of the side's own maximum."""
    outcome = side.drive(seconds=seconds, per_second=maximum / 2)
    return HalfLoad(
        beats_per_second=outcome.per_second,
        p50_ms=outcome.percentile_ms(50),
        p99_ms=outcome.percentile_ms(99),
        failures=outcome.failures,
    )


def update_counts(database: Database) -> tuple[int, int]:
    """Return the number of updates of the presence table, and how many were HOT."""
    time.sleep(STATISTICS_DELAY_SECONDS)
    sql = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'user_page_presence'"
    [(updates, hot)] = database.run(sql)
    return updates, hot


def hot_percent(before: tuple[int, int], after: tuple[int, int]) -> float:
    """Return the percentage of HOT updates between two counts."""
    return 100 * (after[1] - before[1]) / max(1, after[0] - before[0])


def statements(side: Side, beats: int, seconds: float) -> Statements | None:
    """Return the SQL statements a heartbeat, alone and at full load. None without pg_stat_statements."""
    with counted_statements(side.database) as executed_alone:
        alone = side.drive(connections=1, at_most=beats)
    with counted_statements(side.database) as executed_loaded:
        loaded = side.drive(seconds=seconds)
    if not executed_alone.is_counted:
        return None
    return Statements(executed_alone.calls / len(alone.latencies_ms), executed_loaded.calls / len(loaded.latencies_ms))


def sizes(side: Side, viewers: Sequence[Viewer], beats: int, repeats: int) -> list[Size]:
    """Return the cost of a heartbeat by table size: the lowest of the repeats, as other programs only add to it."""
    best: dict[int, Size] = {}
    for _ in range(repeats):
        for rows in SIZES:
            found = _size(side, viewers, rows, beats)
            kept = best.setdefault(rows, found)
            best[rows] = Size(rows, min(kept.sql_us, found.sql_us), min(kept.http_us, found.http_us))
    return list(best.values())


def focus_changes(side: Side, viewers: Sequence[Viewer], beats: int, repeats: int) -> list[Focus]:
    """Return the cost of an editor's heartbeat whose focus stays and of one whose focus changes, each the lowest."""
    return [
        min((_focus(side, viewers, focuses, beats) for _ in range(repeats)), key=lambda cost: cost.http_us)
        for focuses in (("Phone", "Phone"), ("Phone", "Town"))
    ]


def _focus(side: Side, viewers: Sequence[Viewer], focuses: tuple[str, str], beats: int) -> Focus:
    editors = viewers[:FOCUS_EDITORS]
    pairs = [data.focus_beats(viewer, number // 2 + 1, focuses) for number, viewer in enumerate(editors)]
    load.drive(side.server.port, pairs, connections=1, at_most=len(pairs))
    with counted_statements(side.database) as executed:
        before = side.cpu_so_far()
        outcome = load.drive(side.server.port, pairs, connections=1, at_most=beats)
        used = side.cpu_so_far().since(before)
    sent = len(focuses) * len(outcome.latencies_ms)
    return Focus(
        http_us=outcome.mean_ms * 1000 / len(focuses),
        cpu_us=(used.server + used.postgres) / sent * 1e6,
        statements=executed.calls / sent,
    )


def searches(side: Side, viewer: Viewer, repeats: int) -> list[Search]:
    """Measure the response times of the client list for each search, one at a time."""
    connection = http.client.HTTPConnection("127.0.0.1", side.server.port, timeout=load.TIMEOUT_SECONDS)
    found = []
    for query in SEARCHES:
        times = [_search(connection, viewer, query) for _ in range(repeats + 1)][1:]
        found.append(Search(query, statistics.median(times), max(times)))
    connection.close()
    return found


def _search(connection: http.client.HTTPConnection, viewer: Viewer, query: str) -> float:
    """Return the milliseconds until the page is complete. Raises RuntimeError for another response."""
    started = time.perf_counter()
    connection.request("GET", f"/clients?q={quote(query)}", headers={"Cookie": viewer.cookie})
    response = connection.getresponse()
    page = response.read().decode()
    took_ms = (time.perf_counter() - started) * 1000
    if response.status != http.HTTPStatus.OK or query not in page:
        raise RuntimeError(f"The client list answered {response.status} to the search {query!r}: {page[:500]}")
    return took_ms


def _size(side: Side, viewers: Sequence[Viewer], rows: int, beats: int) -> Size:
    data.fill_presence(side.database, rows, len(viewers))
    # Heartbeats of rows across the whole table, so that a larger table is also read more widely.
    places = [n * rows // min(rows, BEATS_PER_SIZE) for n in range(min(rows, BEATS_PER_SIZE))]
    spread = [data.portal_beat(viewers[place % len(viewers)], place // data.VIEWERS_ON_A_PAGE + 1) for place in places]
    load.drive(side.server.port, spread, connections=1, at_most=len(spread))
    with counted_statements(side.database) as executed:
        outcome = load.drive(side.server.port, spread, connections=1, at_most=beats)
    return Size(rows, executed.milliseconds / max(1, executed.calls) * 1000, outcome.mean_ms * 1000)


@dataclass
class Executed:
    """The statements of a block and their time. Nothing is counted without pg_stat_statements."""

    is_counted: bool = False
    calls: int = 0
    milliseconds: float = 0.0


@contextmanager
def counted_statements(database: Database) -> Iterator[Executed]:
    """Count the SQL statements of the block, without those of the count itself."""
    executed = Executed(bool(database.run("SELECT 1 FROM pg_settings WHERE name = 'pg_stat_statements.track'")))
    if not executed.is_counted:
        yield executed
        return
    _track_statements(database, "top")
    database.run("SELECT pg_stat_statements_reset()")
    yield executed
    sql = """
        SELECT coalesce(sum(calls), 0)::int, coalesce(sum(total_exec_time), 0)
        FROM pg_stat_statements JOIN pg_database ON pg_database.oid = dbid
        WHERE datname = current_database() AND query NOT LIKE '%pg_stat_statements%'
    """
    [(executed.calls, executed.milliseconds)] = database.run(sql)
    _track_statements(database, "none")


def _track_statements(database: Database, which: str) -> None:
    database.run(f"ALTER SYSTEM SET pg_stat_statements.track = '{which}'")
    database.run("SELECT pg_reload_conf()")
    time.sleep(0.2)  # backends read the new setting before their next statement
