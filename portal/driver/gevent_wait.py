"""Lets psycopg2 wait for PostgreSQL under gevent: other requests go on meanwhile, and each wait has an end.

Called by gunicorn.conf.py after the fork. psycogreen does the first half only: with it a request waited for ever for a
host that had vanished between two packets.
"""

from gevent.socket import wait_read, wait_write
from psycopg2 import OperationalError
from psycopg2.extensions import POLL_OK, POLL_READ, POLL_WRITE, set_wait_callback

from portal.driver.hosts import BoundedConnection


def let_gevent_wait() -> None:
    """Set psycopg2 up for the whole process."""
    set_wait_callback(_wait)


def _wait(connection: BoundedConnection) -> None:
    """Raise OperationalError where the server is silent for too long; psycopg2 then closes the connection."""
    silence = OperationalError(f"the server was silent for {connection.silence_seconds} s")
    while (state := connection.poll()) != POLL_OK:
        if state == POLL_READ:
            wait_read(connection.fileno(), connection.silence_seconds, silence)
        elif state == POLL_WRITE:
            wait_write(connection.fileno(), connection.silence_seconds, silence)
        else:
            raise OperationalError(f"the connection is in an unknown state: {state}")
