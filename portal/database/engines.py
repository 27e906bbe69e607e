"""Configure the engines: which database they use, and how they open connections."""

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
# A request that waits for a locked row occupies a connection of the pool.
LOCK_TIMEOUT_MS = 3_000
# An application host that fails during a save would lock the client's row for the two hours of PostgreSQL's keepalive.
# A command may work for minutes between two statements, or wait for a password to be typed.
IDLE_IN_TRANSACTION_SECONDS = 60
COMMAND_IDLE_IN_TRANSACTION_SECONDS = 600
# Longer than a statement may take: a silent server has failed, or a commit waits for a standby.
SILENCE_SECONDS = 20
BEAT_SILENCE_SECONDS = 8
# With these the kernel detects a vanished host within seconds. Its defaults take 15 minutes.
KERNEL_LIMITS = {
    "connect_timeout": CONNECT_TIMEOUT_SECONDS,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
SESSION = {
    "timezone": "UTC",
    # The portal's data is in memory or on an SSD. With the default of 4, for rotating disks, the planner sorts all
    # clients for a late page of the client list (108 ms for 50,000) instead of using an index (44 ms).
    "random_page_cost": "1.1",
    # PostgreSQL closes the connections of a vanished application host after two minutes.
    "tcp_keepalives_idle": "60",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "6",
}
SET = "SELECT set_config(name, value, %s) FROM unnest(%s, %s) AS setting (name, value)"


def init_database(app: Flask, settings: Settings) -> None:
    """Configure two pools on one database and the hub's connection. All connections are opened on first use.

    The second pool serves presence. It uses autocommit without ping or rollback, so that a heartbeat is one round trip.
    Every wait has a limit: for a connection, for the server, and for a statement.

    With `direct_database_url` page requests use a pooler in transaction mode, which keeps no session state. Presence
    and the hub then connect directly.
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
        "json_deserializer": orjson.loads,  # 4 ms for a large revision; json.loads takes 19 ms
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
    """Set the session's limits in each transaction if page requests use a pooler in transaction mode."""
    if not settings.direct_database_url:
        return
    limits = _page_session(settings)

    def set_limits(connection: Connection) -> None:
        connection.exec_driver_sql(SET, (True, list(limits), list(limits.values())))

    with app.app_context():
        event.listen(db.engine, "begin", set_limits)


@event.listens_for(Engine, "handle_error")
def _throw_away(context: ExceptionContext) -> None:
    """Close a connection that still answers but can no longer be used, and all older ones of its pool."""
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
    """Return the function by which SQLAlchemy opens a connection.

    A statement configures the session, because PgBouncer refuses `options` in the start-up packet.
    """

    def connect() -> BoundedConnection:
        connection = hosts.connect({**KERNEL_LIMITS, "application_name": APPLICATION_NAME})
        connection.silence_seconds = silence_seconds
        connection.is_cancelled_when_silent = waits_for_standby
        if not session:
            return connection
        connection.autocommit = True  # otherwise the next rollback would undo the settings
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
    """Return presence's session. It waits for no standby: its table is unlogged, and notifications are hints."""
    return _limited_session(BEAT_TIMEOUT_MS) | {"synchronous_commit": "off"}


def _limited_session(statement_timeout_ms: int) -> dict[str, str]:
    return SESSION | {
        "statement_timeout": f"{statement_timeout_ms}ms",
        "lock_timeout": f"{LOCK_TIMEOUT_MS}ms",
        "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_SECONDS}s",
    }


def _embedded_url(settings: Settings) -> str:
    """Start the instance's embedded PostgreSQL, or attach to it, until this process ends."""
    server = EmbeddedPostgres(settings.instance / "postgres")
    url = server.start()
    atexit.register(server.stop)
    if sys.stderr.isatty():
        click.echo(f"DATABASE_URL is not set. Using the database in {settings.instance}.", err=True)
    return url
