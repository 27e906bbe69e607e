"""Plain `gunicorn`, as in production: what it refuses to serve, and how it stops."""

import os
import signal
import subprocess
import sys
import time
from http.client import HTTPConnection

import pytest

from portal.config import PROJECT_ROOT
from tests.platform.programs import environment_without_settings, free_port

STRONG_KEY = "an-example-of-32-or-more-characters-0123456789"


def gunicorn(**settings: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "gunicorn"],
        cwd=PROJECT_ROOT,
        env=environment_without_settings() | {"PORTAL_HOSTS": "127.0.0.1"} | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def status_of(port: int, path: str, server: subprocess.Popen[str]) -> int:
    """The status of the answer, as soon as there is one."""
    while server.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except ConnectionRefusedError:
            os.sched_yield()
        finally:
            connection.close()
    pytest.fail(server.communicate()[0])


@pytest.mark.parametrize("key", ["", "short", "a" * 64, "ab" * 32])
def test_it_refuses_a_weak_secret_key_and_says_what_to_set(key: str) -> None:
    server = gunicorn(DATABASE_URL="postgresql://portal@/kingston", PORTAL_SECRET_KEY=key, PORT=str(free_port()))
    output = server.communicate(timeout=60)[0]
    assert server.returncode != 0
    assert "PORTAL_SECRET_KEY" in output
    assert "Traceback" not in output


def test_it_refuses_to_serve_without_a_database_url() -> None:
    server = gunicorn(PORTAL_SECRET_KEY=STRONG_KEY, PORT=str(free_port()))
    output = server.communicate(timeout=60)[0]
    assert server.returncode != 0
    assert "DATABASE_URL is not set" in output
    assert "Traceback" not in output


def test_it_serves_on_the_port_it_is_given_and_stops_in_order(database_url: str) -> None:
    port = free_port()
    server = gunicorn(DATABASE_URL=database_url, PORTAL_SECRET_KEY=STRONG_KEY, PORT=str(port))
    assert status_of(port, "/healthz", server) == 200
    assert status_of(port, "/readyz", server) == 200

    began = time.monotonic()
    server.send_signal(signal.SIGTERM)
    output = server.communicate(timeout=60)[0]
    assert server.returncode == 0, output
    assert time.monotonic() - began < 10  # gunicorn's graceful time-out: nothing had to be killed
    assert "Traceback" not in output


def test_it_refuses_a_number_of_streams_that_is_none(database_url: str) -> None:
    server = gunicorn(DATABASE_URL=database_url, PORTAL_SECRET_KEY=STRONG_KEY, PORTAL_STREAMS_PER_WORKER="many")
    output = server.communicate(timeout=60)[0]
    assert server.returncode != 0
    assert "PORTAL_STREAMS_PER_WORKER must be a whole number" in output
    assert "Traceback" not in output
