"""Start and end programs for tests, with a port and an environment of their own."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

from portal.config import PROJECT_ROOT

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Programs:
    """Starts programs. `close`, or the end of a `with` block, kills those that still run, with what they started.

    The fixture `programs` is closed at the end of its test.
    """

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, *command: str, **options: Any) -> "subprocess.Popen[str]":
        """Start a program in the checkout, in a session of its own; `options` are those of `subprocess.Popen`."""
        with default_signals():
            process = subprocess.Popen(
                command, **{"cwd": PROJECT_ROOT, "text": True, "start_new_session": True, **options}
            )
        self._started.append(process)
        return process

    def close(self) -> None:
        for process in self._started:
            kill(process)


class Port(NamedTuple):
    """A TCP port of this machine, reserved for as long as `reservation` is open."""

    number: int
    reservation: socket.socket


def kill(process: "subprocess.Popen[Any]") -> None:
    """End a program that leads a session, and every process of its group; wait, and close its pipes."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(BrokenPipeError):  # written and not read yet
                pipe.close()
    process.wait()


def is_running(pid: int) -> bool:
    """Return whether the process runs. A zombie does not."""
    try:
        os.kill(pid, 0)
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except ProcessLookupError:
        return False
    except FileNotFoundError:  # gone in between, or a system without /proc
        return not Path("/proc/self").exists()


@contextmanager
def default_signals() -> Iterator[None]:
    """Let the programs started in this block react to signals, though the tests themselves ignore some.

    What a CI runner, a script's background job or nohup starts inherits ignored signals, and so would its own children.
    A handler does not outlive exec, so the program starts with the default.
    """
    ignored = [number for number in ENDING_SIGNALS if signal.getsignal(number) == signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, lambda *_: None)
    try:
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)


def reserve_port() -> Port:
    """Reserve a port that no other program gets.

    The reservation is bound and does not listen: on Linux a server that sets SO_REUSEADDR can still listen there, and
    without one connections are refused. Elsewhere two sockets cannot share a port, so the reservation ends at once.
    """
    reservation = socket.socket()
    reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reservation.bind(("127.0.0.1", 0))
    number = int(reservation.getsockname()[1])
    if sys.platform != "linux":
        reservation.close()
    return Port(number, reservation)


def accepts_connections(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def environment_without_settings() -> dict[str, str]:
    """Return the environment without settings of the portal and gunicorn."""
    settings = ("PORTAL_", "DATABASE_URL", "PORT", "WEB_CONCURRENCY", "GUNICORN_")
    return {name: value for name, value in os.environ.items() if not name.startswith(settings)}
