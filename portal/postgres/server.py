"""The portal's own PostgreSQL server, for the demo, the tests and `flask` commands without DATABASE_URL.

Called by database.py, demo.py, the tests and the benchmark. It must not import Flask. Any number of processes
may use one server: the first starts it, the last to leave stops it. Each holds a shared lock (flock) on the
file `users`, which the kernel takes back even from a killed process; the file `lock` lets one at a time start
or stop the server.
"""

import fcntl
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import quote

import psycopg2

from portal.errors import PostgresDidNotStart
from portal.postgres.account import ServerAccount, access_to, make_socket_folder, runnable_by, server_account
from portal.postgres.binaries import Installation, find_installation

DATABASE = "kingston"
PORT = 5432  # only names the socket: the server does not listen on TCP
START_TIMEOUT_SECONDS = 60  # recovery after a crash is part of it
STOP_TIMEOUT_SECONDS = 30
POLL_SECONDS = 0.01
SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "shared_buffers": "128MB",
    "max_connections": "200",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
QUICK_SETTINGS = {"fsync": "off", "full_page_writes": "off"}  # still safe from a killed server


class EmbeddedPostgres:
    """One server with its data in `folder`. `durable=False`, for tests, gives up safety from power cuts.

    `major` is the PostgreSQL version that makes new data; without it the wheel's programs do.
    """

    def __init__(self, folder: Path, *, durable: bool = True, major: int | None = None) -> None:
        self.folder = folder.resolve()
        self._data = self.folder / "data"
        self._log = self.folder / "server.log"
        self._is_durable = durable
        self._major_of_new_data = major
        self._users: IO[str] | None = None
        self._server: subprocess.Popen[Any] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The running server's process, or None. The lock file of a killed server counts as none."""
        if self._server and self._server.poll() is None:
            return self._server.pid
        lines = self._lock_file_lines()
        pid = abs(int(lines[0])) if lines else None
        return pid if pid and _is_running_here(pid, self._data) else None

    def start(self) -> str:
        """Start the server, or attach to the running one, and return its URL for SQLAlchemy.

        Makes the data and the database at first; started again, it mends a server that was killed meanwhile.
        Raises PostgresNotFound and PostgresDidNotStart.
        """
        try:
            with self._turn():
                users = self._users or self._open_lock("users")
                fcntl.flock(users, fcntl.LOCK_SH)
                try:
                    sockets = self._wait_until_ready()
                    _make_database(sockets)
                except BaseException:
                    self._users = None
                    self._leave(users)
                    raise
        except OSError as error:
            raise PostgresDidNotStart(f"PostgreSQL did not start in {self.folder}: {error}") from error
        self._users = users
        return f"postgresql+psycopg2://postgres@/{DATABASE}?host={quote(str(sockets))}&port={PORT}"

    def stop(self) -> None:
        """Give up our use of the server and, when nobody else uses it, stop it. May be called twice."""
        if self._users is None:
            return
        with self._turn():
            self._leave(self._users)
        self._users = None

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One process at a time starts or stops the server of this folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._open_lock("lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _open_lock(self, name: str) -> IO[str]:
        return (self.folder / name).open("a")

    def _wait_until_ready(self) -> Path:
        """The folder of the socket of a server that answers; launched here unless one was running."""
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        log_start = self._log_size()
        is_launched = False
        while time.monotonic() < deadline:
            if self.pid is None:
                # The last children of a killed server hold its memory for a moment; then a new one may start.
                if is_launched and "pre-existing shared memory block" not in self._log_since(log_start):
                    raise PostgresDidNotStart(self._failure("stopped at once", log_start))
                log_start = self._log_size()
                self._server = self._launch()
                is_launched = True
            sockets = self._socket_folder()
            if sockets and _accepts_connections(sockets):
                return sockets
            time.sleep(POLL_SECONDS)
        raise PostgresDidNotStart(self._failure(f"did not answer in {START_TIMEOUT_SECONDS} s", log_start))

    def _launch(self) -> subprocess.Popen[Any]:
        """Start `postgres` where the terminal's Ctrl-C does not reach it: it stops when its last user has."""
        account = server_account(self._data)
        installation = runnable_by(account, find_installation(self._major()))
        if not self._data.exists():
            self._make_data(installation, account)
        (self._data / "postmaster.pid").unlink(missing_ok=True)  # its server is gone: `pid` has looked
        settings = SETTINGS | ({} if self._is_durable else QUICK_SETTINGS)
        settings["unix_socket_directories"] = str(make_socket_folder(self._data, account))
        arguments = [f"--{name}={value}" for name, value in settings.items()]
        with self._log.open("ab") as log, access_to(self._data, account) as (data, options):
            return subprocess.Popen(
                [installation.bin / "postgres", "-D", data, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **options,
            )

    def _major(self) -> int | None:
        """Which PostgreSQL made the data, or is to make it; None where any may."""
        return int((self._data / "PG_VERSION").read_text()) if self._data.exists() else self._major_of_new_data

    def _make_data(self, installation: Installation, account: ServerAccount) -> None:
        """Run initdb beside the data's place: a killed initdb leaves nothing that looks like data."""
        with tempfile.TemporaryDirectory(dir=self.folder, prefix="unfinished-") as parent:
            data = Path(parent) / "data"
            data.mkdir(mode=0o700)
            os.chown(data, account.uid, account.gid)
            arguments = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
            arguments += [] if self._is_durable else ["--no-sync"]
            with access_to(data, account) as (name, options):
                command: list[str | Path] = [installation.bin / "initdb", "-D", name, *arguments]
                made = subprocess.run(command, check=False, capture_output=True, text=True, **options)
            if made.returncode != 0:
                raise PostgresDidNotStart(f"initdb failed in {self.folder}:\n{made.stdout}{made.stderr}")
            data.rename(self._data)

    def _leave(self, users: IO[str]) -> None:
        """Let go of `users`; the last one stops the server. Called in our turn."""
        with users:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            self._shut_down()

    def _shut_down(self) -> None:
        """End open transactions and stop (SIGINT, "fast shutdown"); after 30 s as if it crashed (SIGQUIT)."""
        sockets = self._socket_folder()
        for how in (signal.SIGINT, signal.SIGQUIT):
            deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
            if (pid := self.pid) is not None:
                os.kill(pid, how)
            while self.pid is not None and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
        if sockets:
            with suppress(OSError):
                sockets.rmdir()

    def _lock_file_lines(self) -> list[str]:
        """The server's own postmaster.pid: its process first, the folder of its socket fifth."""
        try:
            return (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _socket_folder(self) -> Path | None:
        lines = self._lock_file_lines()
        return Path(lines[4]) if len(lines) > 4 and lines[4] else None

    def _log_size(self) -> int:
        return self._log.stat().st_size if self._log.exists() else 0

    def _log_since(self, start: int) -> str:
        return self._log.read_bytes()[start:].decode(errors="replace")

    def _failure(self, what: str, log_start: int) -> str:
        tail = "\n".join(self._log_since(log_start).splitlines()[-20:])
        return f"PostgreSQL {what}. The end of its log, {self._log}:\n{tail}"


def _is_running_here(pid: int, data: Path) -> bool:
    """Whether `pid` is a server of `data`, and no other program that was given a killed server's number."""
    if not Path("/proc/self").exists():
        listed = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], check=False, capture_output=True, text=True)
        return str(data) in listed.stdout
    try:
        return Path(f"/proc/{pid}/cwd").samefile(data)
    except OSError:
        return False


def _accepts_connections(sockets: Path) -> bool:
    try:
        psycopg2.connect(host=str(sockets), port=PORT, user="postgres", dbname="postgres").close()
    except psycopg2.OperationalError:
        return False
    return True


def _make_database(sockets: Path) -> None:
    connection = psycopg2.connect(host=str(sockets), port=PORT, user="postgres", dbname="postgres")
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        connection.close()
