"""The notifications of a database, as any process would hear them."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from sqlalchemy.engine import make_url

from portal.live.notifications import CHANNEL, Notification, parse


class Wire:
    """Listens from the moment it is made until it is closed."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self._connection = psycopg2.connect(dbname=parsed.database, user=parsed.username, **parsed.query)
        self._connection.autocommit = True
        self._connection.cursor().execute(f"LISTEN {CHANNEL}")

    def heard(self) -> list[Notification]:
        """Everything that was said by transactions that have ended by now. A round trip brings it along."""
        self._connection.cursor().execute("SELECT 1")
        said = [parse(notify.payload) for notify in self._connection.notifies]
        self._connection.notifies.clear()
        return [notice for notice in said if notice]

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Nothing is said in this block."""
        self.heard()
        yield
        assert self.heard() == []

    def close(self) -> None:
        self._connection.close()
