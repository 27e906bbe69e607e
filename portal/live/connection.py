"""Detect that the browser's end of a stream has gone: at once when it closes, within seconds when it is unreachable.

gunicorn passes the connection to the application as environ["gunicorn.socket"]. Other servers, and those with threads,
detect it with the next ping.
"""

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from gevent import get_hub
from gevent.monkey import is_module_patched

# An unreachable browser sends nothing. The kernel probes by itself, without waking a process: after 8 s of silence and
# twice more, 4 s apart. If data was sent meanwhile and is not acknowledged, it gives up after 16 s.
IDLE_SECONDS, PROBE_SECONDS, PROBES = 8, 4, 2
GONE_AFTER_SECONDS = IDLE_SECONDS + PROBE_SECONDS * PROBES
# What the kernel buffers for a browser that does not read. A roster of twenty viewers is 6 KB.
SEND_BUFFER_BYTES = 32 * 1024
READ = 1


class StreamConnection:
    """The TCP connection of one stream, watched until `close`."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._watcher: Any = None
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        if connection.family in (socket.AF_INET, socket.AF_INET6):
            _enable_keepalive(connection)

    def watch(self, on_disconnect: Callable[[], None]) -> None:
        """Call `on_disconnect` when the connection ends. It runs in the event loop, so it must not wait.

        A watcher takes 200 bytes; a greenlet that waits to read would take 16 KB. Readable data means the end: browsers
        send nothing on a connection whose response has not ended.
        """
        if is_module_patched("socket"):
            self._watcher = get_hub().loop.io(self._connection.fileno(), READ)
            self._watcher.start(self._on_readable, on_disconnect)

    def cut(self) -> None:
        """Abort a send that the browser does not accept."""
        self._shut(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection with its stream; gunicorn would keep it open for another request."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None
        self._shut(socket.SHUT_RD)

    def _on_readable(self, on_disconnect: Callable[[], None]) -> None:
        """Report the end once. A closed connection stays readable, so the loop would report it at every turn."""
        self._watcher.stop()
        on_disconnect()

    def _shut(self, how: int) -> None:
        """Shut down the plain socket. gevent's own shutdown fails a running send with a traceback in the log."""
        with suppress(OSError):  # the browser may have closed it already
            getattr(self._connection, "_sock", self._connection).shutdown(how)


def _enable_keepalive(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", IDLE_SECONDS),
        ("TCP_KEEPINTVL", PROBE_SECONDS),
        ("TCP_KEEPCNT", PROBES),
        ("TCP_USER_TIMEOUT", GONE_AFTER_SECONDS * 1000),  # on Linux only
    ):
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
