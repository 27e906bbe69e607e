"""Presence rule 7 of ARCHITECTURE.md: the cleanup deletes stale rows, one at a time, and survives a lost database."""

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
    """Another process is at it: it holds the lock until the block ends."""
    with db.engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CLEANUP.lock})
        yield


def test_rule_7_it_deletes_stale_rows_only(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """Rule 7: older than 5 minutes. A row that is merely past the active window stays: its tab may be asleep."""
    visit(cast.daniel).beat(page_identifier)
    let_pass(295)
    visit(cast.rhys).beat(page_identifier)
    let_pass(10, silent=cast.daniel)
    let_pass(200, silent=cast.rhys)
    visit(cast.amelia).beat(page_identifier)

    assert run_job(CLEANUP) == 1
    assert rows() == [(cast.amelia.id, page_identifier), (cast.rhys.id, page_identifier)]
    assert run_job(CLEANUP) == 0


def test_rule_7_the_stale_window_is_the_operators(
    make_app: Callable[..., Flask], visit: Visit, cast: Cast, page_identifier: str
) -> None:
    visit(cast.daniel).beat(page_identifier)
    let_pass(61)

    with make_app(presence=PresenceTimings(5, 20, 60)).app_context():
        assert run_job(CLEANUP) == 1


def test_rule_7_a_second_runner_does_nothing(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """Rule 7: of all processes one does the work; the others do not wait for it either."""
    visit(cast.daniel).beat(page_identifier)
    let_pass(301)

    with another_runner():
        assert run_job(CLEANUP) is None
        assert len(rows()) == 1

    assert run_job(CLEANUP) == 1


def test_rule_7_it_logs_how_many(visit: Visit, cast: Cast, page_identifier: str, log: pytest.LogCaptureFixture) -> None:
    for profile in (cast.amelia, cast.daniel):
        visit(profile).beat(page_identifier)
    let_pass(301)

    run_job(CLEANUP)

    assert log.messages[-1].startswith("presence cleanup: 2 in ")


def test_rule_7_it_survives_a_database_that_is_away(
    shared_tapped_app: Flask,
    wiretap: Wiretap,
    visit: Visit,
    cast: Cast,
    page_identifier: str,
    log: pytest.LogCaptureFixture,
) -> None:
    """Rule 7: nothing is raised, it is logged, and the next turn works once the database is back."""
    visit(cast.daniel).beat(page_identifier)
    let_pass(301)

    with wiretap.cut():
        jobs._run_in_app(shared_tapped_app, CLEANUP)
    assert "presence cleanup: the database is away, trying again in 120 s" in log.text
    assert len(rows()) == 1

    jobs._run_in_app(shared_tapped_app, CLEANUP)
    assert rows() == []


def test_rule_7_it_survives_a_database_that_was_never_there(log: pytest.LogCaptureFixture, app: Flask) -> None:
    away = create_app(settings_for("postgresql+psycopg2://postgres@/kingston?host=/nonexistent"))

    jobs._run_in_app(away, CLEANUP)

    assert "the database is away" in log.text


def test_a_fault_of_ours_is_logged_with_its_traceback_and_ends_nothing(
    app: Flask, log: pytest.LogCaptureFixture
) -> None:
    def fail(_connection: object) -> int:
        raise RuntimeError("a fault of ours")

    jobs._run_in_app(app, replace(CLEANUP, run=fail))

    assert "presence cleanup failed" in log.text
    assert "a fault of ours" in log.text


def test_the_job_runs_every_two_minutes_once_at_a_time(app: Flask) -> None:
    """Started by wsgi.py only; a late turn is made up for once, not as often as it was missed."""
    scheduler = start_jobs(app)
    try:
        [job] = [job for job in scheduler.get_jobs() if job.args[1] is CLEANUP]
        assert job.trigger.interval.total_seconds() == 120
        assert 0 < job.trigger.jitter <= 12
        assert (job.coalesce, job.max_instances, job.misfire_grace_time) == (True, 1, None)
    finally:
        scheduler.shutdown()


def test_every_job_has_its_turn_by_the_clock_however_lately_the_process_was_started(app: Flask) -> None:
    """A process that is restarted each night would otherwise never do what is done once a day."""
    scheduler = start_jobs(app)
    started_at = datetime(2026, 12, 8, 10, 50, tzinfo=UTC)
    try:
        turns = [job.trigger.get_next_fire_time(None, started_at) for job in scheduler.get_jobs()]
    finally:
        scheduler.shutdown()
    assert len(turns) == len(JOBS)
    assert max(turns) <= datetime(2026, 12, 8, 11, 6, tzinfo=UTC)


def test_no_two_jobs_share_a_lock() -> None:
    assert len({job.lock for job in JOBS}) == len({job.name for job in JOBS}) == len(JOBS)
