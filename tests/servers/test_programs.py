"""Test how tests start programs: as from a terminal, and so that none remains."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import Programs, is_running, reserve_port
from tests.support.until import wait_until

TESTS = Path(__file__).parents[1]
WAITS_FOR_A_CHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
child.wait()
"""


@pytest.fixture(params=[signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
def ignored(request: pytest.FixtureRequest) -> Iterator[signal.Signals]:
    """Ignore a signal during the test, as a process does that nohup or a script's background job starts."""
    before = signal.signal(request.param, signal.SIG_IGN)
    yield request.param
    signal.signal(request.param, before)


def test_program_started_while_a_signal_is_ignored_is_ended_by_it(programs: Programs, ignored: signal.Signals) -> None:
    process = programs.start("sleep", "600")
    process.send_signal(ignored)

    assert process.wait(20) == -ignored
    assert signal.getsignal(ignored) == signal.SIG_IGN


def test_program_that_has_not_ended_is_killed_with_what_it_started() -> None:
    programs = Programs()
    process = programs.start(sys.executable, "-c", WAITS_FOR_A_CHILD, stdout=subprocess.PIPE)
    assert process.stdout is not None
    child = int(process.stdout.readline())

    programs.close()

    assert process.returncode == -signal.SIGKILL
    wait_until(lambda: not is_running(child), "the child still runs")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere two sockets cannot share a port")
def test_reserved_port_serves_its_server_and_refuses_while_there_is_none() -> None:
    port = reserve_port()
    address = ("127.0.0.1", port.number)
    with port.reservation:
        with socket.create_server(address), socket.create_connection(address, timeout=20):
            pass
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, timeout=20)
        others = [reserve_port() for _ in range(200)]
        assert port.number not in {other.number for other in others}
        for other in others:
            other.reservation.close()


def test_every_file_that_starts_programs_by_itself_gives_them_default_signals_and_kills_them() -> None:
    """`subprocess.run` waits for its program."""
    texts = {path.relative_to(TESTS).as_posix(): path.read_text() for path in TESTS.rglob("*.py")}
    starting = {path for path, text in texts.items() if "subprocess.Popen(" in text}
    assert {"support/processes.py", "support/server.py"} <= starting
    careless = {path for path in starting if "default_signals()" not in texts[path] or "kill(" not in texts[path]}
    assert careless == set()
