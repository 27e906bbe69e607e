"""Debian's programs, and the files of deploy/ changed only in what a test run must change: ports and folders."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from portal.config import PROJECT_ROOT

DEPLOY = PROJECT_ROOT / "deploy"
SYSTEM_FOLDERS = "/usr/sbin:/sbin"


def program(name: str) -> str:
    """Return the path of a program that tools/operations or tools/engines installs; skip the test without it."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:{SYSTEM_FOLDERS}")
    if found is None:
        pytest.skip(f"{name} is missing: tools/operations and tools/engines name the packages")
    return found


def needs_root() -> None:
    """Skip the test for any other user."""
    if os.geteuid() != 0:
        pytest.skip("takes root")


def run(*command: str | Path, **options: object) -> "subprocess.CompletedProcess[str]":
    """Run a program and fail the test, with all that the program said, unless it succeeds."""
    done = subprocess.run(
        [*map(str, command)], check=False, capture_output=True, text=True, **{"timeout": 120, **options}
    )  # type: ignore[call-overload]
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done  # type: ignore[no-any-return]


def edited(source: Path, changes: Mapping[str, str]) -> str:
    """Return the text of a file with each of these pieces replaced. A piece that is not there fails the test."""
    text = source.read_text()
    for old, new in changes.items():
        assert old in text, f"{old!r} is not in {source}"
        text = text.replace(old, new)
    return text
