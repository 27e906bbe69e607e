"""With 50,000 clients a search of the list still answers in under 100 ms."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask_migrate import upgrade
from sqlalchemy import text

from portal import create_app
from portal.extensions import db
from tests.cast import make_cast
from tests.conftest import DatabaseMaker, settings_for
from tests.visitor import Visitor, visitors_of

CROWD = """
    INSERT INTO clients (client_ref, name, client_type, postcode, adviser_id, next_review_on)
    SELECT 'KG' || n, initcap(translate(md5(n::text), '0123456789', 'aeioustrnl')) || ' Family', 'family',
           'SW' || n % 20 || ' ' || n % 9 || 'AA', 1 + n % 2, date '2026-01-01' + n % 700
    FROM generate_series(1, 50000) AS n;
    INSERT INTO people (client_id, first_name, last_name)
    SELECT id, initcap(translate(md5(client_ref), '0123456789', 'aeioustrnl')), 'Whit' || id FROM clients;
    INSERT INTO products (client_id, plan_number, product_name, product_type, provider)
    SELECT id, 'P' || id, 'ISA', 'ISA', 'Aviva' FROM clients;
    INSERT INTO valuations (product_id, valued_on, amount) SELECT id, date '2026-01-01', id FROM products;
    ANALYZE
"""

SESSIONS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"


@pytest.fixture(scope="module")
def amelia(make_database: DatabaseMaker) -> Iterator[Visitor]:
    """Signed in on a database of 50,000 clients."""
    app = create_app(settings_for(make_database()))
    with app.app_context():
        upgrade()
        cast = make_cast()
        with db.engine.begin() as connection:
            connection.execute(text(CROWD))
        yield visitors_of(app)(cast.amelia)
        for engine in db.engines.values():
            engine.dispose()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=whit4999", "11 clients found"),
        ("q=sw7 2aa", "278 clients found"),
        ("q=kg777", "11 clients found"),
        ("q=no such client", "0 clients found"),
        ("q=an", "clients found"),
        ("q=whit&adviser=1&status=active&sort=next_review_on", "25,000 clients found"),
        ("sort=name&page=1900", "50,000 clients"),
    ],
)
def test_a_search_among_fifty_thousand_takes_less_than_100_ms(amelia: Visitor, query: str, found: str) -> None:
    """Of the portal and of PostgreSQL together; what other programs on this machine do is left out.

    Where one pass over the table alone takes more than 20 ms, on a slow or a busy machine, five passes are allowed.
    One of a few tries will do: beside a busy neighbour a processor does less in the same time.
    """
    assert found in amelia.get(f"/clients?{query}").text

    assert any(
        _busy_ms_of(lambda: amelia.get(f"/clients?{query}")) < max(100, 5 * _busy_ms_of(_pass)) for _ in range(4)
    )


def _pass() -> None:
    db.session.execute(text("SELECT count(*) FROM clients WHERE searched LIKE '%an%'"))
    db.session.rollback()


def _busy_ms_of(act: Callable[[], object]) -> float:
    before_ms = _busy_ms()
    for _ in range(5):
        act()
    return (_busy_ms() - before_ms) / 5


def _busy_ms() -> float:
    """The time that this process and the database's sessions have been running; where that cannot be read, the time."""
    stats = [Path(f"/proc/{pid}/stat") for pid in db.session.scalars(text(SESSIONS))]
    db.session.rollback()
    if not all(stat.exists() for stat in stats):
        return time.perf_counter() * 1000
    ticks = [int(number) for stat in stats for number in stat.read_text().rpartition(")")[2].split()[11:13]]
    return time.process_time() * 1000 + sum(ticks) * 1000 / os.sysconf("SC_CLK_TCK")
