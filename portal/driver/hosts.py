"""Opens connections to the first host of a database URL that answers and suits. Called by database.py.

libpq tries several hosts by itself, but under gevent its `connect_timeout` has no effect, its name look-up stops every
other request of the process, and a host that is away is waited for at each new connection.
"""

import socket
from collections.abc import Mapping
from typing import Any, NamedTuple

import psycopg2
from psycopg2.extensions import connection as PsycopgConnection
from psycopg2.extensions import parse_dsn
from sqlalchemy import URL

CONNECT_TIMEOUT_SECONDS = 5
# By which an operator, and `flask doctor`, tell in pg_stat_activity whose a connection is.
APPLICATION_NAME = f"portal@{socket.gethostname()}"[:63]
SCHEMES = ("postgresql", "postgres", "postgresql+psycopg2")


class BoundedConnection(PsycopgConnection):
    """A connection with a limit to each wait for the server. gevent_wait.py enforces it under gevent."""

    silence_seconds: float = CONNECT_TIMEOUT_SECONDS
    is_cancelled_when_silent: bool = False


class Address(NamedTuple):
    """One place where a server may listen; an empty string leaves the choice to libpq."""

    host: str
    hostaddr: str
    port: str


class Hosts:
    """The hosts of one URL. Thread-safe: threads only share which address was the last to answer."""

    def __init__(self, url: str) -> None:
        """Read a URL as libpq does, or one of SQLAlchemy's for psycopg2. Raises ValueError for any other."""
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
        """The database for SQLAlchemy, which only wants to know its kind, and for logs."""
        return URL.create("postgresql+psycopg2", database=self._parameters.get("dbname"))

    def connect(self, options: Mapping[str, Any]) -> BoundedConnection:
        """Return a connection to the first address that takes one, the last to answer before the others.

        Raises psycopg2.OperationalError with what each of them said.
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
    """Every address of the host's name, looked up where gevent lets other requests go on meanwhile."""
    if address.hostaddr or not address.host or address.host.startswith(("/", "@")):
        return [address]
    try:
        found = socket.getaddrinfo(address.host, None, type=socket.SOCK_STREAM)
    except OSError:
        return [address]  # libpq says what is wrong with the name
    return [address._replace(hostaddr=str(place[0])) for *_, place in found]
