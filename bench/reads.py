"""Measure what the record of a read costs a client page: `python -m bench.reads`.

One process requests client pages by turns with the read log and with the second check of the permission alone, which
writes nothing. Then it runs both statements without a page, each with its commit. The figures are CPU time of the
application, without gunicorn, and of PostgreSQL.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence

from flask.testing import FlaskClient
from sqlalchemy import text

from bench import data, servers
from portal.clients import permissions
from portal.clients.permissions import VISIBLE_SQL
from portal.extensions import db
from portal.presence import sql
from portal.web.session_cookie import Identity, identity

PAGES_IN_A_BLOCK = 20
STATEMENTS_IN_A_BLOCK = 200
CHECK_ONLY = f"""
    SELECT EXISTS (
        SELECT FROM ({sql.caller(":profile_id", "CAST(:session_id AS uuid)")}) caller,
            (SELECT CAST(:number AS integer) AS number) page
        WHERE {VISIBLE_SQL}
    )"""  # noqa: S608 - constants of ours
record_read = permissions.record_read
Block = Callable[[Sequence[int]], None]


def check_only(caller: Identity, client_id: int) -> bool:
    return bool(db.session.scalar(text(CHECK_ONLY), {**caller._asdict(), "number": client_id}))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.reads", description=(__doc__ or "").split(": ")[0])
    parser.add_argument("--pairs", type=int, default=30, help=f"of {PAGES_IN_A_BLOCK} pages each (default: 30)")
    pairs = parser.parse_args(arguments).pairs
    with data.temporary_postgres() as server:
        database = data.start_postgres(server)
        app = data.make_portal(database, data.portal_environ(server, database), viewers=2)
        viewer = data.sign_in(app, 2)[0]
        client = app.test_client(use_cookies=False)
        client.environ_base |= {"HTTP_COOKIE": viewer.cookie}
        pages, statements = pairs * PAGES_IN_A_BLOCK, pairs * STATEMENTS_IN_A_BLOCK
        print(f"{'CPU of each':28} {'without':>10} {'with':>10} {'median of the pairs':>20}")
        with app.test_request_context(environ_base={"HTTP_COOKIE": viewer.cookie}):
            caller = identity()

            def cpu_seconds() -> float:
                return time.process_time() + servers.cpu_seconds_below(server.pid or 0)

            def request_pages(numbers: Sequence[int]) -> None:
                _request_pages(client, numbers)

            def run_statements(numbers: Sequence[int]) -> None:
                _run_statements(caller, numbers)

            _compare(cpu_seconds, "first page of an hour", range(1, pages + 1), PAGES_IN_A_BLOCK, request_pages)
            _compare(cpu_seconds, "later page of that hour", [1] * pages, PAGES_IN_A_BLOCK, request_pages)
            new = range(pages + 1, pages + 1 + statements)
            _compare(cpu_seconds, "first record of an hour", new, STATEMENTS_IN_A_BLOCK, run_statements)
            _compare(cpu_seconds, "later record of that hour", [1] * statements, STATEMENTS_IN_A_BLOCK, run_statements)
    return 0


def _compare(cpu_seconds: Callable[[], float], what: str, numbers: Sequence[int], size: int, run: Block) -> None:
    """Print what the numbers of clients cost in each way, in blocks by turns."""
    run(numbers[:1])  # opens the connection
    found: dict[bool, list[float]] = {False: [], True: []}
    for start in range(0, len(numbers), size):
        for is_recorded in (False, True) if start // size % 2 else (True, False):
            permissions.record_read = record_read if is_recorded else check_only
            before = cpu_seconds()
            run(numbers[start : start + size])
            found[is_recorded].append((cpu_seconds() - before) * 1e6 / size)
    permissions.record_read = record_read
    without, recorded = (statistics.median(found[is_recorded]) for is_recorded in (False, True))
    price = statistics.median(after - before for before, after in zip(found[False], found[True], strict=True))
    print(f"{what:28} {without:7.0f} µs {recorded:7.0f} µs {price:12.0f} µs = {price / without:.1%}", flush=True)


def _request_pages(client: FlaskClient, numbers: Sequence[int]) -> None:
    for number in numbers:
        status = client.get(f"/clients/{number}", base_url="http://127.0.0.1").status_code
        if status != 200:
            raise RuntimeError(f"/clients/{number} was answered with {status}")


def _run_statements(caller: Identity, numbers: Sequence[int]) -> None:
    for number in numbers:
        if not permissions.record_read(caller, number):
            raise RuntimeError(f"client {number} is hidden")
        db.session.commit()


if __name__ == "__main__":
    sys.exit(main())
