"""A minimal load balancer: it forwards each connection to the first server that accepts it.

It can break all its connections, as a network does, and reject new ones for a while.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence


class Balancer:
    """Listens on `port` of this machine; closed at the end of a `with` block."""

    def __init__(self, upstreams: Sequence[int]) -> None:
        self._upstreams = upstreams
        self._open: set[socket.socket] = set()
        self._is_away = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "Balancer":
        return self

    def __exit__(self, *_: object) -> None:
        self._is_away = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.lose_connections()

    def lose_connections(self) -> None:
        """Break all open connections. New ones are accepted."""
        for end in list(self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Break all open connections, and close new ones at once in this block."""
        self._is_away = True
        self.lose_connections()
        try:
            yield
        finally:
            self._is_away = False

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = None if self._is_away else self._connect()
                if server is None:
                    client.close()
                    continue
                self._open |= {client, server}
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._relay, args=ends, daemon=True).start()

    def _connect(self) -> socket.socket | None:
        for port in self._upstreams:
            with contextlib.suppress(OSError):
                return socket.create_connection(("127.0.0.1", port))
        return None

    def _relay(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                target.sendall(chunk)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._open.discard(source)
        source.close()
