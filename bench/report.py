"""Format the results of the benchmark as a table with targets and as JSON. Pure."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass

Row = tuple[str, str, str, str]


@dataclass(frozen=True)
class FullLoad:
    """The result at full load. `rates` are those of the rounds, `beats_per_second` is their median.

    `cpu_us` is the CPU time of a heartbeat in the server's processes, in PostgreSQL and in the load itself. Other
    programs on the machine affect it much less than the rates.
    """

    rates: list[float]
    beats_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: list[float]
    failures: int
    first_failure: str


@dataclass(frozen=True)
class HalfLoad:
    beats_per_second: float
    p50_ms: float
    p99_ms: float
    failures: int


@dataclass(frozen=True)
class Statements:
    """SQL statements a beat."""

    alone: float
    at_full_load: float


@dataclass(frozen=True)
class Size:
    """The mean cost of a heartbeat at a size of the presence table: in the database, and over HTTP."""

    rows: int
    sql_us: float
    http_us: float


@dataclass(frozen=True)
class Focus:
    """The mean cost of an editor's heartbeat over HTTP, its CPU time in server and PostgreSQL, and its statements."""

    http_us: float
    cpu_us: float
    statements: float


@dataclass(frozen=True)
class Search:
    query: str
    median_ms: float
    slowest_ms: float


@dataclass(frozen=True)
class Live:
    """Open streams: delay of each change, worker memory of a stream in KB, heartbeats a second by round."""

    streams: int
    pages: int
    seen_p50_ms: float
    seen_p99_ms: float
    missed: int
    memory_kb: float
    beats_without: list[float]
    beats_beside: list[float]


@dataclass(frozen=True)
class Idle:
    """Idle streams: CPU of the server and of PostgreSQL, in per cent of one core."""

    streams: int
    opened_seconds: float
    memory_kb: float
    cpu_percent: list[float]


@dataclass(frozen=True)
class SideResults:
    full: FullLoad
    half: HalfLoad
    statements: Statements | None
    hot_percent: float


@dataclass(frozen=True)
class Results:
    viewers: int
    pages: int
    clients: int
    portal: SideResults
    reference: SideResults
    sizes: list[Size]
    focus: list[Focus]
    searches: list[Search]
    live: Live
    idle: Idle

    @property
    def ratios(self) -> list[float]:
        """Return the portal's rate divided by the reference's, by round."""
        pairs = zip(self.portal.full.rates, self.reference.full.rates, strict=True)
        return [portal / reference for portal, reference in pairs]

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)


def as_json(results: Results) -> str:
    """Return all figures, unrounded, as JSON."""
    return json.dumps({"ratio": results.ratio, "ratios": results.ratios} | asdict(results), indent=2) + "\n"


