"""People at work on one portal, whose database the test then takes away."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask_migrate import upgrade

from portal.app import create_app
from portal.extensions import db
from tests.conftest import settings_for
from tests.operations.people import Saver, Viewer, Worker, wait_until_all_work
from tests.operations.postgres import Postgres
from tests.support.cast import make_cast, make_profile
from tests.support.factories import make_client
from tests.support.network_client import NetworkClient, network_client_app, network_client_of
from tests.support.server import Portal

SAVED_FIELDS = ("address_line1", "town")  # which take any text
START_SECONDS = 30


class Office:
    """Viewers spread over the pages of some clients, and two savers on each client."""

    def __init__(self, portal: Portal, users: list[NetworkClient], client_ids: list[int]) -> None:
        self.portal = portal
        pages = [f"client-{client_id}" for client_id in client_ids]
        self.places = [(user, pages[number % len(pages)]) for number, user in enumerate(users)]
        self.viewers = [Viewer(user, portal.port, page) for user, page in self.places]
        pairs = [(client_id, field) for client_id in client_ids for field in SAVED_FIELDS]
        self.savers = [
            Saver(users[number % len(users)], portal.port, client_id, field)
            for number, (client_id, field) in enumerate(pairs)
        ]

    @property
    def workers(self) -> list[Worker]:
        return [*self.viewers, *self.savers]

    def stop(self) -> None:
        """Send everybody home."""
        for worker in self.workers:
            worker.stop()
        for worker in self.workers:
            worker.wait()


@contextmanager
def office(
    primary: Postgres, database_url: str, log: Path, *, viewers: int = 4, clients: int = 1, **settings: str
) -> Iterator[Office]:
    """Migrate the primary's database, start a portal on `database_url`, and set everybody to work."""
    portal = Portal(database_url, log, **settings)
    with create_app(settings_for(primary.local_url)).app_context():
        upgrade()
        profile = make_cast().amelia
        people = [profile, *(make_profile(f"Viewer{number}", "Crowd") for number in range(viewers - 1))]
        client_ids = [make_client(f"Client {number}").id for number in range(clients)]
        desks_app = network_client_app(primary.local_url)
        users = [network_client_of(desks_app, person) for person in people]
        with desks_app.app_context():
            db.engine.dispose()
        db.session.rollback()
        db.engine.dispose()
    portal.start()
    at_work = Office(portal, users, client_ids)
    try:
        wait_until_all_work(at_work.workers, time.monotonic(), START_SECONDS)
        yield at_work
    finally:
        at_work.stop()
        portal.stop()
