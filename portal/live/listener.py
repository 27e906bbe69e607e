"""The LISTEN of one process: a connection of its own, outside every pool, and what is heard on it.

Used by the hub and by `flask presence watch`. Works with threads and, patched, with greenlets: both have `select.poll`,
which unlike `select.select` takes any descriptor of a process with thousands of them.
"""

import logging
import select
import socket
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

import psycopg2
from psycopg2.extensions import connection as PsycopgConnection
from sqlalchemy import Engine

from portal.live import notifications
from portal.live.notifications import Notification

logger = logging.getLogger(__name__)


class Wakeup:
    """Wakes a listener from another thread."""

    def __init__(self) -> None:
        self._inside, self._outside = socket.socketpair()
        self._inside.setblocking(False)
        self._outside.setblocking(False)

    def ring(self) -> None:
        with suppress(OSError):  # it has been rung often enough, or nobody hears it any more
            self._outside.send(b"\0")

    def fileno(self) -> int:
        return self._inside.fileno()

    def hush(self) -> None:
        """Forget how often it was rung."""
        with suppress(BlockingIOError):
            while self._inside.recv(4096):
                pass

    def close(self) -> None:
        self._inside.close()
        self._outside.close()

    def wait(self, timeout_seconds: float) -> None:
        """Without a connection: until it is rung, or for so long."""
        _wait_for(timeout_seconds, self)
        self.hush()


class Listener:
    """Connects and listens; in a `with` block, after which the connection is closed. Raises what psycopg2 raises."""

    def __init__(
        self, engine: Engine, bell: Wakeup, prepare: Callable[[PsycopgConnection], None] | None = None
    ) -> None:
        self._bell = bell
        self._pooled = engine.raw_connection()
        self.connection: PsycopgConnection = self._pooled.driver_connection  # type: ignore[assignment]
        try:
            if prepare:
                prepare(self.connection)
            # After the statements: from here on nothing that changes is missed by whoever reads afterwards.
            with self.connection.cursor() as cursor:
                cursor.execute(f"LISTEN {notifications.CHANNEL}")
        except BaseException:
            self._pooled.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pooled.invalidate()
        self._pooled.close()

    def wait(self, timeout_seconds: float) -> list[Notification]:
        """What has been heard, as soon as there is something, the bell rings or the time is up."""
        if not self.connection.notifies:
            _wait_for(timeout_seconds, self.connection, self._bell)
            self._bell.hush()
            self.connection.poll()
        if self.connection.closed:
            raise psycopg2.OperationalError("the connection was closed")
        heard = [notifications.parse(notify.payload) for notify in self.connection.notifies]
        self.connection.notifies.clear()
        return [notice for notice in heard if notice]


def _wait_for(timeout_seconds: float, *readable: Wakeup | PsycopgConnection) -> None:
    poll = select.poll()
    for each in readable:
        poll.register(each.fileno(), select.POLLIN)
    poll.poll(max(0.0, timeout_seconds) * 1000)
