"""Long work lets other requests of its worker run."""

import subprocess
import sys

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
