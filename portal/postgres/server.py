"""Run a PostgreSQL server for the demo, the tests and `flask` commands without DATABASE_URL.

Any number of processes may share one server. The first process starts it and the last one stops it. Each process holds
a shared lock (flock) on the file `users`, which the kernel releases when the process ends. A lock on the file `lock`
lets one process at a time start or stop the server. Must not import Flask.
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
from typing import IO, Self
from urllib.parse import quote

import psycopg2

from portal.errors import PostgresDidNotStart
from portal.postgres.account import ServerAccount, access_to, make_socket_folder, runnable_by, server_account
from portal.postgres.binaries import Installation, find_installation

DATABASE = "kingston"
PORT = 5432  # part of the socket's name: the server does not listen on TCP
START_TIMEOUT_SECONDS = 60  # includes recovery after a crash
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
NON_DURABLE_SETTINGS = {"fsync": "off", "full_page_writes": "off"}  # data survives a killed server, but not a power cut


class EmbeddedPostgres:
    """A server with its data in `folder`.

    With `durable=False`, for tests, a power cut may destroy the data. `major` is the PostgreSQL version for new data;
    without it the wheel's programs create the data.
    """

    def __init__(self, folder: Path, *, durable: bool = True, major: int | None = None) -> None:
        self.folder = folder.resolve()
        self._data = self.folder / "data"
        self._log = self.folder / "server.log"
        self._is_durable = durable
        self._major_of_new_data = major
        self._users: IO[str] | None = None
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """Return the process id of the running server, or None. The lock file of a killed server is ignored."""
        if self._server and self._server.poll() is None:
            return self._server.pid
        lines = self._lock_file_lines()
        pid = abs(int(lines[0])) if lines else None
        return pid if pid and _is_running_here(pid, self._data) else None

    def start(self) -> str:
        """Start the server, or attach to the running one, and return its URL for SQLAlchemy.

        The first start creates the data and the database. Calling it again restarts a server that was killed.
        Raises PostgresNotFound, PostgresDidNotStart.
        """
        try:
            with self._exclusive():
                users = self._users or self._open_lock("users")
                fcntl.flock(users, fcntl.LOCK_SH)
                try:
                    sockets = self._wait_until_ready()
                    _create_database(sockets)
                except BaseException:
                    self._users = None
                    self._release(users)
                    raise
        except OSError as error:
            raise PostgresDidNotStart(f"PostgreSQL did not start in {self.folder}: {error}") from error
        self._users = users
        return f"postgresql+psycopg2://postgres@/{DATABASE}?host={quote(str(sockets))}&port={PORT}"

    def stop(self) -> None:
        """Release the server, and stop it if no other process uses it. May be called twice."""
        if self._users is None:
            return
        with self._exclusive():
            self._release(self._users)
        self._users = None

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Hold the lock under which one process at a time starts or stops the server of this folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._open_lock("lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _open_lock(self, name: str) -> IO[str]:
        return (self.folder / name).open("a")

    def _wait_until_ready(self) -> Path:
        """Launch the server unless it is running, and return the folder of its socket once it accepts connections."""
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        log_start = self._log_size()
        is_launched = False
        while time.monotonic() < deadline:
            if self.pid is None:
                # The children of a killed server hold its shared memory for a moment. Then a new server can start.
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

    def _launch(self) -> subprocess.Popen[bytes]:
        """Start `postgres` in its own session, because Ctrl-C in the terminal must not stop it."""
        account = server_account(self._data)
        installation = runnable_by(account, find_installation(self._major()))
        if not self._data.exists():
            self._create_data(installation, account)
        (self._data / "postmaster.pid").unlink(missing_ok=True)  # `pid` has found that its server is not running
        settings = SETTINGS | ({} if self._is_durable else NON_DURABLE_SETTINGS)
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
        """Return the major version that created the data or must create it, or None for any version."""
        return int((self._data / "PG_VERSION").read_text()) if self._data.exists() else self._major_of_new_data

    def _create_data(self, installation: Installation, account: ServerAccount) -> None:
        """Run initdb in a temporary folder and rename it, so that a killed initdb leaves no incomplete data."""
        with tempfile.TemporaryDirectory(dir=self.folder, prefix="unfinished-") as parent:
            data = Path(parent) / "data"
            data.mkdir(mode=0o700)
            os.chown(data, account.uid, account.gid)
            arguments = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
            arguments += [] if self._is_durable else ["--no-sync"]
            with access_to(data, account) as (name, options):
                command: list[str | Path] = [installation.bin / "initdb", "-D", name, *arguments]
                result = subprocess.run(command, check=False, capture_output=True, text=True, **options)
            if result.returncode != 0:
                raise PostgresDidNotStart(f"initdb failed in {self.folder}:\n{result.stdout}{result.stderr}")
            data.rename(self._data)

    def _release(self, users: IO[str]) -> None:
        """Release `users`, and stop the server if no other process holds it. Requires the exclusive lock."""
        with users:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            self._shut_down()

    def _shut_down(self) -> None:
        """Stop the server with a fast shutdown (SIGINT), and after 30 s with an immediate one (SIGQUIT)."""
        sockets = self._socket_folder()
        for number in (signal.SIGINT, signal.SIGQUIT):
            deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
            if (pid := self.pid) is not None:
                os.kill(pid, number)
            while self.pid is not None and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
        if sockets:
            with suppress(OSError):
                sockets.rmdir()

    def _lock_file_lines(self) -> list[str]:
        """Return the lines of postmaster.pid. The first is the process id, the fifth the folder of the socket."""
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
    """Return whether `pid` is a server of `data`, and not another program that reuses a killed server's id."""
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


def _create_database(sockets: Path) -> None:
    connection = psycopg2.connect(host=str(sockets), port=PORT, user="postgres", dbname="postgres")
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        connection.close()
