"""Start the portal as in production: gunicorn with its configuration file and two workers.

Used by the tests in browsers and by those of the live stream. Its processes belong to a session of their own, so that
they can be killed together as a power cut would.
"""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from portal.config import PROJECT_ROOT
from tests.support.processes import default_signals, environment_without_settings, kill, reserve_port

START_TIMEOUT_SECONDS = 90
STOP_TIMEOUT_SECONDS = 30
# One key for all portals, so that a browser's session is valid on each portal of the same database.
SECRET_KEY = secrets.token_urlsafe(32)


class Portal:
    """One gunicorn on one port and one database; started again it is at the same address.

    `settings` are further environment variables, PORTAL_HEARTBEAT_SECONDS="1" for instance. `folder` is where its code
    is; another one, set while it is stopped, is another release.
    """

    def __init__(self, database_url: str, log: Path, *, inside: Sequence[str] = (), **settings: str) -> None:
        """`inside` is a program that starts gunicorn, with its arguments: `prlimit --nofile=256` for instance."""
        self._inside = inside
        self.port, self._reservation = reserve_port()
        self.folder = PROJECT_ROOT
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        self._environment = environment_without_settings() | {
            "DATABASE_URL": database_url,
            "PORTAL_SECRET_KEY": SECRET_KEY,
            "PORTAL_ALLOWED_HOSTS": "127.0.0.1",
            "PORTAL_SECOND_FACTOR": "optional",
            "PORT": str(self.port),
            "WEB_CONCURRENCY": "2",
            "TMPDIR": str(log.parent),  # a killed process leaves its copy of the static files behind
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, unless it runs, and wait until the database is reached too."""
        if self._process is not None:
            return
        with self.log.open("ab") as log, default_signals():
            self._process = subprocess.Popen(
                [*self._inside, sys.executable, "-m", "portal.serve"],
                cwd=self.folder,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.kill()
            raise

    def tell(self, how: signal.Signals) -> None:
        """Send the master a signal, such as SIGHUP."""
        assert self._process is not None
        os.kill(self._process.pid, how)

    def wait_until_gone(self) -> None:
        """Wait until the portal has ended after a signal."""
        assert self._process is not None
        self._process.wait(STOP_TIMEOUT_SECONDS)
        self._process = None

    def kill(self) -> None:
        """Kill the master and its workers at once (SIGKILL)."""
        assert self._process is not None
        kill(self._process)
        self._process = None

    def stop(self) -> None:
        """Stop the portal, and kill it if that takes too long."""
        self._reservation.close()
        if self._process is None:
            return
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(self._process.pid, signal.SIGQUIT)  # as SIGTERM, without waiting for connections of browsers
            self._process.wait(STOP_TIMEOUT_SECONDS)
        self.kill()

    def workers(self) -> list[int]:
        """Return the process ids of the master's current workers."""
        assert self._process is not None
        every = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        pairs = [tuple(map(int, line.split())) for line in every.splitlines()]
        return [pid for pid, parent in pairs if parent == self._process.pid]

    def _wait_until_ready(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self._is_ready():
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
                pytest.fail(f"gunicorn ended:\n{self.log.read_text()}")
            assert time.monotonic() < deadline, self.log.read_text()

    def _is_ready(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()
