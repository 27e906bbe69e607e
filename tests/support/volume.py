"""The number of attempts of the longest tests: a part in `make test`, all in `make test-all` (TEST_VOLUME=full)."""

import os

IS_FULL = os.environ.get("TEST_VOLUME") == "full"


def volume(part: int, full: int) -> int:
    """Return the number of edits, streams or examples of this run."""
    return full if IS_FULL else part
