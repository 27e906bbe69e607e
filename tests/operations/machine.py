"""An empty Debian with systemd, as an operator gets it: debootstrap makes it, systemd-nspawn boots it.

It shares the network of this machine, so that it reaches Debian's packages and PyPI as this machine does, and has a
file system, accounts and processes of its own.
"""

import shutil
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest

from tests.support.debian import needs_root, program, run
from tests.support.processes import default_signals, kill
from tests.support.until import wait_until

RELEASE = "bookworm"
PORTS = (80, 443, 5432, 8001, 8002, 9090)
ENVIRONMENT = ("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8")
# How this machine reaches packages: sources, certificates, names.
WAYS = (
    *("etc/apt/apt.conf.d", "etc/apt/sources.list.d", "etc/pip.conf"),
    *("etc/ssl/certs/ca-certificates.crt", "etc/resolv.conf", "etc/hosts"),
)
BOOT = """
set -e
mount --make-rprivate /
umount --recursive /sys/fs/cgroup || true
mount -t cgroup2 none /sys/fs/cgroup
mkdir -p /sys/fs/cgroup/portal-guide
echo $$ > /sys/fs/cgroup/portal-guide/cgroup.procs
exec systemd-nspawn --directory="$1" --boot --register=no --keep-unit --link-journal=no --resolv-conf=off --console=pipe
"""
TIMEOUT_SECONDS = 900


class Machine:
    """Booted by a `with` block, and gone after it."""

    def __init__(self, folder: Path) -> None:
        needs_root()
        for port in PORTS:
            with socket.socket() as probe, suppress(ConnectionRefusedError):
                probe.connect(("127.0.0.1", port))
                pytest.skip(f"port {port} is taken")
        self.root = folder / "debian"
        self.log = folder / "log"
        packages = "systemd,systemd-sysv,dbus,ca-certificates,iproute2,procps"
        run(program("debootstrap"), "--variant=minbase", f"--include={packages}", RELEASE, self.root, timeout=600)
        for way in WAYS:
            _copy(Path("/", way), self.root / way)

    def __enter__(self) -> Self:
        program("systemd-nspawn")
        with self.log.open("wb") as log, default_signals():
            self._process = subprocess.Popen(
                ["unshare", "--mount", "sh", "-c", BOOT, "sh", self.root],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            wait_until(self._has_booted, "the machine does not boot", 60)
        except BaseException:
            kill(self._process)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(AssertionError):
            self.do("systemctl poweroff")
            self._process.wait(30)
        kill(self._process)
        shutil.rmtree(self.root)

    def do(self, script: str) -> str:
        """Run commands as root, and return what they print; fail the test at the first that fails."""
        inside = ["nsenter", f"--target={self._leader()}", "--all", "env", "--ignore-environment", *ENVIRONMENT]
        done = subprocess.run(
            [*inside, "DEBIAN_FRONTEND=noninteractive", "bash", "-c", f"set -eux\n{script}"],
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )
        assert done.returncode == 0, done.stdout[-6000:]
        return done.stdout

    def _has_booted(self) -> bool:
        assert self._process.poll() is None, self.log.read_text()
        state = ["nsenter", f"--target={self._leader()}", "--all", "systemctl", "is-system-running"]
        return bool(self._leader()) and subprocess.run(state, check=False, capture_output=True).returncode == 0

    def _leader(self) -> int:
        """The machine's process 1, as this machine sees it; 0 while there is none."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return int(children[0]) if children else 0


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    elif source.exists():
        target.unlink(missing_ok=True)
        shutil.copy(source, target)
