"""Measure the search among 50,000 clients: `python -m bench.search`.

One user sends each kind of search to quick open and to the client list, one request at a time. The table has the
response times, and the CPU time of the portal and PostgreSQL, which other programs on the machine affect less.
"""

import argparse
import http
import http.client
import sys
import time
from collections.abc import Sequence
from urllib.parse import quote

from bench import data, load, servers
from bench.data import Database, Viewer
from bench.load import Outcome
from bench.measures import Side
from bench.servers import WORK
from portal.postgres.server import EmbeddedPostgres

SEARCHES = {
    "a family name": "Thornbury",
    "words of two people": "amara thornbury",
    "a reference without zeros": "kw421",
    "a postcode": "BS8 4QT",
    "a telephone number": "0117 496 0421",
    "an email": "client421@",
    "a plan number": "P421-1",
    "an NI number": "QQ 00 04 21 C",
    "two letters": "an",
    "six single letters": "a e i o u l",
    "no match": "nobody at all",
}
PATHS = {"quick open": "/clients/search?q=", "list": "/clients?view=all&q="}
# The digits of the id, as the benchmark's other data have them.
ADD_NUMBERS = """
UPDATE clients SET phone = '0117 49' || lpad(id::text, 5, '0'), email = 'client' || id || '@mail.example';
UPDATE people SET ni_number = 'QQ' || lpad(client_id::text, 6, '0') || 'C' WHERE id % 2 = 0;
"""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.search", description=(__doc__ or "").split(": ")[0])
    parser.add_argument("--requests", type=int, default=40, help="of each search (default: 40)")
    parser.add_argument("--major", type=int, help="PostgreSQL's version (default: that of the wheel)")
    chosen = parser.parse_args(arguments)
    WORK.mkdir(parents=True, exist_ok=True)
    with data.temporary_postgres(chosen.major) as server:
        _measure(server, data.start_postgres(server), chosen.requests)
    return 0


def _measure(server: EmbeddedPostgres, database: Database, requests: int) -> None:
    environ = data.portal_environ(server, database)
    app = data.make_portal(database, environ, viewers=2)
    database.run(ADD_NUMBERS)
    database.run("VACUUM ANALYZE")
    [viewer, _] = data.sign_in(app, 2)
    with servers.portal(environ, WORK) as portal:
        side = Side(portal, database, [], server.pid or 0)
        for place, path in PATHS.items():
            everything = Outcome()
            print(f"{place:28} {'p50':>7} {'p95':>7} {'CPU':>7}")
            for kind, searched in SEARCHES.items():
                outcome, cpu_ms = timed_requests(side, viewer, path + quote(searched), requests)
                everything.latencies_ms += outcome.latencies_ms
                p50_ms, p95_ms = outcome.percentile_ms(50), outcome.percentile_ms(95)
                print(f"  {kind:26} {p50_ms:4.0f} ms {p95_ms:4.0f} ms {cpu_ms:4.0f} ms")
            print(f"  {'all':26} {everything.percentile_ms(50):4.0f} ms {everything.percentile_ms(95):4.0f} ms")


def timed_requests(side: Side, viewer: Viewer, path: str, requests: int) -> tuple[Outcome, float]:
    """Return the times of the responses, and the milliseconds of CPU for each."""
    connection = http.client.HTTPConnection("127.0.0.1", side.server.port, timeout=load.TIMEOUT_SECONDS)
    outcome = Outcome()
    _request(connection, viewer, path)  # which opens the connections
    before = side.cpu_so_far()
    for _ in range(requests):
        started = time.perf_counter()
        _request(connection, viewer, path)
        outcome.latencies_ms.append((time.perf_counter() - started) * 1000)
    used = side.cpu_so_far().since(before)
    connection.close()
    return outcome, (used.server + used.postgres) * 1000 / requests


def _request(connection: http.client.HTTPConnection, viewer: Viewer, path: str) -> None:
    """Raises RuntimeError for an answer that is not the expected one."""
    connection.request("GET", path, headers={"Cookie": viewer.cookie})
    response = connection.getresponse()
    body = response.read()
    if response.status != http.HTTPStatus.OK:
        raise RuntimeError(f"{path} was answered with {response.status}: {body[:300]!r}")


if __name__ == "__main__":
    sys.exit(main())
