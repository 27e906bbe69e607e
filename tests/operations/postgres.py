"""PostgreSQL servers as an operator has them: on TCP, with standbys, promoted, killed, frozen."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import make_dsn

from portal.postgres.account import ServerAccount, runnable_by, server_account
from portal.postgres.binaries import find_installation
from tests.support.debian import run
from tests.support.postgres_versions import wanted_major
from tests.support.processes import default_signals, kill, reserve_port
from tests.support.until import wait_until

SETTINGS = {
    "fsync": "off",  # what is killed here is a process, and the kernel keeps what it wrote
    "max_connections": "200",
    "wal_keep_size": "256MB",
    "timezone": "UTC",
}
PRIVATE_NETWORK = "10.0.0.0/8"


class Postgres:
    """One server, stopped and removed at the end of a `with` block.

    With `network`, the name of a network namespace, it is reached by TCP from there alone; its Unix socket is reached
    from everywhere.
    """

    def __init__(self, name: str, *, address: str = "127.0.0.1", network: str | None = None) -> None:
        self.name, self.address, self._network = name, address, network
        self.port, self._reservation = reserve_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"kp-{name}-"))
        self._data = self.folder / "data"
        self._account = server_account(self._data)
        self._bin = runnable_by(self._account, find_installation(wanted_major())).bin
        self.started_with: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        os.chown(self.folder, self._account.uid, self._account.gid)

    def __enter__(self) -> "Postgres":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._reservation.close()
        shutil.rmtree(self.folder)

    @property
    def url(self) -> str:
        """The portal's database on this server, by TCP."""
        return f"postgresql://postgres@{self.address}:{self.port}/kingston"

    @property
    def local_url(self) -> str:
        """The same by the Unix socket, for SQLAlchemy."""
        return f"postgresql+psycopg2://postgres@/kingston?host={self.folder}&port={self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def make(self) -> None:
        """Make empty data that trusts everybody, and start."""
        self._run(
            "initdb", "-D", self._data, "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"
        )
        with (self._data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {PRIVATE_NETWORK} trust\n")
        self.start()
        self.ask("CREATE DATABASE kingston", dbname="postgres")

    def follow(self, primary: "Postgres") -> None:
        """Copy the primary's data, and start as its standby; by its name it may be a synchronous one.

        It follows by the Unix socket, which no cut cable and no network keeps from it.
        """
        source = make_dsn(host=primary.folder, port=primary.port, user="postgres")
        self._run("pg_basebackup", "-D", self._data, "-d", source, "-X", "stream", "-c", "fast")
        follows = make_dsn(host=primary.folder, port=primary.port, user="postgres", application_name=self.name)
        (self._data / "standby.signal").touch()
        self.start(primary_conninfo=follows)
        streaming = "SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'"
        wait_until(lambda: self.ask(streaming), f"{self.name} does not follow {primary.name}")

    def start(self, **settings: str) -> None:
        """Start, and wait until it answers."""
        self.started_with = settings
        given = SETTINGS | {"listen_addresses": self.address, "port": str(self.port)} | settings
        given["unix_socket_directories"] = str(self.folder)
        arguments = [f"--{name}={value}" for name, value in given.items()]
        with (self.folder / "log").open("ab") as log, default_signals():
            self._process = subprocess.Popen(
                self._inside(self._bin / "postgres", "-D", self._data, *arguments),
                cwd="/",
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self._answers, f"{self.name} did not start")

    def kill(self) -> None:
        """End all its processes in one instant (SIGKILL)."""
        if self._process is not None:
            kill(self._process)
            self._process = None

    def tell(self, how: signal.Signals) -> None:
        """Tell every process of it something: SIGSTOP freezes it, SIGCONT lets it go on."""
        assert self._process is not None
        os.killpg(self._process.pid, how)

    def promote(self) -> None:
        """Make a primary of a standby; return when it takes changes."""
        self.ask("SELECT pg_promote(true, 30)")

    def configure(self, **settings: str) -> None:
        """Change settings of the running server."""
        for name, value in settings.items():
            self.ask(f"ALTER SYSTEM SET {name} = '{value}'")
        self.ask("SELECT pg_reload_conf()")

    def ask(self, question: str, parameters: Sequence[object] = (), *, dbname: str = "postgres") -> Any:
        """Run a statement and return the first value of what it returns."""
        options = {"host": str(self.folder), "port": self.port, "user": "postgres", "dbname": dbname}
        with closing(psycopg2.connect(**options)) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(question, parameters or None)
            return cursor.fetchone()[0] if cursor.description else None

    def as_its_account(self, *command: str | Path) -> list[str]:
        """Return what runs a program as the server's account, for a pooler refuses to run as root too."""
        return [*_as(self._account), *map(str, command)]

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        try:
            return bool(self.ask("SELECT 1"))
        except psycopg2.OperationalError:
            return False

    def _run(self, name: str, *arguments: str | Path) -> None:
        run(*self.as_its_account(self._bin / name, *arguments), cwd="/")

    def _inside(self, *command: str | Path) -> list[str]:
        network = ["ip", "netns", "exec", self._network] if self._network else []
        return [*network, *self.as_its_account(*command)]


def _as(account: ServerAccount) -> list[str]:
    """What runs a program as this account; PostgreSQL refuses to run as root."""
    if not account.is_other:
        return []
    return ["setpriv", f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups"]


@contextmanager
def primary_and_synchronous_standby() -> Iterator[tuple[Postgres, Postgres]]:
    """Start both; the primary's commits wait for the standby."""
    with Postgres("primary") as primary, Postgres("standby") as standby:
        primary.make()
        standby.follow(primary)
        primary.configure(synchronous_standby_names="ANY 1 (standby)")
        yield primary, standby
