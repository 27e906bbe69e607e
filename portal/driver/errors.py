"""Classify PostgreSQL's errors. Pure; this module must not import Flask or another part of the portal."""

import psycopg2
import sqlalchemy.exc
from psycopg2 import errors

# The server still answers on this connection, but the connection can no longer be used.
USELESS_CONNECTION = (errors.ReadOnlySqlTransaction, errors.IdleInTransactionSessionTimeout)
# Raised if PostgreSQL does not answer in time or accepts no writes. A retry soon may succeed.
DATABASE_ERRORS = (
    sqlalchemy.exc.OperationalError,
    sqlalchemy.exc.InterfaceError,
    sqlalchemy.exc.TimeoutError,
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
    *USELESS_CONNECTION,
)
# libpq sets no SQLSTATE on errors while it connects.
READ_ONLY_SESSIONS = ("session is read-only", "server is in hot standby mode")
FULL_OF_CONNECTIONS = ("too many clients", "connection slots are reserved", "too many connections")


def kind_of_trouble(error: BaseException) -> str:
    """Return the kind of failure for logs and `flask doctor`, for example "read-only"."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, errors.ReadOnlySqlTransaction) or _says(cause, READ_ONLY_SESSIONS):
        return "read-only"
    if isinstance(cause, errors.DiskFull):
        return "disk full"
    if isinstance(cause, errors.TooManyConnections) or _says(cause, FULL_OF_CONNECTIONS):
        return "full of connections"
    if isinstance(cause, sqlalchemy.exc.TimeoutError):
        return "busy: no connection of the pool is free"
    if isinstance(cause, (errors.QueryCanceled, errors.LockNotAvailable, errors.DeadlockDetected)):
        return "too slow"
    return "away"


def first_line(error: BaseException) -> str:
    """Return the first line of PostgreSQL's or libpq's message, without the statement that SQLAlchemy adds."""
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _says(error: BaseException, texts: tuple[str, ...]) -> bool:
    return isinstance(error, psycopg2.OperationalError) and any(text in str(error) for text in texts)
