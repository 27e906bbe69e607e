"""docs/scaling.md names commands that are there, and tells of what they measure."""

import re
import sys

import pytest

from portal.config import PROJECT_ROOT
from tests.support.debian import run

pytestmark = pytest.mark.operations

PAGE = (PROJECT_ROOT / "docs" / "scaling.md").read_text()


def test_its_command_measures_every_call_of_its_table() -> None:
    [command] = re.findall(r"`python -m (bench\.ceilings) --seconds 4`", PAGE)
    said = run(sys.executable, "-m", command, "--seconds", "4", cwd=PROJECT_ROOT, timeout=500).stdout
    table = PAGE[PAGE.index("| call |") : PAGE.index("| NOTIFY")]
    calls = re.findall(r"^\| ([a-z][^|]+) \| \d", table, re.MULTILINE)

    assert len(calls) == 6
    rates = {call: int(re.findall(rf"^{call} +([\d,]+) ", said, re.MULTILINE)[0].replace(",", "")) for call in calls}
    assert min(rates.values()) > 0
    assert len(re.findall(r"^NOTIFYs of .* transactions a second$", said, re.MULTILINE)) == 3
    assert {line.split()[-1] for line in said.splitlines()[1:7]} == {"0"}  # none failed


def test_its_arithmetic_is_right() -> None:
    """The rates follow from what is assumed of each person, and the cores from the CPU per call."""
    cpu = {
        call: (int(server.replace(",", "")), int(postgres.replace(",", "")))
        for call, server, postgres in re.findall(
            r"^\| ([a-z, ]+) \| [\d,]+ \| [\d,]+ ms \| ([\d,]+) µs \| ([\d,]+) µs \|$", PAGE, re.MULTILINE
        )
    }
    rows = re.findall(
        r"^\| ([\d,]+0) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|", PAGE, re.MULTILINE
    )

    assert len(rows) == 4
    for row in rows:
        people, heartbeats, reads, saves, notifications, servers, postgres = (
            int(cell.replace(",", "")) for cell in row
        )
        rates = {
            "heartbeats": people / 30,
            "client pages": people / 120,
            "client list": people / 600,
            "searches": people / 600,
            "saves, each of another client": people / 600,
        }
        assert heartbeats == round(rates["heartbeats"])
        assert reads == round(rates["client pages"] + rates["client list"] + rates["searches"])
        assert saves == round(people / 600)
        assert notifications == people // 50
        for cores, of in ((servers, 0), (postgres, 1)):
            needed = 2 * sum(rate * cpu[call][of] for call, rate in rates.items()) / 1e6
            assert cores == max(1, round(needed)), (people, needed)
