"""Prepare and execute the statements of presence.

Connections of the "presence" bind are in autocommit mode: one statement is one transaction and one round trip. Each
statement is PREPAREd when its connection opens. psycopg2 prepares nothing by itself, and planning costs more than
execution.
"""

from collections.abc import Sequence
from contextlib import closing
from typing import Any

import orjson
import psycopg2
from psycopg2.extensions import QueryCanceledError
from psycopg2.extensions import connection as PsycopgConnection
from psycopg2.extras import register_default_json
from sqlalchemy import Engine

from portal.driver.errors import USELESS_CONNECTION
from portal.page_kinds import Page

CONNECTION_LOST = (psycopg2.OperationalError, psycopg2.InterfaceError, *USELESS_CONNECTION)


def prepare(connection: PsycopgConnection, *statements: str) -> None:
    """Prepare the statements on a connection, with plans that stay good while tables grow.

    Index look-ups are the right plan for all parameters, so the planner may not choose again. A plan made while the
    table was empty must serve when it has grown: by default PostgreSQL read whole tables for their joins, 500 µs a
    beat instead of 135. Nested loops also lock rows in the order of the batch.
    """
    register_default_json(connection, loads=orjson.loads)
    with connection.cursor() as cursor:
        cursor.execute("SET plan_cache_mode = force_generic_plan")
        for costly in ("enable_seqscan", "enable_hashjoin", "enable_mergejoin"):
            cursor.execute(f"SET {costly} = off")
        for statement in statements:
            cursor.execute(statement)


def execute(engine: Engine, sql: str, parameters: Any) -> list[tuple[Any, ...]]:
    """Execute one prepared statement and return its rows.

    A connection that the server has closed fails on use: a ping before each statement would double the round trips.
    All these statements can be repeated safely, so one retry follows on a new connection. A statement that timed out
    is not repeated: the database is overloaded already.
    """
    try:
        return _execute_once(engine, sql, parameters)
    except QueryCanceledError:
        raise
    except CONNECTION_LOST:
        engine.dispose(close=False)
        return _execute_once(engine, sql, parameters)


def page_columns(pages: Sequence[Page]) -> tuple[list[str], list[str], list[int]]:
    """Return pages as the arrays that the statements take: identifiers, kinds, numbers."""
    return (
        [page.identifier for page in pages],
        [page.kind.name for page in pages],
        [page.number for page in pages],
    )


def _execute_once(engine: Engine, sql: str, parameters: Any) -> list[tuple[Any, ...]]:
    connection = engine.raw_connection()
    try:
        with closing(connection.cursor()) as cursor:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())
    except CONNECTION_LOST:
        connection.invalidate()
        raise
    finally:
        connection.close()
