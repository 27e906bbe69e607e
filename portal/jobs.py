"""Run the background jobs: the job table, the scheduler, and the lock that lets one process at a time run a job.

`wsgi.py` starts the jobs after gunicorn has forked. Commands and tests do not start them.
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

from portal.audit import reads
from portal.auth import throttle, trusted_devices
from portal.auth.sessions import store as sign_in_sessions
from portal.clients.csv.importing import pending as pending_imports
from portal.clients.visits import store as visits
from portal.config.current import current_settings
from portal.database import advisory_locks
from portal.editing.drafts import store as drafts
from portal.extensions import db
from portal.monitoring import metrics
from portal.notifications import store as notifications
from portal.presence import removal

logger = logging.getLogger(__name__)
MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)  # an arbitrary start from which intervals are counted


@dataclass(frozen=True)
class Job:
    """Periodic work that one process at a time does.

    `run` receives an open transaction and returns a number for the log. `lock` is the job's key of
    portal/database/advisory_locks.py.
    """

    name: str
    every_seconds: int
    lock: int
    run: Callable[[Connection], int]


def clean_up_presence(connection: Connection) -> int:
    """Delete presence rows without a heartbeat in the stale window (presence rule 7)."""
    return removal.clean_up(connection, current_settings().presence.stale_seconds)


def purge_sign_in_sessions(connection: Connection) -> int:
    """Delete sign-in sessions past one of their limits."""
    return sign_in_sessions.purge(connection, current_settings().idle_minutes)


JOBS = (
    Job("presence cleanup", every_seconds=120, lock=advisory_locks.PRESENCE_CLEANUP, run=clean_up_presence),
    Job("draft purge", every_seconds=3600, lock=advisory_locks.DRAFT_PURGE, run=drafts.purge),
    Job("visit purge", every_seconds=3600, lock=advisory_locks.VISIT_PURGE, run=visits.purge),
    Job(
        "sign-in session purge",
        every_seconds=3600,
        lock=advisory_locks.SESSION_PURGE,
        run=purge_sign_in_sessions,
    ),
    Job("throttle purge", every_seconds=3600, lock=advisory_locks.THROTTLE_PURGE, run=throttle.purge),
    Job(
        "trusted device purge", every_seconds=3600, lock=advisory_locks.TRUSTED_DEVICE_PURGE, run=trusted_devices.purge
    ),
    Job("old drafts", every_seconds=3600, lock=advisory_locks.OLD_DRAFTS, run=notifications.add_old_drafts),
    Job("notification purge", every_seconds=3600, lock=advisory_locks.NOTIFICATION_PURGE, run=notifications.purge),
    Job("import purge", every_seconds=3600, lock=advisory_locks.IMPORT_PURGE, run=pending_imports.purge),
    Job("read log purge", every_seconds=3600, lock=advisory_locks.READ_LOG_PURGE, run=reads.purge),
)


def start_jobs(app: Flask) -> BackgroundScheduler:
    """Start a scheduler for all jobs in this process and return it.

    Intervals follow the wall clock. Counted from its start, a process that restarts every day would never run a daily
    job.
    """
    scheduler = BackgroundScheduler(timezone="UTC")
    for job in JOBS:
        scheduler.add_job(
            _run_in_app,
            # Without jitter all workers would request the lock at the same instant.
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
    """Run the job now and commit. Return its count, or None if another process is running it.

    The advisory lock belongs to the transaction, so PostgreSQL releases it even if the process is killed.
    """
    started = time.monotonic()
    connection = db.session.connection()
    if not connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": job.lock}):
        logger.debug("%s: another process is running it", job.name)
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
    """Run the job and log each error. The next interval tries again, so a database outage needs no restart."""
    with app.app_context():
        try:
            run_job(job)
        except SQLAlchemyError as error:
            logger.warning("%s: database error, next attempt in %d s: %s", job.name, job.every_seconds, error)
        except Exception:
            logger.exception("%s failed", job.name)
