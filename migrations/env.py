"""Runs the migrations on the application's own database; called by `flask db …` and by `make demo`."""

from alembic import context
from flask import current_app
from sqlalchemy import text

from portal.extensions import db

ONE_AT_A_TIME = 0x6B696E67_0002  # an advisory lock; of the same family as the jobs' in portal.jobs


def run_migrations() -> None:
    """Each migration in a transaction of its own; a second `flask db upgrade` waits for the first."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as turn, db.engine.connect() as connection:
        turn.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ONE_AT_A_TIME})
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            transaction_per_migration=True,
            compare_server_default=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        turn.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ONE_AT_A_TIME})


if context.is_offline_mode():
    raise SystemExit("Migrations need a database to run on; --sql is not supported.")
current_app.logger.info("migrating %s", db.engine.url.render_as_string(hide_password=True))
run_migrations()