def as_table(results: Results) -> str:
    """Return the figures as a table."""
    rows: list[Row] = [
        ("", "portal", "reference", "promise"),
        *_load_rows(results),
        *_sql_rows(results.portal, results.reference),
        *_size_rows(results.sizes),
        *_focus_rows(results.focus),
        *_search_rows(results),
        *_live_rows(results.live, results.idle),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join([*lines, *_failures(results)])


def _load_rows(results: Results) -> list[Row]:
    ours, theirs = results.portal, results.reference
    ratios = f"{results.ratio:.1f} × ({min(results.ratios):.1f}–{max(results.ratios):.1f})"
    return [
        ("beats a second, full load", _rate(ours.full), _rate(theirs.full), ""),
        ("  ratio, median (each round)", ratios, "1", "≥ 4 ×"),
        ("  p50 / p99", _latency(ours.full), _latency(theirs.full), ""),
        ("  CPU a beat: server + PostgreSQL + load", _cpu(ours.full), _cpu(theirs.full), ""),
        ("beats a second, half load", _half_rate(ours.half), _half_rate(theirs.half), ""),
        ("  p50 / p99", _latency(ours.half), _latency(theirs.half), "p99 < 50 ms"),
    ]


def _sql_rows(ours: SideResults, theirs: SideResults) -> list[Row]:
    rows: list[Row] = [("HOT updates", f"{ours.hot_percent:.1f} %", f"{theirs.hot_percent:.1f} %", "100 %")]
    mine, other = ours.statements, theirs.statements
    if mine is None or other is None:
        return [*rows, ("SQL statements a beat", "not counted: no pg_stat_statements", "", "1")]
    return [
        *rows,
        ("SQL statements a beat, alone", f"{mine.alone:.2f}", f"{other.alone:.2f}", "1"),
        ("  at full load", f"{mine.at_full_load:.2f}", f"{other.at_full_load:.2f}", "≤ 1"),
    ]


def _size_rows(sizes: Sequence[Size]) -> list[Row]:
    rows: list[Row] = []
    for size in sizes:
        times = size.sql_us / sizes[0].sql_us
        found = f"{size.sql_us:.0f} µs SQL, {size.http_us / 1000:.2f} ms HTTP ({times:.2f} ×)"
        promise = "< 1.3 ×" if size.rows == sizes[-1].rows else ""
        rows.append((f"a beat with {size.rows:,} rows", found, "", promise))
    return rows


def _focus_rows(costs: Sequence[Focus]) -> list[Row]:
    stays, changes = (
        f"{cost.http_us / 1000:.2f} ms HTTP, {cost.cpu_us:.0f} µs CPU, {cost.statements:.2f} statements"
        for cost in costs
    )
    return [("an editor's beat, the focus stays", stays, "", ""), ("  the focus changes", changes, "", "1 statement")]


def _search_rows(results: Results) -> list[Row]:
    rows: list[Row] = [(f"client list, {results.clients:,} clients, searched for", "", "", "")]
    for search in results.searches:
        found = f"{search.median_ms:.0f} ms (slowest {search.slowest_ms:.0f} ms)"
        rows.append((f"  {search.query}", found, "", "< 100 ms"))
    return rows


def _live_rows(live: Live, idle: Idle) -> list[Row]:
    beside, without = statistics.median(live.beats_beside), statistics.median(live.beats_without)
    missed = f", {live.missed} missed" if live.missed else ""
    return [
        (f"{live.streams:,} streams on {live.pages} pages", "", "", ""),
        (
            "  change to seen, p50 / p99",
            f"{live.seen_p50_ms:.0f} / {live.seen_p99_ms:.0f} ms{missed}",
            "",
            "p99 < 500 ms",
        ),
        ("  memory a stream", f"{live.memory_kb:.0f} KB", "", "< 40 KB"),
        (
            "  beats a second beside them, without them",
            f"{beside:,.0f}, {without:,.0f} ({beside / without:.2f} ×)",
            "",
            "",
        ),
        (f"{idle.streams:,} idle streams, opened in {idle.opened_seconds:.1f} s", "", "", ""),
        ("  memory a stream", f"{idle.memory_kb:.0f} KB", "", "< 40 KB"),
        ("  CPU, of one core: server + PostgreSQL", " + ".join(f"{part:.1f} %" for part in idle.cpu_percent), "", ""),
    ]


def _failures(results: Results) -> list[str]:
    lines = [""]
    for name, side in (("portal", results.portal), ("reference", results.reference)):
        failures = side.full.failures + side.half.failures
        first = f"; the first at full load: {side.full.first_failure}" if side.full.failures else ""
        lines.append(f"Failed beats, {name}: {failures}{first}")
    return lines


def _rate(full: FullLoad) -> str:
    return f"{full.beats_per_second:,.0f} ({min(full.rates):,.0f}–{max(full.rates):,.0f})"


def _half_rate(half: HalfLoad) -> str:
    return f"{half.beats_per_second:,.0f}"


def _latency(load: FullLoad | HalfLoad) -> str:
    return f"{load.p50_ms:.1f} / {load.p99_ms:.1f} ms"


def _cpu(full: FullLoad) -> str:
    return " + ".join(f"{part:.0f}" for part in full.cpu_us) + f" = {sum(full.cpu_us):.0f} µs"
