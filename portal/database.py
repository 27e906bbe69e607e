"""Where the database is, and how connections to it are opened. Called by `create_app`."""

import atexit
import sys
from typing import Any

import click
import orjson
from flask import Flask
from sqlalchemy.pool import NullPool

from portal.config import Settings
from portal.embedded_postgres import EmbeddedPostgres
from portal.extensions import LIVE_BIND, PRESENCE_BIND

CONNECT_TIMEOUT_SECONDS = 5
WAIT_FOR_CONNECTION_SECONDS = 5
STATEMENT_TIMEOUT_MS = 15_000
BEAT_TIMEOUT_MS = 5_000
# Who waits for a record that somebody holds keeps a connection from those who want another.
LOCK_TIMEOUT_MS = 3_000
# A database host that goes without a word is noticed after 20 seconds, not after the kernel's quarter of an hour.
KEEP_ASKING = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 2, "tcp_user_timeout": 20_000}


def init_database(app: Flask, settings: Settings) -> None:
    """Configure two pools on one database, and the hub's connection; each is opened when it is first needed.

    The second pool is presence's: in autocommit, not pinged and not rolled back on return, so that a beat is one
    round trip. Every wait is bounded: for a connection, for the server, for a statement of a page. The hub's connection
    mostly waits, and has its kernel ask whether the server is still there.
    """
    url = settings.database_url or _embedded_url(settings)
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        **_pool(settings),
        "hide_parameters": True,
        "pool_pre_ping": True,
        "json_deserializer": orjson.loads,  # of a large revision 4 ms, where json.loads takes 19
        "connect_args": _connect_args(None if settings.is_command else STATEMENT_TIMEOUT_MS),
    }
    app.config["SQLALCHEMY_BINDS"] = {
        PRESENCE_BIND: {
            **_pool(settings),
            "hide_parameters": True,
            "url": url,
            "isolation_level": "AUTOCOMMIT",
            "pool_reset_on_return": None,
            "connect_args": _connect_args(BEAT_TIMEOUT_MS),
        },
        LIVE_BIND: {
            "url": url,
            "poolclass": NullPool,
            "isolation_level": "AUTOCOMMIT",
            "connect_args": {**_connect_args(BEAT_TIMEOUT_MS), **KEEP_ASKING},
        },
    }


def _pool(settings: Settings) -> dict[str, Any]:
    return {
        "pool_size": settings.db_pool_size,
        "max_overflow": 0,
        "pool_timeout": WAIT_FOR_CONNECTION_SECONDS,
    }


def _connect_args(statement_timeout_ms: int | None) -> dict[str, Any]:
    # What the portal reads lies in memory or on an SSD: a disk's price of 4 for the next page makes a far page of the
    # client list sort every client (108 ms of 50,000) where an index has them in order (44 ms).
    options = "-c timezone=UTC -c random_page_cost=1.1"
    if statement_timeout_ms is not None:
        options += f" -c statement_timeout={statement_timeout_ms} -c lock_timeout={LOCK_TIMEOUT_MS}"
    return {"connect_timeout": CONNECT_TIMEOUT_SECONDS, "options": options}


def _embedded_url(settings: Settings) -> str:
    """Start, or attach to, the instance's own PostgreSQL for as long as this process lives."""
    server = EmbeddedPostgres(settings.instance / "postgres")
    url = server.start()
    atexit.register(server.stop)
    if sys.stderr.isatty():
        click.echo(f"DATABASE_URL is not set: using the database in {settings.instance}", err=True)
    return url
