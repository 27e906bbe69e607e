"""Print page notifications with `flask presence watch`."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from portal.config import PROJECT_ROOT
from tests.support.cast import Cast
from tests.support.processes import Programs, environment_without_settings
from tests.support.test_client import Visitor

Visit = type[Visitor]
Watch = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def watch(programs: Programs, database_url: str) -> Watch:
    """`watch("--page", "client-1")` starts the command and waits until it listens."""

    def start(*arguments: str) -> "subprocess.Popen[str]":
        environment = environment_without_settings() | {"DATABASE_URL": database_url, "PYTHONUNBUFFERED": "1"}
        command = (sys.executable, "-m", "flask", "presence", "watch", *arguments)
        process = programs.start(*command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stderr is not None
        assert process.stderr.readline() == "Watching. Press Ctrl-C to stop.\n"
        return process

    return start


def next_line(process: "subprocess.Popen[str]") -> list[str]:
    """Return the next line without its time."""
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n").split("\t")[1:]


def test_each_notification_is_printed_until_ctrl_c(
    visit: Visit, cast: Cast, page_identifier: str, watch: Watch
) -> None:
    process = watch()
    amelia = visit(cast.amelia)
    amelia.beat(page_identifier, tab_id="t", waiting=True)
    assert next_line(process) == ["roster", page_identifier]
    amelia.post(f"/user_page_presence/{page_identifier}/nudge", json={"tab_id": "t"})
    assert next_line(process) == ["nudge", page_identifier, f"profile {cast.amelia.id}"]
    amelia.post("/sign-out")
    assert next_line(process) == ["roster", page_identifier]
    assert next_line(process) == ["signed-out", "", f"profile {cast.amelia.id}"]

    os.kill(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, errors) == (0, "", "Stopped.\n")


def test_page_option_prints_notifications_of_one_page(
    visit: Visit, cast: Cast, page_identifier: str, watch: Watch
) -> None:
    process = watch("--page", page_identifier)
    visit(cast.amelia).delete("/user_page_presence")
    visit(cast.amelia).beat("client-999999")
    visit(cast.daniel).beat(page_identifier)
    assert next_line(process) == ["roster", page_identifier]


def test_database_outage_is_reported_in_one_line() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "flask", "presence", "watch"],
        cwd=PROJECT_ROOT,
        env=environment_without_settings() | {"DATABASE_URL": "postgresql:///nowhere?host=/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert run.stderr.startswith("Error: ")
    assert "Traceback" not in run.stderr
