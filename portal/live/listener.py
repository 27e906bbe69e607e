"""Receive page notifications (LISTEN) on a connection outside every pool.

Works with threads and, when patched, with greenlets. Both have `select.poll`, which unlike `select.select` accepts
descriptors above 1023, so a process can have thousands.
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
    """Wake a listener from another thread (a self-pipe)."""

    def __init__(self) -> None:
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)

    def wake(self) -> None:
        with suppress(OSError):  # the buffer is full of earlier wake-ups, or the listener has closed
            self._sender.send(b"\0")

    def fileno(self) -> int:
        return self._receiver.fileno()

    def drain(self) -> None:
        """Discard the wake-ups so far."""
        with suppress(BlockingIOError):
            while self._receiver.recv(4096):
                pass

    def close(self) -> None:
        self._receiver.close()
        self._sender.close()

    def wait(self, timeout_seconds: float) -> None:
        """Wait for a wake-up or the timeout, without a connection."""
        _wait_for(timeout_seconds, self)
        self.drain()


class Listener:
    """Connect and listen until the end of the `with` block. Raises what psycopg2 raises."""

    def __init__(
        self, engine: Engine, wakeup: Wakeup, prepare: Callable[[PsycopgConnection], None] | None = None
    ) -> None:
        self._wakeup = wakeup
        self._pooled = engine.raw_connection()
        self.connection: PsycopgConnection = self._pooled.driver_connection  # type: ignore[assignment]
        try:
            if prepare:
                prepare(self.connection)
            # Last, so that every change after this point is notified.
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
        """Return notifications as soon as there are any; return none after a wake-up or the timeout."""
        if not self.connection.notifies:
            _wait_for(timeout_seconds, self.connection, self._wakeup)
            self._wakeup.drain()
            self.connection.poll()
        if self.connection.closed:
            raise psycopg2.OperationalError("the connection was closed")
        received = [notifications.parse(notify.payload) for notify in self.connection.notifies]
        self.connection.notifies.clear()
        return [notification for notification in received if notification]


def _wait_for(timeout_seconds: float, *readable: Wakeup | PsycopgConnection) -> None:
    poll = select.poll()
    for each in readable:
        poll.register(each.fileno(), select.POLLIN)
    poll.poll(max(0.0, timeout_seconds) * 1000)
