"""Connect to the first host of a database URL that answers and accepts writes.

libpq can try several hosts by itself. Under gevent, however, its `connect_timeout` has no effect, its name look-up
blocks all requests of the process, and each new connection waits for an absent host again.
"""

import socket
from collections.abc import Mapping
from typing import Any, NamedTuple

import psycopg2
from psycopg2.extensions import connection as PsycopgConnection
from psycopg2.extensions import parse_dsn
from sqlalchemy import URL

CONNECT_TIMEOUT_SECONDS = 5
# Operators and `flask doctor` recognise the machine of a connection by this in pg_stat_activity.
APPLICATION_NAME = f"portal@{socket.gethostname()}"[:63]
SCHEMES = ("postgresql", "postgres", "postgresql+psycopg2")


class BoundedConnection(PsycopgConnection):
    """A connection with a limit on each wait for the server. gevent_wait.py enforces it under gevent."""

    silence_seconds: float = CONNECT_TIMEOUT_SECONDS
    is_cancelled_when_silent: bool = False


class Address(NamedTuple):
    """An address of a server. An empty string leaves the choice to libpq."""

    host: str
    hostaddr: str
    port: str


class Hosts:
    """The hosts of one URL. Thread-safe: threads share only the address that answered last."""

    def __init__(self, url: str) -> None:
        """Parse a URL of libpq, or of SQLAlchemy for psycopg2. Raises ValueError for any other."""
        scheme, separator, rest = url.partition("://")
        if not separator or scheme not in SCHEMES:
            raise ValueError("not a PostgreSQL URL")
        try:
            self._parameters: dict[str, Any] = {
                "target_session_attrs": "read-write",
                **parse_dsn(f"postgresql://{rest}"),
            }
        except psycopg2.ProgrammingError as error:
            raise ValueError(f"not a PostgreSQL URL: {error}") from error
        self.has_password = "password" in self._parameters
        names = [self._parameters.pop(name, "").split(",") for name in ("host", "hostaddr", "port")]
        count = max(map(len, names))
        hosts, hostaddrs, ports = (values * count if len(values) == 1 else values for values in names)
        self._addresses = [Address(*each) for each in zip(hosts, hostaddrs, ports, strict=True)]
        self._last: Address | None = None

    @property
    def name(self) -> URL:
        """Return the URL for logs and for SQLAlchemy, which derives only the dialect from it."""
        return URL.create("postgresql+psycopg2", database=self._parameters.get("dbname"))

    def connect(self, options: Mapping[str, Any]) -> BoundedConnection:
        """Return a connection to the first address that accepts one, starting with the one that answered last.

        Raises psycopg2.OperationalError with the messages of all addresses.
        """
        refusals = []
        for address in self._in_order():
            given = {name: value for name, value in address._asdict().items() if value}
            try:
                connection: BoundedConnection = psycopg2.connect(
                    **{**options, **self._parameters, **given}, connection_factory=BoundedConnection
                )
            except psycopg2.OperationalError as error:
                refusals.append(str(error).strip())
            else:
                self._last = address
                return connection
        raise psycopg2.OperationalError("\n".join(refusals))

    def _in_order(self) -> list[Address]:
        addresses = [found for address in self._addresses for found in _resolved(address)]
        return sorted(addresses, key=lambda address: address != self._last)


def _resolved(address: Address) -> list[Address]:
    """Return all addresses of the host's name, looked up by gevent so that other requests proceed."""
    if address.hostaddr or not address.host or address.host.startswith(("/", "@")):
        return [address]
    try:
        found = socket.getaddrinfo(address.host, None, type=socket.SOCK_STREAM)
    except OSError:
        return [address]  # libpq reports the error
    return [address._replace(hostaddr=str(place[0])) for *_, place in found]
