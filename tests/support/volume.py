"""How much the longest tests try: a part in `make test`, all of it in `make test-all`, which sets TEST_VOLUME=full."""

import os

IS_FULL = os.environ.get("TEST_VOLUME") == "full"


def volume(part: int, full: int) -> int:
    """How many edits, streams or examples this run is to try."""
    return full if IS_FULL else part
