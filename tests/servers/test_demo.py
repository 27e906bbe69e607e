"""Test `python -m portal.demo`, which `make demo` runs: start, use and stop it."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy.engine import make_url

from portal.config import DEMO_PASSWORD
from portal.postgres.server import EmbeddedPostgres
from tests.conftest import ServerMaker
from tests.support.http_browser import HttpBrowser
from tests.support.processes import Programs, environment_without_settings, reserve_port

STOPPED_WITHIN_SECONDS = 60


class Demo:
    """A demo with its own folder and port, started as in a terminal."""

    def __init__(self, programs: Programs, instance: Path, port: int, **environment: str) -> None:
        self.instance = instance
        self.port = port
        own = {"PORTAL_INSTANCE": str(instance), "PORT": str(port), "WEB_CONCURRENCY": "1"}  # a worker takes 1 s of CPU
        self.process = programs.start(
            *(sys.executable, "-m", "portal.demo"),
            env=environment_without_settings() | own | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def wait_until_served(self) -> str:
        """Return what it has printed when it serves pages."""
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if line.startswith("Press Ctrl-C"):
                return "".join(lines)
        pytest.fail("".join(lines))

    def close_its_output(self) -> None:
        """Close the pipe into which it writes, as `make demo | head` does."""
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process.stdout = None

    def stop(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        return self.end()[0]

    def end(self) -> tuple[int, str]:
        """Return its exit code and the rest of its output."""
        output = self.process.communicate(timeout=STOPPED_WITHIN_SECONDS)[0]
        return self.process.returncode, output

    def kill_what_runs(self) -> None:
        """Kill what a failed test left, also the demo's PostgreSQL, which has its own session."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def processes(self) -> list[int]:
        """Return every process of the demo that still runs. Their environment contains its folder."""
        mark = f"PORTAL_INSTANCE={self.instance}".encode()
        return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if mark in read(path)]


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.fixture
def port() -> Iterator[int]:
    number, reservation = reserve_port()
    with reservation:
        yield number


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the demo's folder, which all tests share, because filling it takes longest."""
    return tmp_path_factory.mktemp("demo") / "my instance"


@pytest.fixture
def start(programs: Programs, instance: Path, port: int) -> Iterator[Callable[..., Demo]]:
    """`start()` starts the demo in the same folder and on the same port each time."""
    demos: list[Demo] = []

    def start_demo(**environment: str) -> Demo:
        demos.append(Demo(programs, instance, port, **environment))
        return demos[-1]

    yield start_demo
    for demo in demos:
        demo.kill_what_runs()


def test_users_can_sign_in_and_the_next_start_keeps_data_and_sessions(start: Callable[..., Demo]) -> None:
    demo = start()
    printed = demo.wait_until_served()
    person = HttpBrowser(demo.port)

    assert f"http://127.0.0.1:{demo.port}" in printed
    assert re.search(r"amelia\.hart@kingstons\.example +Adviser +Amelia Hart", printed)
    assert DEMO_PASSWORD in printed
    assert person.get("/readyz")[0] == 200
    assert person.sign_in("amelia.hart@kingstons.example", DEMO_PASSWORD)[0] == 302
    status, page = person.get("/clients?q=KG00002")
    assert status == 200
    assert "Ricky Parkinson" in page

    rename_a_client(demo.instance, "Renamed by hand")
    assert len(demo.processes()) > 3  # the demo, gunicorn and its worker, PostgreSQL and its helpers
    assert demo.stop(signal.SIGINT) == 0
    assert demo.processes() == []

    demo = start()
    assert "Importing" not in demo.wait_until_served()
    status, page = person.get("/clients?q=Renamed")
    assert status == 200
    assert "Renamed by hand" in page
    assert demo.stop(signal.SIGHUP) == 0
    assert demo.processes() == []


def test_demo_leaves_a_database_alone_that_it_did_not_start(
    start: Callable[..., Demo], make_server: ServerMaker, tmp_path: Path
) -> None:
    with make_server(tmp_path / "another") as server:
        url = server.start()
        demo = start(DATABASE_URL=url)
        assert "PostgreSQL" not in demo.wait_until_served()
        demo.close_its_output()
        assert demo.stop(signal.SIGTERM) == 0
        assert demo.processes() == []
        with connect(url) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM clients")
            assert cursor.fetchone() == (250,)
        connection.close()


def test_port_in_use_is_named_in_one_line(start: Callable[..., Demo], port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        code, output = start().end()
    assert code == 1
    assert len(output.splitlines()) == 1
    assert f"PORT={port + 1}" in output


def test_unreachable_database_is_named_and_no_process_is_left_running(start: Callable[..., Demo]) -> None:
    demo = start(DATABASE_URL="postgresql://portal@127.0.0.1:1/kingston")
    code, output = demo.end()
    assert code == 1
    assert "The database does not respond" in output
    assert "Traceback" not in output
    assert demo.processes() == []


def test_server_that_does_not_start_shows_its_reason(start: Callable[..., Demo]) -> None:
    demo = start(GUNICORN_CMD_ARGS="--worker-class=unheard-of")
    code, output = demo.end()
    assert code == 1
    assert "unheard-of" in output
    assert demo.processes() == []


def rename_a_client(instance: Path, name: str) -> None:
    """Rename a client in the running demo's database, as a colleague would."""
    with EmbeddedPostgres(instance / "postgres") as server:
        connection = connect(server.start())
        with connection, connection.cursor() as cursor:
            cursor.execute("UPDATE clients SET name = %s WHERE client_ref = 'KG00001'", (name,))
        connection.close()


def connect(url: str) -> psycopg2.extensions.connection:
    return psycopg2.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))
