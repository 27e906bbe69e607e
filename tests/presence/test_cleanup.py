"""Delete stale rows, in one process at a time, also after a lost database (rule 7 of presence in ARCHITECTURE.md)."""

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import text

from portal import jobs
from portal.app import create_app
from portal.config import PresenceTimings
from portal.extensions import db
from portal.jobs import JOBS, run_job, start_jobs
from tests.conftest import settings_for
from tests.support.cast import Cast
from tests.support.postgres_proxy import Wiretap
from tests.support.test_client import Visitor
from tests.support.time_travel import let_pass, rows

Visit = type[Visitor]
[CLEANUP] = [job for job in JOBS if job.name == "presence cleanup"]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "portal.jobs")
    return caplog


@contextlib.contextmanager
def another_runner() -> Iterator[None]:
    """Hold the job's lock until the block ends, as another process would."""
    with db.engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CLEANUP.lock})
        yield


def test_rule_7_cleanup_deletes_stale_rows_only(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """Stale is older than 5 minutes. A row past the active window stays, because its tab may be suspended."""
    visit(cast.daniel).beat(page_identifier)
    let_pass(295)
    visit(cast.rhys).beat(page_identifier)
    let_pass(10, silent=cast.daniel)
    let_pass(200, silent=cast.rhys)
    visit(cast.amelia).beat(page_identifier)

    assert run_job(CLEANUP) == 1
    assert rows() == [(cast.amelia.id, page_identifier), (cast.rhys.id, page_identifier)]
    assert run_job(CLEANUP) == 0


def test_rule_7_stale_window_is_configurable(
    make_app: Callable[..., Flask], visit: Visit, cast: Cast, page_identifier: str
) -> None:
    visit(cast.daniel).beat(page_identifier)
    let_pass(61)

    with make_app(presence=PresenceTimings(5, 20, 60)).app_context():
        assert run_job(CLEANUP) == 1


def test_rule_7_second_runner_does_nothing(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """One of all processes does the work, and the others do not wait for it."""
    visit(cast.daniel).beat(page_identifier)
    let_pass(301)

    with another_runner():
        assert run_job(CLEANUP) is None
        assert len(rows()) == 1

    assert run_job(CLEANUP) == 1


def test_rule_7_cleanup_logs_the_number_of_rows(
    visit: Visit, cast: Cast, page_identifier: str, log: pytest.LogCaptureFixture
) -> None:
    for profile in (cast.amelia, cast.daniel):
        visit(profile).beat(page_identifier)
    let_pass(301)

    run_job(CLEANUP)

    assert log.messages[-1].startswith("presence cleanup: 2 in ")


def test_rule_7_cleanup_survives_a_database_outage(
    shared_tapped_app: Flask,
    wiretap: Wiretap,
    visit: Visit,
    cast: Cast,
    page_identifier: str,
    log: pytest.LogCaptureFixture,
) -> None:
    """The job logs the failure and raises nothing. The next run works once the database is back."""
    visit(cast.daniel).beat(page_identifier)
    let_pass(301)

    with wiretap.cut():
        jobs._run_in_app(shared_tapped_app, CLEANUP)
    assert "presence cleanup: database error, next attempt in 120 s" in log.text
    assert len(rows()) == 1

    jobs._run_in_app(shared_tapped_app, CLEANUP)
    assert rows() == []


def test_rule_7_cleanup_survives_a_database_that_never_existed(log: pytest.LogCaptureFixture, app: Flask) -> None:
    away = create_app(settings_for("postgresql+psycopg2://postgres@/kingston?host=/nonexistent"))

    jobs._run_in_app(away, CLEANUP)

    assert "database error" in log.text


def test_programming_error_is_logged_with_traceback_and_the_job_continues(
    app: Flask, log: pytest.LogCaptureFixture
) -> None:
    def fail(_connection: object) -> int:
        raise RuntimeError("a fault of ours")

    jobs._run_in_app(app, replace(CLEANUP, run=fail))

    assert "presence cleanup failed" in log.text
    assert "a fault of ours" in log.text


def test_job_runs_every_two_minutes_one_run_at_a_time(app: Flask) -> None:
    """Only wsgi.py starts it. Several missed runs are caught up by one."""
    scheduler = start_jobs(app)
    try:
        [job] = [job for job in scheduler.get_jobs() if job.args[1] is CLEANUP]
        assert job.trigger.interval.total_seconds() == 120
        assert 0 < job.trigger.jitter <= 12
        assert (job.coalesce, job.max_instances, job.misfire_grace_time) == (True, 1, None)
    finally:
        scheduler.shutdown()


def test_daily_job_runs_by_the_clock_after_a_recent_start(app: Flask) -> None:
    """Otherwise a process that restarts each night would never run a daily job."""
    scheduler = start_jobs(app)
    started_at = datetime(2026, 12, 8, 10, 50, tzinfo=UTC)
    try:
        turns = [job.trigger.get_next_fire_time(None, started_at) for job in scheduler.get_jobs()]
    finally:
        scheduler.shutdown()
    assert len(turns) == len(JOBS)
    assert max(turns) <= datetime(2026, 12, 8, 11, 6, tzinfo=UTC)


def test_every_job_has_its_own_lock() -> None:
    assert len({job.lock for job in JOBS}) == len({job.name for job in JOBS}) == len(JOBS)
