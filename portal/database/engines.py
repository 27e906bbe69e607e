"""Where the database is, and how connections to it are opened. Called by `create_app`."""

import atexit
import sys
from collections.abc import Callable, Mapping
from typing import Any

import click
import orjson
from flask import Flask
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from portal.config import Settings
from portal.driver.errors import USELESS_CONNECTION
from portal.driver.hosts import APPLICATION_NAME, CONNECT_TIMEOUT_SECONDS, BoundedConnection, Hosts
from portal.extensions import LIVE_BIND, PRESENCE_BIND, db
from portal.postgres.server import EmbeddedPostgres

WAIT_FOR_CONNECTION_SECONDS = 5
STATEMENT_TIMEOUT_MS = 15_000
BEAT_TIMEOUT_MS = 5_000
# Who waits for a record that somebody holds keeps a connection from those who want another.
LOCK_TIMEOUT_MS = 3_000
# A host that dies in the middle of a save must not keep a client's row for the two hours of PostgreSQL's keepalive. A
# command may work for minutes between two statements, or wait for somebody to type a password.
IDLE_IN_TRANSACTION_SECONDS = 60
COMMAND_IDLE_IN_TRANSACTION_SECONDS = 600
# Longer than a statement may take: then the server says nothing because it cannot, or a commit waits for a standby.
SILENCE_SECONDS = 20
BEAT_SILENCE_SECONDS = 8
# What the kernel does about a host that goes without a word, instead of waiting a quarter of an hour.
KERNEL_LIMITS = {
    "connect_timeout": CONNECT_TIMEOUT_SECONDS,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
SESSION = {
    "timezone": "UTC",
    # What the portal reads lies in memory or on an SSD: a disk's price of 4 for the next page makes a far page of the
    # client list sort every client (108 ms of 50,000) where an index has them in order (44 ms).
    "random_page_cost": "1.1",
    # A host of the portal that has gone without a word gives its connections back after two minutes.
    "tcp_keepalives_idle": "60",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "6",
}
SET = "SELECT set_config(name, value, %s) FROM unnest(%s, %s) AS setting (name, value)"


def init_database(app: Flask, settings: Settings) -> None:
    """Configure two pools on one database, and the hub's connection; each is opened when it is first needed.

    The second pool is presence's: in autocommit, not pinged and not rolled back on return, so that a beat is one
    round trip. Every wait is bounded: for a connection, for the server, for a statement of a page.

    With `direct_database_url`, the other one leads through a pooler in transaction mode, which keeps nothing from one
    transaction to the next: pages go there, presence and the hub go directly.
    """
    url = settings.database_url or _embedded_url(settings)
    hosts = Hosts(url)
    direct = Hosts(settings.direct_database_url) if settings.direct_database_url else hosts
    pages, beats = _page_session(settings), _beat_session()
    app.config["SQLALCHEMY_DATABASE_URI"] = hosts.name
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        **_pool(settings),
        "hide_parameters": True,
        "pool_pre_ping": True,
        "json_deserializer": orjson.loads,  # of a large revision 4 ms, where json.loads takes 19
        "creator": _creator(
            hosts, {} if settings.direct_database_url else pages, SILENCE_SECONDS, waits_for_standby=True
        ),
    }
    in_autocommit = {"url": direct.name, "isolation_level": "AUTOCOMMIT", "hide_parameters": True}
    app.config["SQLALCHEMY_BINDS"] = {
        PRESENCE_BIND: {
            **_pool(settings),
            **in_autocommit,
            "pool_reset_on_return": None,
            "creator": _creator(direct, beats, BEAT_SILENCE_SECONDS),
        },
        LIVE_BIND: {
            **in_autocommit,
            "poolclass": NullPool,
            "creator": _creator(direct, beats, BEAT_SILENCE_SECONDS),
        },
    }


def limit_transactions(app: Flask, settings: Settings) -> None:
    """Behind a pooler in transaction mode, give each transaction of a page the limits that a session has otherwise."""
    if not settings.direct_database_url:
        return
    limits = _page_session(settings)

    def set_limits(connection: Connection) -> None:
        connection.exec_driver_sql(SET, (True, list(limits), list(limits.values())))

    with app.app_context():
        event.listen(db.engine, "begin", set_limits)


@event.listens_for(Engine, "handle_error")
def _throw_away(context: ExceptionContext) -> None:
    """Close a connection that PostgreSQL has made useless though it still answers, and all older ones of its pool."""
    error = context.original_exception
    if isinstance(error, USELESS_CONNECTION):
        context.is_disconnect = True
        raise OperationalError(context.statement, None, error, hide_parameters=True, connection_invalidated=True)


def _pool(settings: Settings) -> dict[str, Any]:
    return {
        "pool_size": settings.db_pool_size,
        "max_overflow": 0,
        "pool_timeout": WAIT_FOR_CONNECTION_SECONDS,
    }


def _creator(
    hosts: Hosts, session: Mapping[str, str], silence_seconds: float, *, waits_for_standby: bool = False
) -> Callable[[], BoundedConnection]:
    """What opens a connection for SQLAlchemy.

    The session is set up by a statement and not by the start-up packet's `options`, which PgBouncer refuses.
    """

    def connect() -> BoundedConnection:
        connection = hosts.connect({**KERNEL_LIMITS, "application_name": APPLICATION_NAME})
        connection.silence_seconds = silence_seconds
        connection.is_cancelled_when_silent = waits_for_standby
        if not session:
            return connection
        connection.autocommit = True  # or the next rollback would take the settings back
        with connection.cursor() as cursor:
            cursor.execute(SET, (False, list(session), list(session.values())))
        connection.autocommit = False
        return connection

    return connect


def _page_session(settings: Settings) -> dict[str, str]:
    if settings.is_command:
        return SESSION | {"idle_in_transaction_session_timeout": f"{COMMAND_IDLE_IN_TRANSACTION_SECONDS}s"}
    return _limited_session(STATEMENT_TIMEOUT_MS)


def _beat_session() -> dict[str, str]:
    """Presence waits for no standby: it lives in memory, and what it only tells is found out again by reading."""
    return _limited_session(BEAT_TIMEOUT_MS) | {"synchronous_commit": "off"}


def _limited_session(statement_timeout_ms: int) -> dict[str, str]:
    return SESSION | {
        "statement_timeout": f"{statement_timeout_ms}ms",
        "lock_timeout": f"{LOCK_TIMEOUT_MS}ms",
        "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_SECONDS}s",
    }


def _embedded_url(settings: Settings) -> str:
    """Start, or attach to, the instance's own PostgreSQL for as long as this process lives."""
    server = EmbeddedPostgres(settings.instance / "postgres")
    url = server.start()
    atexit.register(server.stop)
    if sys.stderr.isatty():
        click.echo(f"DATABASE_URL is not set: using the database in {settings.instance}", err=True)
    return url
