"""Notices that the other end of a stream is gone: at once when it says so, within seconds when it cannot.

gunicorn hands the connection to the application as environ["gunicorn.socket"]. A server that does not, or one with
threads, finds out at the next ping.
"""

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from gevent import get_hub
from gevent.monkey import is_module_patched

# A pulled cable says nothing. The kernel asks by itself, after 8 s of silence and then twice, 4 s apart; where
# something was sent meanwhile and is not acknowledged, it gives up 16 s later. No process has to be woken for that.
SILENCE_SECONDS, PROBE_SECONDS, PROBES = 8, 4, 2
GONE_AFTER_SECONDS = SILENCE_SECONDS + PROBE_SECONDS * PROBES
# What the kernel holds for a reader that does not read. A roster of twenty is 6 KB.
SEND_BUFFER_BYTES = 32 * 1024
READ = 1


class StreamConnection:
    """The connection of one stream, watched until `close`."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._watcher: Any = None
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        if connection.family in (socket.AF_INET, socket.AF_INET6):
            _enable_keepalive(connection)

    def watch(self, gone: Callable[[], None]) -> None:
        """Call `gone` when the connection ends. It must not wait: it runs in the event loop.

        A watcher costs 200 bytes; a greenlet that waits to read would cost a stream 16 KB more. Anything that can be
        read is an end: nobody sends more on a connection whose answer has not ended.
        """
        if is_module_patched("socket"):
            self._watcher = get_hub().loop.io(self._connection.fileno(), READ)
            self._watcher.start(self._notice, gone)

    def cut(self) -> None:
        """Stop a send that the other end does not take."""
        self._shut(socket.SHUT_RDWR)

    def close(self) -> None:
        """The stream is over: so is the connection, since gunicorn would keep it open for a next request."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None
        self._shut(socket.SHUT_RD)

    def _notice(self, gone: Callable[[], None]) -> None:
        """Once: what can be read stays so, and would be told again at every turn of the loop."""
        self._watcher.stop()
        gone()

    def _shut(self, how: int) -> None:
        """Past gevent, whose own shutdown fails a send under way as if it were a fault, with a traceback in the log."""
        with suppress(OSError):  # the other end may have been quicker
            getattr(self._connection, "_sock", self._connection).shutdown(how)


def _enable_keepalive(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", SILENCE_SECONDS),
        ("TCP_KEEPINTVL", PROBE_SECONDS),
        ("TCP_KEEPCNT", PROBES),
        ("TCP_USER_TIMEOUT", GONE_AFTER_SECONDS * 1000),  # Linux alone
    ):
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
