"""Plain `gunicorn`, as in production: what it refuses to serve, and how it stops."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPConnection

import pytest

from tests.support.processes import Port, Programs, environment_without_settings, reserve_port

STRONG_KEY = "an-example-of-32-or-more-characters-0123456789"
Gunicorn = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def port() -> Iterator[Port]:
    port = reserve_port()
    with port.reservation:
        yield port


@pytest.fixture
def gunicorn(programs: Programs, port: Port) -> Gunicorn:
    """`gunicorn(PORTAL_SECRET_KEY="…")` starts it with these settings."""

    def start(**settings: str) -> "subprocess.Popen[str]":
        own = {"PORTAL_HOSTS": "127.0.0.1", "PORT": str(port.number)}
        environment = environment_without_settings() | own | settings
        output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return programs.start(sys.executable, "-m", "gunicorn", env=environment, **output)

    return start


def status_of(port: Port, path: str, server: "subprocess.Popen[str]") -> int:
    """The status of the answer, as soon as there is one."""
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


@pytest.mark.parametrize("key", ["", "short", "a" * 64, "ab" * 32])
def test_it_refuses_a_weak_secret_key_and_says_what_to_set(gunicorn: Gunicorn, key: str) -> None:
    server = gunicorn(DATABASE_URL="postgresql://portal@/kingston", PORTAL_SECRET_KEY=key)
    output = server.communicate(timeout=60)[0]
    assert server.returncode != 0
    assert "PORTAL_SECRET_KEY" in output
    assert "Traceback" not in output


def test_it_refuses_to_serve_without_a_database_url(gunicorn: Gunicorn) -> None:
    server = gunicorn(PORTAL_SECRET_KEY=STRONG_KEY)
    output = server.communicate(timeout=60)[0]
    assert server.returncode != 0
    assert "DATABASE_URL is not set" in output
    assert "Traceback" not in output


def test_it_serves_on_the_port_it_is_given_and_stops_in_order(
    gunicorn: Gunicorn, port: Port, database_url: str
) -> None:
    server = gunicorn(DATABASE_URL=database_url, PORTAL_SECRET_KEY=STRONG_KEY)
    assert status_of(port, "/healthz", server) == 200
    assert status_of(port, "/readyz", server) == 200

    server.send_signal(signal.SIGTERM)
    output = server.communicate(timeout=60)[0]
    assert server.returncode == 0, output
    assert "Worker graceful timeout" not in output
    assert "Traceback" not in output


def test_it_refuses_a_number_of_streams_that_is_none(gunicorn: Gunicorn, database_url: str) -> None:
    server = gunicorn(DATABASE_URL=database_url, PORTAL_SECRET_KEY=STRONG_KEY, PORTAL_STREAMS_PER_WORKER="many")
    output = server.communicate(timeout=60)[0]
    assert server.returncode != 0
    assert "PORTAL_STREAMS_PER_WORKER must be a whole number" in output
    assert "Traceback" not in output
