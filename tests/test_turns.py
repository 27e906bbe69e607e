"""Long work lets other requests of its worker run."""

import subprocess
import sys

import pytest

from portal.clients.csv.files import read_records
from portal.clients.records.people_matching import COLUMNS, match_people
from portal.driver import turns

# Ends only if the other greenlet runs.
ENDLESS_WORK = """
import gevent
from portal.driver.turns import in_turns

others = []
gevent.spawn(others.append, "another request")
for _ in in_turns(iter(int, 1)):
    if others:
        break
print(*others)
"""


def test_other_greenlet_runs_during_work_that_never_waits() -> None:
    """Use another process, because an imported gevent would change how other tests hash passwords."""
    done = subprocess.run([sys.executable, "-c", ENDLESS_WORK], capture_output=True, text=True, timeout=60, check=False)

    assert (done.stdout, done.stderr) == ("another request\n", "")


def test_others_may_run_after_each_row_however_long_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """80 rows of 100,000 commas take a second of the processor."""
    looks: list[None] = []
    monkeypatch.setattr(turns, "let_others_run", lambda: looks.append(None))

    rows = list(read_records(b"a,b\n" * 80))

    assert len(looks) >= len(rows) == 80


def test_others_may_run_while_people_of_one_client_are_matched(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[None] = []
    monkeypatch.setattr(turns, "let_others_run", lambda: looks.append(None))
    person = dict.fromkeys(COLUMNS, "")

    match_people([person] * 80, [])

    assert len(looks) >= 80
