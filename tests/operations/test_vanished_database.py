"""The database's host vanishes without a word. Work goes on within 15 seconds after one that takes changes answers."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from flask_migrate import upgrade

from portal import create_app
from portal.extensions import db
from tests.cast import make_cast
from tests.conftest import settings_for
from tests.live.desks import app_of_desks, desk_of
from tests.operations.networks import cables
from tests.operations.people import ANSWER_SECONDS, Saver, Viewer, Worker, wait_until_all_work
from tests.operations.postgres import Postgres
from tests.platform.portal import Portal
from tests.records import make_client
from tests.until import wait_until

pytestmark = pytest.mark.operations
BACK_WITHIN_SECONDS = 15
SAVED_FIELDS = ("phone", "town")


class Office(NamedTuple):
    """People at work on one portal."""

    portal: Portal
    workers: list[Worker]


@contextmanager
def office(primary: Postgres, database_url: str, log: Path) -> Iterator[Office]:
    """Four who look at a client and two who save it."""
    portal = Portal(database_url, log, WEB_CONCURRENCY="2")
    with create_app(settings_for(primary.local_url)).app_context():
        upgrade()
        cast, client_id = make_cast(), make_client().id
        desks = app_of_desks(primary.local_url)
        people = [desk_of(desks, profile) for profile in (cast.amelia, cast.daniel, cast.ada, cast.rhys)]
        with desks.app_context():
            db.engine.dispose()
        db.session.rollback()
        db.engine.dispose()
    portal.start()
    workers: list[Worker] = [Viewer(desk, portal.port, f"client-{client_id}") for desk in people]
    workers += [Saver(people[0], portal.port, client_id, field) for field in SAVED_FIELDS]
    try:
        wait_until_all_work(workers, time.monotonic(), 30)
        yield Office(portal, workers)
    finally:
        for worker in workers:
            worker.stop()
        for worker in workers:
            worker.wait()
        portal.stop()


def wait_until_nobody_works(workers: list[Worker]) -> None:
    """Each has been answered that the database is away, and not been left waiting."""
    since = time.monotonic()
    wait_until(lambda: all(worker.fails_after(since) for worker in workers), "somebody still waits", ANSWER_SECONDS)


def test_work_goes_on_when_the_cable_is_mended(tmp_path: Path) -> None:
    with cables(1) as [cable], Postgres("alone", address=cable.address, network=cable.network) as primary:
        primary.make()
        with office(primary, primary.url, tmp_path / "log") as (_, workers):
            cable.cut()
            wait_until_nobody_works(workers)
            time_of_mending = time.monotonic()
            cable.mend()
            wait_until_all_work(workers, time_of_mending, BACK_WITHIN_SECONDS)


def test_work_goes_on_with_another_host_once_it_is_promoted(tmp_path: Path) -> None:
    """The URL names both; the first never answers again."""
    with (
        cables(2) as [first, second],
        Postgres("first", address=first.address, network=first.network) as primary,
        Postgres("second", address=second.address, network=second.network) as standby,
    ):
        primary.make()
        standby.follow(primary)
        hosts = f"{primary.address}:{primary.port},{standby.address}:{standby.port}"
        with office(primary, f"postgresql://postgres@{hosts}/kingston", tmp_path / "log") as (_, workers):
            first.cut()
            wait_until_nobody_works(workers)
            standby.promote()
            time_of_promotion = time.monotonic()
            wait_until_all_work(workers, time_of_promotion, BACK_WITHIN_SECONDS)
