"""Start and stop the two servers that are compared, each with two workers."""

import hashlib
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

PROJECT_ROOT = Path(__file__).resolve().parent.parent
REFERENCE = Path(__file__).resolve().parent / "reference"
WORK = PROJECT_ROOT / "instance" / "bench"  # logs, results and the installed reference
WORKERS = 2
START_TIMEOUT_SECONDS = 30
STOP_TIMEOUT_SECONDS = 15


class Server:
    """A server process with its workers, which runs within a `with` block."""

    def __init__(self, name: str, command: list[str], environ: Mapping[str, str], port: int, ready_path: str) -> None:
        self.name = name
        self.port = port
        self._command = command
        self._environ = environ
        self._ready_url = f"http://127.0.0.1:{port}{ready_path}"
        self._log = Path(environ["BENCH_LOG"])

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=PROJECT_ROOT,
                env={**_without_settings(os.environ), **self._environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            with suppress(OSError, urllib.error.URLError), urllib.request.urlopen(self._ready_url, timeout=5):  # noqa: S310
                return
            time.sleep(0.1)
        tail = self._log.read_text(errors="replace")[-3000:]
        raise RuntimeError(f"The {self.name} did not start. The end of {self._log}:\n{tail}")


def portal(environ: Mapping[str, str], work: Path) -> Server:
    """Return the portal as in production: gunicorn with gunicorn.conf.py."""
    port = _free_port()
    environ = {
        **environ,
        "PORT": str(port),
        "WEB_CONCURRENCY": str(WORKERS),
        "BENCH_LOG": str(work / "portal.log"),
    }
    return Server("portal", [sys.executable, "-m", "portal.serve"], environ, port, "/readyz")


def reference(database_url: str, secret_key: str, work: Path) -> Server:
    """Return the reference of bench/reference, in the virtual environment of `install_reference`."""
    port = _free_port()
    command = [str(reference_python(work)), "-m", "uvicorn", "bench.reference.app:app", "--port", str(port)]
    command += ["--workers", str(WORKERS), "--no-access-log", "--log-level", "warning"]
    environ = {
        "REFERENCE_DATABASE_URL": database_url,
        "REFERENCE_SECRET_KEY": secret_key,
        "BENCH_LOG": str(work / "reference.log"),
    }
    return Server("reference", command, environ, port, "/openapi.json")


def install_reference(work: Path) -> None:
    """Create the reference's virtual environment, unless the existing one has the same requirements."""
    requirements = REFERENCE / "requirements.txt"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    stamp = work / "reference-venv" / "requirements.sha256"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(stamp.parent)], check=True)
    pip = [str(reference_python(work)), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(requirements)], check=True)
    stamp.write_text(wanted)


def reference_python(work: Path) -> Path:
    return work / "reference-venv" / "bin" / "python"


def cpu_seconds_below(pid: int) -> float:
    """Return the CPU time of a process and its living descendants; 0 on systems without /proc."""
    parents = {child: parent for child, parent, _ in _processes()}
    return sum(seconds for child, _, seconds in _processes() if _is_below(child, pid, parents))


def memory_kb_below(pid: int) -> int:
    """Return the resident memory of a process's living descendants in KB; 0 on systems without /proc."""
    parents = {child: parent for child, parent, _ in _processes()}
    return sum(_resident_kb(child) for child in parents if child != pid and _is_below(child, pid, parents))


def _resident_kb(pid: int) -> int:
    with suppress(OSError):
        found = re.search(r"^VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
        return int(found[1]) if found else 0
    return 0


def _is_below(child: int, pid: int, parents: Mapping[int, int]) -> bool:
    while child and child != pid:
        child = parents.get(child, 0)
    return child == pid


def _processes() -> Iterable[tuple[int, int, float]]:
    """Return (pid, parent, CPU seconds) of every process, from /proc."""
    ticks = os.sysconf("SC_CLK_TCK")
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # The name, in brackets, can contain blanks and brackets. The numbered fields follow it.
            fields = stat.read_text().rpartition(")")[2].split()
            yield int(stat.parent.name), int(fields[1]), (int(fields[11]) + int(fields[12])) / ticks


def _without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without settings of another portal."""
    prefixes = ("PORTAL_", "FLASK_", "GUNICORN_", "WEB_CONCURRENCY", "DATABASE_URL")
    return {name: value for name, value in environ.items() if not name.startswith(prefixes)}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
