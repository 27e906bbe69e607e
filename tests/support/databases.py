"""Empty a database between tests, or change it as an operator does while the portal uses it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg2
from sqlalchemy import TextClause, text
from sqlalchemy.engine import make_url

from portal.extensions import db

# A TRUNCATE of them all makes new files for each and its indexes: 50 ms instead of 3, in two thousand tests. As a
# replica PostgreSQL fires no trigger, neither those of foreign keys nor those that refuse to delete what was recorded.
EMPTY_EVERY_TABLE = """
DO $$
DECLARE name text;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
    FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL LOOP
        PERFORM setval(name, 1, false);
    END LOOP;
END $$
"""


def with_statistics_of_empty_table(table: str, fill: TextClause, parameters: Mapping[str, object]) -> None:
    """Fill and empty a table so that PostgreSQL knows its pages and no rows: its worst basis of a plan. Commits."""
    db.session.execute(fill, parameters)
    db.session.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - a constant of the test
    db.session.commit()
    db.session.execute(text(f"ANALYZE {table}"))
    db.session.commit()


@contextmanager
def read_only(url: str) -> Iterator[None]:
    """Make sessions that are opened in this block read-only, as an operator or a watchdog does."""
    parsed = make_url(url)
    connection = psycopg2.connect(dbname="postgres", user=parsed.username, **parsed.query)
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(f"ALTER DATABASE {parsed.database} SET default_transaction_read_only = on")
    try:
        yield
    finally:
        cursor.execute(f"ALTER DATABASE {parsed.database} RESET default_transaction_read_only")
        connection.close()
