"""Runs the migrations on the application's own database; called by `flask db …` and by `make demo`."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from alembic import context
from alembic.util import CommandError
from flask import current_app
from psycopg2.errors import DeadlockDetected, InsufficientPrivilege, LockNotAvailable
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError

from portal.config.current import current_settings
from portal.database.advisory_locks import MIGRATIONS
from portal.driver.errors import DATABASE_ERRORS, first_line, kind_of_trouble
from portal.extensions import db

SECONDS_BETWEEN_ATTEMPTS = 0.2
LOCK_TIMEOUT_MS = 1_000
NO_LOCK = (LockNotAvailable, DeadlockDetected)
MAX_ATTEMPTS = 30  # 90 s behind one long transaction
SECONDS_BETWEEN_LOCK_ATTEMPTS = 2


def run_migrations() -> None:
    """Run each migration in a transaction of its own; a second `flask db upgrade` waits for the first.

    A migration that does not get a lock is undone and runs again, because requests queue behind a waiting ALTER TABLE.
    """
    with turn_to_migrate():
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                return attempt_migrations()
            except DBAPIError as error:
                if not isinstance(error.orig, NO_LOCK) or attempt == MAX_ATTEMPTS or is_relative():
                    raise
                current_app.logger.warning("migrations: %s; trying again", first_line(error))
                time.sleep(SECONDS_BETWEEN_LOCK_ATTEMPTS)


def attempt_migrations() -> None:
    """Run the migrations that the database does not have yet."""
    with db.engine.connect() as connection:
        event.listen(connection, "begin", limit_wait_for_locks)
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            transaction_per_migration=True,
            compare_server_default=True,
        )
        with context.begin_transaction():
            context.run_migrations()


def limit_wait_for_locks(connection: Connection) -> None:
    """Limit the waits of a transaction. It does not apply to CREATE INDEX CONCURRENTLY, which blocks no request."""
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")


def is_relative() -> bool:
    """Return whether the target counts from the current revision, like -1: another attempt would go further."""
    return str(context.get_context().opts.get("destination_rev")).startswith(("+", "-"))


@contextmanager
def turn_to_migrate() -> Iterator[None]:
    """Hold the lock of the migrations, which belongs to a transaction, as a pooler in transaction mode requires.

    A second `flask db upgrade` asks again and again. If it waited inside its statement, CREATE INDEX CONCURRENTLY of
    the first would wait for the end of that statement, and neither would go on.
    """
    with db.engine.connect() as turn:
        while not turn.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": MIGRATIONS}):
            turn.rollback()
            time.sleep(SECONDS_BETWEEN_ATTEMPTS)
        turn.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        yield


def explained(error: DBAPIError) -> Exception:
    """Return what the operator can do about the error, in one line; any other error as it is."""
    if isinstance(error.orig, InsufficientPrivilege):
        return CommandError(
            f"this database role may not migrate ({first_line(error)}). Run flask db upgrade with the DATABASE_URL of "
            "the role that owns the tables: docs/security.md, Database roles."
        )
    if isinstance(error.orig, NO_LOCK):
        return CommandError(
            f"another transaction holds a lock that a migration needs ({first_line(error)}). The migration is undone. "
            "Run flask db upgrade again when that transaction has ended."
        )
    if isinstance(error, DATABASE_ERRORS) and current_settings().is_command:
        return CommandError(f"the database is {kind_of_trouble(error)}: {first_line(error)}")
    return error


if context.is_offline_mode():
    raise SystemExit("Migrations need a database to run on; --sql is not supported.")
current_app.logger.info("migrating %s", db.engine.url.database)
try:
    run_migrations()
except DBAPIError as error:
    raise explained(error) from error
