"""Test that the read log is read, and its old rows are deleted, by an index and without sorting."""

import pytest
from sqlalchemy import text

from portal.clients import Client
from portal.clients.reads import queries
from portal.clients.reads.filters import parse_read_filters
from portal.extensions import db
from tests.support.cast import Cast

pytestmark = pytest.mark.statements
# 60,000 rows of 14 months, 61 profiles and 50 clients.
ROWS = """
    INSERT INTO client_reads
    SELECT date_trunc('hour', now(), 'UTC') - make_interval(hours => n / 6), n % 50, n % 61
    FROM generate_series(1, 60000) AS n
"""
OLD = "DELETE FROM client_reads WHERE hour < now() - make_interval(months => 13)"
PAGES = [
    ({}, "pk_client_reads"),
    ({"before": "495000-7-7"}, "pk_client_reads"),
    ({"client": "KG"}, "ix_client_reads_client_id"),
    ({"client": "KG", "before": "495000-7-7"}, "ix_client_reads_client_id"),
    ({"who": "amelia"}, "ix_client_reads_profile_id"),
    ({"who": "amelia", "since": "2026-01-01", "before": "495000-7-7"}, "ix_client_reads_profile_id"),
]


def plan_of(statement: str) -> str:
    return "\n".join(db.session.scalars(text(f"EXPLAIN {statement}")))


def test_each_page_of_the_log_and_the_deletion_use_one_index(cast: Cast, client: Client) -> None:
    db.session.execute(text(ROWS))
    db.session.execute(text("ANALYZE client_reads"))
    for args, index in PAGES:
        reference = {"client": client.client_ref} if "client" in args else {}
        query = queries._query(queries.select_by(parse_read_filters(args | reference))).limit(101)

        plan = plan_of(str(query.compile(db.engine, compile_kwargs={"literal_binds": True})))

        assert f"using {index} on client_reads" in plan, plan
        assert "Sort" not in plan, plan
    assert "pk_client_reads" in plan_of(OLD)
