"""Let psycopg2 wait for PostgreSQL under gevent: other requests of the worker proceed, and each wait has a bound.

psycogreen provides the first half only: with it, a request to a host that vanished between two packets never ended.
"""

from contextlib import suppress
from functools import partial

import psycopg2
from gevent import Timeout
from gevent.socket import wait_read, wait_write
from gevent.threadpool import ThreadPool
from psycopg2 import OperationalError
from psycopg2.extensions import POLL_OK, POLL_READ, POLL_WRITE, set_wait_callback

from portal.driver.hosts import BoundedConnection

# libpq opens a connection to cancel and blocks its thread meanwhile. gevent's own threads look up host names.
CANCEL_THREADS = 2
CANCEL_SECONDS = 2


def let_gevent_wait() -> None:
    """Set psycopg2 up for the whole process."""
    set_wait_callback(partial(_wait, ThreadPool(CANCEL_THREADS)))


def _wait(threads: ThreadPool, connection: BoundedConnection) -> None:
    """Raise OperationalError where the server is silent for too long; psycopg2 then closes the connection."""
    silence = OperationalError(f"the server was silent for {connection.silence_seconds} s")
    try:
        while (state := connection.poll()) != POLL_OK:
            if state == POLL_READ:
                wait_read(connection.fileno(), connection.silence_seconds, silence)
            elif state == POLL_WRITE:
                wait_write(connection.fileno(), connection.silence_seconds, silence)
            else:
                raise OperationalError(f"the connection is in an unknown state: {state}")
    except OperationalError as error:
        if error is silence and connection.is_cancelled_when_silent:
            _cancel(threads, connection)
        raise


def _cancel(threads: ThreadPool, connection: BoundedConnection) -> None:
    """Ask the server to end what it does, and wait for that for CANCEL_SECONDS at most.

    A COMMIT that waits for a synchronous standby has no time limit in PostgreSQL, and does not notice that its client
    has gone: its backend stayed until the standby was back. Cancelled, it ends; the transaction is committed locally.
    """
    with suppress(psycopg2.Error), Timeout(CANCEL_SECONDS, False):
        threads.apply(connection.cancel)
