"""Logs: one JSON object a line, so that no name or note can forge one."""

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta

import pytest

from portal.config import PROJECT_ROOT
from portal.monitoring.logs import discreet

SCRIPT = """
import logging
from pathlib import Path
from portal.config import Settings
from portal.monitoring.logs import init_logs
init_logs(Settings(secret_key="k", database_url="x", instance=Path("."), log_level="INFO"{more}))
logging.getLogger("portal.jobs").info("deleted %s", 'two\\nlines "quoted" \\x1b[2J')
logging.getLogger("portal").debug("not shown")
logging.getLogger("apscheduler.executors").info("not shown")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("portal").exception("failed")
"""


def lines(more: str = "") -> list[str]:
    script = SCRIPT.replace("{more}", more)
    environ = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environ, check=True)
    return done.stderr.splitlines()


def test_each_event_is_one_json_object_on_one_line() -> None:
    deleted, failed = map(json.loads, lines())

    assert deleted["message"] == 'deleted two\nlines "quoted" \x1b[2J'
    assert (deleted["level"], deleted["logger"]) == ("INFO", "portal.jobs")
    assert datetime.fromisoformat(deleted["at"]).utcoffset() == timedelta(0)
    assert (failed["message"], "ZeroDivisionError" in failed["exc_info"]) == ("failed", True)


@pytest.mark.parametrize("more", [", is_command=True"])
def test_command_shows_warnings_as_text(more: str) -> None:
    assert lines(more)[0] == "ERROR portal: failed"


@pytest.mark.parametrize(
    "text",
    [
        'duplicate key value violates unique constraint "x"\nDETAIL:  Key (email)=(MARKER) already exists.\n',
        'new row violates check constraint "role"\nDETAIL:  Failing row contains (1, MARKER, MARKER).',
        "invalid input syntax for type date: \"MARKER\"\nLINE 1: SELECT 'MARKER'::date\n               ^\n",
        'value "MARKER" is out of range for type integer: MARKER',
    ],
)
def test_row_values_quoted_by_postgresql_are_not_logged(text: str) -> None:
    kept = discreet(f"Traceback (most recent call last):\n  File x\npsycopg2.errors.Whatever: {text}\nafterwards")

    assert "MARKER" not in kept
    assert kept.startswith("Traceback (most recent call last):\n  File x\npsycopg2.errors.Whatever: ")
    assert kept.endswith("afterwards")
