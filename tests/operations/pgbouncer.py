"""Debian's PgBouncer with the file of deploy/pgbouncer, before a PostgreSQL of the tests."""

import subprocess
from pathlib import Path
from typing import Self

from tests.operations.postgres import Postgres
from tests.support.debian import DEPLOY, edited, program
from tests.support.processes import accepts_connections, default_signals, kill, reserve_port
from tests.support.until import wait_until


class PgBouncer:
    """Started and stopped by a `with` block."""

    def __init__(self, server: Postgres, pool_mode: str) -> None:
        self._program = program("pgbouncer")
        self._server = server
        self.port, self._reservation = reserve_port()
        folder = server.folder
        (folder / "userlist.txt").write_text('"postgres" ""\n')
        self._file = folder / "pgbouncer.ini"
        changes = {
            "portal = host=/var/run/postgresql port=5432 dbname=portal": f"kingston = host={folder} port={server.port}",
            "listen_port = 6432": f"listen_port = {self.port}",
            "unix_socket_dir = /var/run/postgresql": f"unix_socket_dir = {folder}",
            "auth_type = scram-sha-256": "auth_type = trust",
            "/etc/pgbouncer/userlist.txt": str(folder / "userlist.txt"),
            "pool_mode = transaction": f"pool_mode = {pool_mode}",
            "default_pool_size = 20": f"default_pool_size = {60 if pool_mode == 'session' else 20}",
            "/var/log/postgresql/pgbouncer.log": str(folder / "pgbouncer.log"),
            "/var/run/postgresql/pgbouncer.pid": str(folder / "pgbouncer.pid"),
        }
        self._file.write_text(edited(DEPLOY / "pgbouncer" / "pgbouncer.ini", changes))

    def __enter__(self) -> Self:
        # The port is PgBouncer's alone: it sets no SO_REUSEADDR on every system, and says so only in its log.
        with default_signals():
            self._process = subprocess.Popen(
                self._server.as_its_account(self._program, "-q", self._file),
                cwd="/",
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        try:
            wait_until(self._answers, "PgBouncer did not start")
        except BaseException:
            kill(self._process)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        kill(self._process)
        self._reservation.close()

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/kingston"

    def _answers(self) -> bool:
        log = Path(self._server.folder / "pgbouncer.log")
        assert self._process.poll() is None, log.read_text() if log.exists() else "PgBouncer ended"
        return accepts_connections(self.port)
