"""Change a database as an operator does while the portal uses it."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from sqlalchemy.engine import make_url


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
