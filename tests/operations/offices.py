"""People at work on one portal, whose database the test then takes away."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from flask_migrate import upgrade

from portal import create_app
from portal.extensions import db
from tests.cast import make_cast
from tests.conftest import settings_for
from tests.live.desks import Desk, app_of_desks, desk_of
from tests.operations.people import Saver, Viewer, Worker, wait_until_all_work
from tests.operations.postgres import Postgres
from tests.platform.portal import Portal
from tests.records import make_client

SAVED_FIELDS = ("phone", "town")


class Office(NamedTuple):
    """Four who look at a client and two who save it; `people` may do more."""

    portal: Portal
    viewers: list[Worker]
    savers: list[Worker]
    people: list[Desk]
    client_id: int

    @property
    def workers(self) -> list[Worker]:
        return self.viewers + self.savers


@contextmanager
def office(primary: Postgres, database_url: str, log: Path, **settings: str) -> Iterator[Office]:
    """Migrate the primary's database, start a portal on `database_url`, and set everybody to work."""
    portal = Portal(database_url, log, **settings)
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
    viewers: list[Worker] = [Viewer(desk, portal.port, f"client-{client_id}") for desk in people]
    savers: list[Worker] = [Saver(people[0], portal.port, client_id, field) for field in SAVED_FIELDS]
    try:
        wait_until_all_work(viewers + savers, time.monotonic(), 30)
        yield Office(portal, viewers, savers, people, client_id)
    finally:
        for worker in viewers + savers:
            worker.stop()
        for worker in viewers + savers:
            worker.wait()
        portal.stop()
