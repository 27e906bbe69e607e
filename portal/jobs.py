"""Background jobs of a serving process: the job table, the scheduler, one runner at a time across all processes.

`wsgi.py` starts them after gunicorn has forked; commands and tests only when they ask.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from flask import Flask
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from portal.auth import throttle, trusted_devices
from portal.auth.sessions import store as sign_in_sessions
from portal.config.current import current_settings
from portal.database import advisory_locks
from portal.editing.drafts import store as drafts
from portal.extensions import db
from portal.monitoring import metrics
from portal.presence import removal

logger = logging.getLogger(__name__)
MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)  # any: turns are counted from it


@dataclass(frozen=True)
class Job:
    """Work done now and then by one process of all. `run` gets an open transaction and returns a count for the log.

    `lock` is the job's advisory lock key in PostgreSQL, unlike any other's.
    """

    name: str
    every_seconds: int
    lock: int
    run: Callable[[Connection], int]


def clean_up_presence(connection: Connection) -> int:
    """Delete presence rows that have not beaten for the stale window (presence rule 7)."""
    return removal.clean_up(connection, current_settings().presence.stale_seconds)


def purge_sign_in_sessions(connection: Connection) -> int:
    """Delete the sign-in sessions that have reached one of their limits."""
    return sign_in_sessions.purge(connection, current_settings().idle_minutes)


JOBS = (
    Job("presence cleanup", every_seconds=120, lock=advisory_locks.PRESENCE_CLEANUP, run=clean_up_presence),
    Job("draft purge", every_seconds=3600, lock=advisory_locks.DRAFT_PURGE, run=drafts.purge),
    Job(
        "sign-in session purge",
        every_seconds=3600,
        lock=advisory_locks.SESSION_PURGE,
        run=purge_sign_in_sessions,
    ),
    Job("throttle purge", every_seconds=3600, lock=advisory_locks.THROTTLE_PURGE, run=throttle.purge),
    Job("known device purge", every_seconds=3600, lock=advisory_locks.TRUSTED_DEVICE_PURGE, run=trusted_devices.purge),
)


def start_jobs(app: Flask) -> BackgroundScheduler:
    """Run the job table in this process from now on; the caller may `shutdown()` what is returned.

    By the wall clock: counted from its own start, a process that is restarted every day would never do a daily job.
    """
    scheduler = BackgroundScheduler(timezone="UTC")
    for job in JOBS:
        scheduler.add_job(
            _run_in_app,
            # Without jitter all workers would ask for the lock in the same instant.
            IntervalTrigger(
                seconds=job.every_seconds, start_date=MIDNIGHT, timezone="UTC", jitter=job.every_seconds // 10
            ),
            (app, job),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
    scheduler.start()
    return scheduler


def run_job(job: Job) -> int | None:
    """Run the job now, unless another process is running it (None). Needs an app context; commits.

    The advisory lock belongs to the transaction, so it is given up even by a process that is killed.
    """
    started = time.monotonic()
    connection = db.session.connection()
    if not connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": job.lock}):
        logger.debug("%s: another process is at it", job.name)
        db.session.rollback()
        return None
    count = job.run(connection)
    db.session.commit()
    seconds = time.monotonic() - started
    metrics.JOB_ROWS.labels(job.name).inc(count)
    metrics.JOB_SECONDS.labels(job.name).observe(seconds)
    logger.info("%s: %d in %.0f ms", job.name, count, seconds * 1000)
    return count


def _run_in_app(app: Flask, job: Job) -> None:
    """The outermost loop of a job: a database that is away today may be back at the next turn."""
    with app.app_context():
        try:
            run_job(job)
        except SQLAlchemyError as error:
            logger.warning("%s: the database is away, trying again in %d s: %s", job.name, job.every_seconds, error)
        except Exception:
            logger.exception("%s failed", job.name)
