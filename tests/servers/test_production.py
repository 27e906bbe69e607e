"""Test the documented start command as in production: what it refuses to start with, and how it stops."""

import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest

from portal.config import PROJECT_ROOT
from tests.support.processes import Port, Programs, environment_without_settings, reserve_port

STRONG_KEY = "an-example-of-32-or-more-characters-0123456789"
START_COMMAND = ["python", "-m", "portal.serve"]
Server = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def port() -> Iterator[Port]:
    port = reserve_port()
    with port.reservation:
        yield port


@pytest.fixture
def start(programs: Programs, port: Port) -> Server:
    """Return `start(PORTAL_SECRET_KEY="…")`, which starts a server with these settings."""

    def start_server(**settings: str) -> "subprocess.Popen[str]":
        own = {"PORTAL_ALLOWED_HOSTS": "127.0.0.1", "PORT": str(port.number)}
        environment = environment_without_settings() | own | settings
        output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return programs.start(sys.executable, *START_COMMAND[1:], env=environment, **output)

    return start_server


def status_of(port: Port, path: str, server: "subprocess.Popen[str]") -> int:
    """Return the status of the first response."""
    while server.poll() is None:
        connection = HTTPConnection("127.0.0.1", port.number, timeout=30)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except ConnectionRefusedError:
            with suppress(subprocess.TimeoutExpired):
                server.wait(0.05)
        finally:
            connection.close()
    pytest.fail(server.communicate()[0])


def test_server_rejects_a_weak_secret_key_and_names_the_setting(start: Server) -> None:
    """Other weak keys are in tests/test_config.py."""
    server = start(DATABASE_URL="postgresql://portal@/kingston", PORTAL_SECRET_KEY="a" * 64)
    output = server.communicate(timeout=60)[0]
    assert server.returncode != 0
    assert "PORTAL_SECRET_KEY" in output
    assert "Traceback" not in output


def test_server_does_not_start_without_a_database_url(start: Server) -> None:
    server = start(PORTAL_SECRET_KEY=STRONG_KEY)
    output = server.communicate(timeout=60)[0]
    assert server.returncode != 0
    assert "DATABASE_URL is not set" in output
    assert "Traceback" not in output


def test_server_uses_the_given_port_and_the_default_workers_and_stops_in_order(
    start: Server, port: Port, database_url: str
) -> None:
    server = start(DATABASE_URL=database_url, PORTAL_SECRET_KEY=STRONG_KEY, WEB_CONCURRENCY="")
    assert status_of(port, "/healthz", server) == 200
    assert status_of(port, "/readyz", server) == 200

    server.send_signal(signal.SIGTERM)
    output = server.communicate(timeout=60)[0]
    assert server.returncode == 0, output
    assert "Worker graceful timeout" not in output
    assert "Traceback" not in output


@pytest.mark.skipif(sys.platform != "linux", reason="holds the server in the middle of its start as only Linux can")
def test_connection_during_a_start_is_refused_and_not_reset(
    start: Server, port: Port, database_url: str, tmp_path: Path
) -> None:
    """A proxy does not repeat a save after a connection reset. The test stops gunicorn after it creates its sockets."""
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        fill(address)
        settings = {"DATABASE_URL": database_url, "PORTAL_SECRET_KEY": STRONG_KEY, "WEB_CONCURRENCY": "1"}
        server = start(**settings, NOTIFY_SOCKET=address)
        assert server.stdout is not None
        for line in server.stdout:
            if "Listening at" in line:
                break
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port.number))
        while b"READY=1" not in systemd.recv(100):
            pass
    assert status_of(port, "/healthz", server) == 200


def fill(address: str) -> None:
    """Send datagrams until the receiver's queue is full, so that the next sender waits."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender, suppress(BlockingIOError):
        sender.setblocking(False)
        while True:
            sender.sendto(b"full", address)


def test_server_rejects_an_invalid_number_of_streams(start: Server, database_url: str) -> None:
    server = start(DATABASE_URL=database_url, PORTAL_SECRET_KEY=STRONG_KEY, PORTAL_STREAMS_PER_WORKER="many")
    output = server.communicate(timeout=60)[0]
    assert server.returncode != 0
    assert "PORTAL_STREAMS_PER_WORKER must be a whole number" in output
    assert "Traceback" not in output


def test_invalid_worker_count_ends_the_start_with_one_line(start: Server, database_url: str) -> None:
    """gunicorn reads WEB_CONCURRENCY during its import, and would print a traceback. Other values: test_config.py."""
    server = start(DATABASE_URL=database_url, PORTAL_SECRET_KEY=STRONG_KEY, WEB_CONCURRENCY="2.5")
    output = server.communicate(timeout=60)[0]
    assert server.returncode == 1
    assert output == "WEB_CONCURRENCY must be a whole number from 1 to 999999; it is '2.5'.\n"


def test_every_document_and_deployment_file_names_the_same_start_command() -> None:
    named = {
        "README.md": r"^ +\.venv/bin/(python -m \S+) +# reads gunicorn\.conf\.py",
        "deploy/systemd/portal@.service": r"^ExecStart=/opt/portal/current/\.venv/bin/(.+)$",
        "deploy/Dockerfile": r"^CMD \[(.+)\]$",
    }
    for path, pattern in named.items():
        [command] = re.findall(pattern, (PROJECT_ROOT / path).read_text(), re.MULTILINE)
        assert shlex.split(command.replace(",", " ")) == START_COMMAND, path
