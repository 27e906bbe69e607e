"""Test the scripts of tools/ that provide programs for tests."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from portal.config import PROJECT_ROOT

UNAVAILABLE = 69  # EX_UNAVAILABLE of sysexits.h


@pytest.fixture
def path_without_apt(tmp_path: Path) -> str:
    """Return a PATH with nothing but what the scripts themselves run, as on a system that is not Debian."""
    for name in ("bash", "dirname", "id"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    return str(tmp_path)


def run(script: str, path: str) -> "subprocess.CompletedProcess[str]":
    command = [str(PROJECT_ROOT / "tools" / script)]
    return subprocess.run(command, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False)


def test_missing_browsers_are_named_with_their_packages_and_fail(path_without_apt: str) -> None:
    done = run("engines", path_without_apt)

    assert done.returncode == UNAVAILABLE
    assert done.stdout.startswith("These programs are missing: firefox-esr WebKitWebDriver Xvfb")
    assert "On Debian: sudo apt-get install --no-install-recommends firefox-esr webkit2gtk-driver xvfb" in done.stdout


def test_missing_programs_of_deployment_are_named_and_their_tests_skipped(path_without_apt: str) -> None:
    done = run("operations", path_without_apt)

    assert done.returncode == 0
    assert "promtool" in done.stdout
    assert done.stdout.endswith("The tests that need them are skipped.\n")
