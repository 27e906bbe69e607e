"""A proxy between the application and PostgreSQL that records the messages, and that can be cut.

It records PostgreSQL's protocol, so a statement is counted whichever way it was sent: by SQLAlchemy, by
psycopg2 alone, by the pool. https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import make_url

QUERY, TERMINATE = b"Q", b"X"
# Statements of the transaction or of the pool's ping.
AROUND_THE_WORK = ("BEGIN", "COMMIT", "ROLLBACK", "SELECT 1", ";")


class Wiretap:
    """Listens in `folder`, and forwards to the server at `server_url`. `url` leads through it."""

    def __init__(self, server_url: str, folder: Path) -> None:
        server = make_url(server_url)
        port = server.query.get("port", "5432")
        self._server_path = f"{server.query['host']}/.s.PGSQL.{port}"
        self._path = folder / f".s.PGSQL.{port}"
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._heard: list[str] = []
        self.url = server.set(query={**server.query, "host": str(folder)}).render_as_string(hide_password=False)

    @contextlib.contextmanager
    def listening(self) -> Iterator[list[str]]:
        """Return every message that requests a response, in order. Each is one round trip."""
        self._heard = []
        yield self._heard

    @contextlib.contextmanager
    def cut(self) -> Iterator[None]:
        """Break open connections and reject new ones in this block, as an outage does."""
        self.close()
        try:
            yield
        finally:
            self.open()

    def open(self) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._path))
        self._listener.listen(64)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        if self._listener is not None:
            self._path.unlink()
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.break_connections()

    def break_connections(self) -> None:
        """Break open connections, as a restart of the server does. New ones are accepted."""
        for end in list(self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server_path)
                self._open |= {client, server}
                threading.Thread(target=self._relay, args=(client, server, self._questions), daemon=True).start()
                threading.Thread(target=self._relay, args=(server, client, _bytes), daemon=True).start()

    def _relay(self, source: socket.socket, target: socket.socket, read: object) -> None:
        with contextlib.suppress(OSError), source, target:
            for chunk in read(source):  # type: ignore[operator]
                target.sendall(chunk)
            with contextlib.suppress(OSError):
                target.shutdown(socket.SHUT_RDWR)
        self._open -= {source, target}

    def _questions(self, client: socket.socket) -> Iterator[bytes]:
        stream = client.makefile("rb")
        while header := stream.read(4):  # only the start-up message has no type byte
            yield header + stream.read(_length(header) - 4)
            break
        while kind := stream.read(1):
            header = stream.read(4)
            body = stream.read(_length(header) - 4)
            if kind == QUERY:
                self._heard.append(body.rstrip(b"\0").decode())
            elif kind != TERMINATE:
                self._heard.append(f"message {kind!r}")
            yield kind + header + body


def work_in(heard: list[str]) -> list[str]:
    """Return the statements of `heard` without those of the transaction and of the pool's ping."""
    return [statement for statement in heard if statement.strip() not in AROUND_THE_WORK]


def _bytes(server: socket.socket) -> Iterator[bytes]:
    while chunk := server.recv(65_536):
        yield chunk


def _length(header: bytes) -> int:
    [length] = struct.unpack("!i", header)
    return int(length)
