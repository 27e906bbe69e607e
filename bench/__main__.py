"""Measure the portal and print each figure beside its target: `python -m bench`.

Starts the portal and a reference of the original FastAPI design on one PostgreSQL server, and loads both in alternating
rounds, so that other programs on the machine slow both equally. The exit code is 0 if everything was measured, whatever
the figures.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench import data, measures, report, servers, streams
from bench.data import Viewer
from bench.measures import Side
from bench.report import Results, SideResults
from bench.servers import WORK
from portal.errors import PortalError
from portal.postgres.server import EmbeddedPostgres


@dataclass(frozen=True)
class Plan:
    """The duration and number of measurements."""

    viewers: int
    pages: int
    seconds: float
    rounds: int
    counted_beats: int
    repeats: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and write the figures as JSON. Return 1 after an error, 130 after Ctrl-C."""
    plan = _plan(arguments)
    try:
        results = _prepare_and_measure(plan)
    except (RuntimeError, PortalError, subprocess.CalledProcessError) as error:
        print(f"The benchmark failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    (WORK / "results.json").write_text(report.as_json(results))
    print(f"\n{report.as_table(results)}\n\nAll figures: {WORK / 'results.json'}")
    return 0


def _prepare_and_measure(plan: Plan) -> Results:
    WORK.mkdir(parents=True, exist_ok=True)
    _print_progress("installing the reference (the first time only)")
    servers.install_reference(WORK)
    with data.temporary_postgres() as server:
        return _measure_on(server, plan)


def _measure_on(server: EmbeddedPostgres, plan: Plan) -> Results:
    _print_progress("starting PostgreSQL and making 50,000 clients")
    database = data.start_postgres(server)
    environ = data.portal_environ(server, database)
    environ["PORTAL_STREAMS_PER_WORKER"] = str(streams.MAX_IDLE_STREAMS)  # workers do not get equal shares
    secret_key = environ["PORTAL_SECRET_KEY"]
    app = data.make_portal(database, environ, plan.viewers)
    reference_database = data.make_reference(database, plan.viewers)
    viewers = data.sign_in(app, plan.viewers)
    _print_progress("starting the portal and the reference, two workers each")
    with (
        servers.portal(environ, WORK) as portal,
        servers.reference(reference_database.plain_url(), secret_key, WORK) as reference,
    ):
        pages = [number % plan.pages + 1 for number in range(plan.viewers)]
        ours = [data.portal_beat(*pair) for pair in zip(viewers, pages, strict=True)]
        theirs = [data.reference_beat(*pair, secret_key) for pair in zip(viewers, pages, strict=True)]
        pid = server.pid or 0
        us = Side(portal, database, ours, pid)
        them = Side(reference, reference_database, theirs, pid)
        return _measure(plan, viewers, us, them)


def _measure(plan: Plan, viewers: Sequence[Viewer], portal: Side, reference: Side) -> Results:
    sides = (reference, portal)
    before = [_updates_after_warm_up(side) for side in sides]
    for number in range(1, plan.rounds + 1):
        for side in sides:
            outcome = measures.round_at_full_load(side, plan.seconds)
            _print_progress(
                f"round {number} of {plan.rounds}, {side.server.name}: {outcome.per_second:,.0f} beats a second"
            )
    found = [_side_results(plan, side, counts) for side, counts in zip(sides, before, strict=True)]
    _print_progress("a beat with 100, 10,000 and 100,000 rows in the table")
    sizes = measures.sizes(portal, viewers, plan.counted_beats, plan.repeats)
    _print_progress("an editor's beat whose focus stays, and one whose focus changes")
    focus = measures.focus_changes(portal, viewers, plan.counted_beats, plan.repeats)
    _print_progress("searching the client list")
    searches = measures.searches(portal, viewers[0], plan.counted_beats // 50)
    _print_progress("1,000 streams, and what they see")
    live = streams.live(portal, viewers, plan.seconds, plan.repeats)
    _print_progress("10,000 idle streams, or as many as a process may open here")
    idle = streams.idle(portal, viewers)
    return Results(plan.viewers, plan.pages, data.CLIENTS, found[1], found[0], sizes, focus, searches, live, idle)


def _updates_after_warm_up(side: Side) -> tuple[int, int]:
    _print_progress(f"{side.server.name}: every viewer sends one heartbeat")
    measures.warm_up(side)
    return measures.update_counts(side.database)


def _side_results(plan: Plan, side: Side, updates_before: tuple[int, int]) -> SideResults:
    full = measures.full_load(side)
    hot_percent = measures.hot_percent(updates_before, measures.update_counts(side.database))
    _print_progress(f"{side.server.name} at half load, then counting statements")
    return SideResults(
        full=full,
        half=measures.half_load(side, full.beats_per_second, plan.seconds),
        statements=measures.statements(side, plan.counted_beats, plan.seconds / 2),
        hot_percent=hot_percent,
    )


def _plan(arguments: Sequence[str] | None) -> Plan:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=(__doc__ or "").partition("\n")[0],
        epilog="Example: python -m bench --seconds 10 --viewers 500 --pages 100",
    )
    parser.add_argument("--seconds", type=_positive, default=4, help="length of a round (default: 4)")
    parser.add_argument("--viewers", type=_at_least_100, default=2000, help="signed-in viewers (default: 2000)")
    parser.add_argument("--pages", type=_positive, default=500, help="pages that they visit (default: 500)")
    parser.add_argument("--quick", action="store_true", help="short rounds, for a first impression only")
    chosen = parser.parse_args(arguments)
    if chosen.pages > min(chosen.viewers, data.CLIENTS):
        parser.error("--pages must not exceed --viewers: each page needs a viewer")
    if chosen.quick:
        return Plan(chosen.viewers, chosen.pages, min(chosen.seconds, 2), rounds=2, counted_beats=300, repeats=1)
    return Plan(chosen.viewers, chosen.pages, chosen.seconds, rounds=6, counted_beats=1000, repeats=2)


def _positive(text: str, least: int = 1, why: str = "") -> int:
    if not (text.isascii() and text.isdigit() and int(text) >= least):
        raise argparse.ArgumentTypeError(f"must be a whole number of {least} or more{why}, not {text!r}")
    return int(text)


def _at_least_100(text: str) -> int:
    return _positive(text, 100, ", for the smallest table measured has 100 rows")


def _print_progress(what: str) -> None:
    """Print progress to stderr, apart from the result."""
    print(f"{time.strftime('%H:%M:%S')}  {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
