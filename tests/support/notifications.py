"""Receive the notifications of a database."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from sqlalchemy.engine import make_url

from portal.live.notifications import CHANNEL, Notification, parse


class NotificationListener:
    """Listen from construction until `close`."""

    def __init__(self, url: str) -> None:
        address = make_url(url)
        self._connection = psycopg2.connect(dbname=address.database, user=address.username, **address.query)
        self._connection.autocommit = True
        self._connection.cursor().execute(f"LISTEN {CHANNEL}")

    def received(self) -> list[Notification]:
        """Return the notifications of all transactions that have committed by now. A round trip fetches them."""
        self._connection.cursor().execute("SELECT 1")
        parsed = [parse(notify.payload) for notify in self._connection.notifies]
        self._connection.notifies.clear()
        return [notification for notification in parsed if notification]

    @contextmanager
    def expect_none(self) -> Iterator[None]:
        """Assert that the block causes no notification."""
        self.received()
        yield
        assert self.received() == []

    def close(self) -> None:
        self._connection.close()
