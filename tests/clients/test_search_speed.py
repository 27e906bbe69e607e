"""Search 50,000 clients in under 100 ms, and in under 250 ms before the first ANALYZE.

In `make test` 20,000: a plan that searches the people once for each client takes seconds with them too.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select, text

from portal.app import create_app
from portal.auth import Profile
from portal.extensions import db
from tests.conftest import DatabaseMaker, settings_for
from tests.support.cast import make_cast
from tests.support.test_client import Visitor, visitors_of
from tests.support.volume import IS_FULL, volume

CLIENTS = volume(20_000, 50_000)
CROWD = """
    INSERT INTO clients (client_ref, name, client_type, postcode, adviser_id, next_review_on)
    SELECT 'KG' || n, initcap(translate(md5(n::text), '0123456789', 'aeioustrnl')) || ' Family', 'family',
           'SW' || n % 20 || ' ' || n % 9 || 'AA', 1 + n % 2, date '2026-01-01' + n % 700
    FROM generate_series(1, :clients) AS n;
    INSERT INTO people (client_id, first_name, last_name)
    SELECT id, initcap(translate(md5(client_ref), '0123456789', 'aeioustrnl')), 'Whit' || id FROM clients;
    INSERT INTO products (client_id, plan_number, product_name, product_type, provider)
    SELECT id, 'P' || id, 'ISA', 'ISA', 'Aviva' FROM clients;
    INSERT INTO valuations (product_id, valued_on, amount) SELECT id, date '2026-01-01', id FROM products;
    UPDATE clients SET is_restricted = true WHERE id % 100 = 0;
    INSERT INTO client_grants (client_id, profile_id) SELECT id, 1 FROM clients WHERE is_restricted AND id % 200 = 0;
    INSERT INTO user_page_presence (user_id, page_identifier)
    SELECT 2, 'client-' || n * 2 + 1 FROM generate_series(1, 1000) AS n;
    INSERT INTO client_visits (profile_id, client_id, version, visited_at)
    SELECT profiles.id, clients.id, 1, now() - make_interval(secs => clients.id)
    FROM clients, profiles WHERE clients.id % 10 = profiles.id;
"""
# Autovacuum would collect statistics at an unpredictable time.
BY_HAND = "ALTER TABLE {} SET (autovacuum_enabled = off)"

# Lists for which most of the table is counted and sorted: their terms find a great part of all clients, or their page
# is near the end.
BROAD = ("q=whit&", "q=a e i o u l", "sort=name&page=")
LIMIT_MS = {"analysed": 100, "just imported": 250}

REPEATS = volume(2, 5)  # the kernel counts CPU time in steps of 10 ms
SESSIONS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"


pytestmark = pytest.mark.statements


@pytest.fixture(scope="module")
def just_imported_url(make_database: DatabaseMaker, migrated_url: str) -> str:
    """Create the clients without statistics."""
    url = make_database(migrated_url)
    with signed_in(url, make_cast_first=True), db.engine.begin() as connection:
        for table in ("clients", "people", "products", "valuations"):
            connection.execute(text(BY_HAND.format(table)))
        connection.execute(
            text("SET LOCAL statement_timeout = '120s'")
        )  # a busy machine needs longer than a request may
        connection.execute(text(CROWD), {"clients": CLIENTS})
    return url


# Without statistics only a full run searches: filling the table takes most of the time.
@pytest.fixture(scope="module", params=["just imported", "analysed"] if IS_FULL else ["analysed"])
def state(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def amelia(state: str, make_database: DatabaseMaker, just_imported_url: str) -> Iterator[Visitor]:
    """Return a signed-in visitor on a database of all clients."""
    with signed_in(make_database(template=just_imported_url) if IS_FULL else just_imported_url) as amelia:
        if state == "analysed":
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE"))  # as autovacuum does after many inserts
        yield amelia


@contextmanager
def signed_in(url: str, *, make_cast_first: bool = False) -> Iterator[Visitor]:
    app = create_app(settings_for(url))
    with app.app_context():
        cast = make_cast() if make_cast_first else None
        amelia = cast.amelia if cast else db.session.scalars(select(Profile).filter_by(first_name="Amelia")).one()
        yield visitors_of(app)(amelia)
        db.session.rollback()
        for engine in db.engines.values():
            engine.dispose()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=whit1999", "11 clients found"),
        ("q=sw7 2aa", f"{volume(111, 278)} clients found"),
        ("q=kg777", "11 clients found"),
        ("q=kg777 whit an", "clients found"),
        ("q=02079460958", "0 clients found"),
        ("q=a e i o u l", "clients found"),  # as many terms as are searched for, none of them selective
        ("q=no such client", "0 clients found"),
        ("q=an", "clients found"),
        ("q=whit1&adviser=1&status=active&sort=next_review_on", "5,555 clients found"),
        ("q=whit&adviser=1&status=active&sort=next_review_on", f"{CLIENTS // 2:,} clients found"),
        (f"sort=name&page={volume(760, 1900)}", f"{CLIENTS:,} clients"),
        ("view=mine", f"{CLIENTS // 2:,} clients"),
        ("view=overdue&sort=next_review_on&page=200", "clients"),
        ("view=in_use", "1,000 clients"),
        ("view=restricted&sort=adviser", f"{CLIENTS // 100} clients"),
    ],
)
def test_search_of_very_many_clients_is_fast(amelia: Visitor, state: str, query: str, found: str) -> None:
    """Measure the CPU time of the portal and of PostgreSQL, without other programs.

    If one scan of the table takes more than 20 ms, as on a slow or busy machine, the limit grows with it. One of a few
    attempts must succeed, because a processor does less in the same time when the machine is busy.
    """
    assert found in amelia.get(f"/clients?{query}").text

    limit_ms = LIMIT_MS[state] * (2 if query.startswith(BROAD) else 1)
    assert any(
        _busy_ms_of(lambda: amelia.get(f"/clients?{query}")) < limit_ms * max(1, _busy_ms_of(_pass) / 20)
        for _ in range(4)
    )


def test_desk_among_very_many_clients_is_fast(amelia: Visitor, state: str) -> None:
    assert "overdue" in amelia.get("/").text

    assert any(
        _busy_ms_of(lambda: amelia.get("/")) < LIMIT_MS[state] * max(1, _busy_ms_of(_pass) / 20) for _ in range(4)
    )


def _pass() -> None:
    db.session.execute(text("SELECT count(*) FROM clients WHERE searched LIKE '%an%'"))
    db.session.rollback()


def _busy_ms_of(act: Callable[[], object]) -> float:
    before_ms = _busy_ms()
    for _ in range(REPEATS):
        act()
    return (_busy_ms() - before_ms) / REPEATS


def _busy_ms() -> float:
    """Return the CPU time of this process and the database's sessions, or the wall time if it is not readable."""
    stats = [Path(f"/proc/{pid}/stat") for pid in db.session.scalars(text(SESSIONS))]
    db.session.rollback()
    if not all(stat.exists() for stat in stats):
        return time.perf_counter() * 1000
    ticks = [int(number) for stat in stats for number in stat.read_text().rpartition(")")[2].split()[11:13]]
    return time.process_time() * 1000 + sum(ticks) * 1000 / os.sysconf("SC_CLK_TCK")
