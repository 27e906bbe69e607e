"""Wait for a condition instead of a time."""

import time
from collections.abc import Callable

POLL_SECONDS = 0.01
PATIENCE_SECONDS = 20  # never used up, unless a test fails


def wait_until(is_so: Callable[[], object], otherwise: str, within_seconds: float = PATIENCE_SECONDS) -> None:
    """Return when `is_so()` is true. Fail with `otherwise` when it is not true in time."""
    deadline = time.monotonic() + within_seconds
    while not is_so():
        assert time.monotonic() < deadline, otherwise
        time.sleep(POLL_SECONDS)
