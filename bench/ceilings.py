"""Measure the maximum rate and the CPU time of each kind of call: `python -m bench.ceilings`.

Starts the portal and PostgreSQL as `make bench` does, and sends one kind of call after the other at full load. The load
shares the machine's cores with both, so the rate depends on the machine and its other programs. The CPU time per call
hardly does; docs/scaling.md uses it. pgbench measures PostgreSQL's own maximum for NOTIFY.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from bench import data, servers
from bench.data import Viewer
from bench.load import Beat, Outcome, Request
from bench.measures import Side
from bench.servers import WORK
from portal.postgres.binaries import find_installation
from portal.postgres.server import EmbeddedPostgres

VIEWERS = 2_000
PAGES = 500
CONNECTIONS = 32
NOTIFIERS = (1, 8, 32)
NOTIFY = "SELECT pg_notify('portal_bench', 'x');\n"


@dataclass(frozen=True)
class Ceiling:
    what: str
    outcome: Outcome
    server_us: float
    postgres_us: float


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.ceilings", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement (default: 5)")
    chosen = parser.parse_args(arguments)
    WORK.mkdir(parents=True, exist_ok=True)
    with data.temporary_postgres() as server:
        _measure(server, chosen.seconds)
    return 0


def _measure(server: EmbeddedPostgres, seconds: float) -> None:
    database = data.start_postgres(server)
    environ = data.portal_environ(server, database)
    app = data.make_portal(database, environ, VIEWERS)
    viewers = data.sign_in(app, VIEWERS)
    with servers.portal(environ, WORK) as portal:
        print(f"{'':34}{'a second':>10}{'p50':>9}{'p99':>9}{'CPU server':>13}{'PostgreSQL':>13}{'failed':>8}")
        for what, calls in _kinds(viewers):
            side = Side(portal, database, calls, server.pid or 0)
            print(_row(_ceiling(what, side, seconds)), flush=True)
    for clients in NOTIFIERS:
        rate = _notifications(database.plain_url(), clients, seconds)
        print(f"NOTIFYs of {clients:2} connections alone: {rate:,.0f} transactions a second", flush=True)


def _kinds(viewers: Sequence[Viewer]) -> list[tuple[str, Sequence[Beat]]]:
    pages = [number % PAGES + 1 for number in range(len(viewers))]
    pairs = list(zip(viewers, pages, strict=True))
    news = [data.portal_beat(*pair, activity=activity) for activity in ("viewing", "editing") for pair in pairs]
    return [
        ("heartbeats", [data.portal_beat(*pair) for pair in pairs]),
        ("heartbeats, half of them news", news),
        ("saves, each of another client", [_save(viewers[n % VIEWERS], n) for n in range(1, data.CLIENTS + 1)]),
        ("client pages", [_page(viewer, f"/clients/{n + 1}", "KW") for n, viewer in enumerate(viewers)]),
        ("client list", [_page(viewer, "/clients", "KW") for viewer in viewers]),
        (
            "searches",
            [
                _page(viewer, f"/clients?q={quote(word)}", word)
                for viewer in viewers
                for word in ("Thornbury", "KW0421")
            ],
        ),
    ]


def _save(viewer: Viewer, client: int) -> Request:
    headers = f"Cookie: {viewer.cookie}\r\nX-CSRFToken: {viewer.csrf_token}\r\n"
    request = data.request(f"POST /clients/{client}/edit", headers, {"version": 1, "phone": "0117 496 0000"})
    return Request((request,), viewer.profile_id, viewer.email, b'"saved"')


def _page(viewer: Viewer, path: str, expected: str) -> Request:
    request = data.request(f"GET {path}", f"Cookie: {viewer.cookie}\r\n")
    return Request((request,), viewer.profile_id, viewer.email, expected.encode())


def _ceiling(what: str, side: Side, seconds: float) -> Ceiling:
    side.drive(connections=CONNECTIONS, at_most=200)
    before = side.cpu_so_far()
    outcome = side.drive(connections=CONNECTIONS, seconds=seconds)
    used = side.cpu_so_far().since(before)
    calls = max(1, len(outcome.latencies_ms))
    return Ceiling(what, outcome, used.server / calls * 1e6, used.postgres / calls * 1e6)


def _row(found: Ceiling) -> str:
    outcome = found.outcome
    if not outcome.latencies_ms:
        raise RuntimeError(f"No call succeeded: {outcome.first_failure}")
    times = f"{outcome.percentile_ms(50):6.0f} ms{outcome.percentile_ms(99):6.0f} ms"
    cpu = f"{found.server_us:10,.0f} µs{found.postgres_us:10,.0f} µs"
    return f"{found.what:34}{outcome.per_second:10,.0f}{times}{cpu}{outcome.failures:8}"


def _notifications(url: str, clients: int, seconds: float) -> float:
    """Return the transactions a second that only notify, with `clients` connections."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(NOTIFY)
        script.flush()
        command = [find_installation().bin / "pgbench", "--no-vacuum", f"--file={script.name}", f"--client={clients}"]
        command += [f"--time={int(seconds)}", url]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"tps = ([\d.]+)", said)
    if found is None:
        raise RuntimeError(said)
    return float(found[1])


if __name__ == "__main__":
    sys.exit(main())
