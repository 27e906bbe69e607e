"""A host in a network of its own, at the other end of a cable that can be cut without a word: root and Linux's `ip`."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.debian import needs_root, program, run


class Cable:
    """Between this machine and a host's network namespace; removed at the end of a `with` block."""

    def __init__(self, number: int) -> None:
        needs_root()
        self._ip = program("ip")
        self.network = f"kp-db{number}-{os.getpid()}"
        self.address = f"10.{231 + number}.{os.getpid() % 250}.2"
        self._near_address = f"10.{231 + number}.{os.getpid() % 250}.1"
        self._near, self._far = f"kp{os.getpid()}n{number}", f"kp{os.getpid()}f{number}"

    def __enter__(self) -> "Cable":
        added = subprocess.run([self._ip, "netns", "add", self.network], check=False, capture_output=True, text=True)
        if added.returncode != 0:
            pytest.skip(f"networks cannot be made here: {added.stderr}")
        self._tell("link", "add", self._near, "type", "veth", "peer", "name", self._far, "netns", self.network)
        self._tell("addr", "add", f"{self._near_address}/24", "dev", self._near)
        self._tell("-n", self.network, "addr", "add", f"{self.address}/24", "dev", self._far)
        self._tell("-n", self.network, "link", "set", "lo", "up")
        self._tell("link", "set", self._near, "up")
        self.mend()
        # Without a fixed neighbour the kernel finds out by itself that nobody is there, as behind a router it cannot.
        hardware = self._tell("-n", self.network, "-o", "link", "show", self._far).split("link/ether ")[1].split()[0]
        self._tell("neigh", "replace", self.address, "lladdr", hardware, "dev", self._near, "nud", "permanent")
        return self

    def __exit__(self, *_: object) -> None:
        self._tell("netns", "delete", self.network)

    def cut(self) -> None:
        """What is sent from now on arrives nowhere, and nobody is told."""
        self._tell("-n", self.network, "link", "set", self._far, "down")

    def mend(self) -> None:
        self._tell("-n", self.network, "link", "set", self._far, "up")

    def _tell(self, *arguments: str) -> str:
        return run(self._ip, *arguments).stdout


@contextmanager
def cables(count: int) -> Iterator[list[Cable]]:
    """So many hosts."""
    made = [Cable(number) for number in range(count)]
    entered = []
    try:
        for cable in made:
            entered.append(cable.__enter__())
        yield entered
    finally:
        for cable in entered:
            cable.__exit__()
