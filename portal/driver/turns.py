"""Let the other requests of a worker run during long work of the processor."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

TURN_SECONDS = 0.02
# Longer than 0, so that the worker also looks for new connections and responses of the database.
PAUSE_SECONDS = 0.001

_turn_began = 0.0


def let_others_run() -> None:
    """Give way if this worker has computed for TURN_SECONDS.

    Under gevent a request that computes stops all others of its worker. Does nothing elsewhere.
    """
    global _turn_began  # noqa: PLW0603 - one request of a worker computes at a time
    gevent = sys.modules.get("gevent")
    if gevent is not None and time.monotonic() - _turn_began > TURN_SECONDS:
        gevent.sleep(PAUSE_SECONDS)
        _turn_began = time.monotonic()


def in_turns(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the items, and let other requests run in between. One item may take long: a row has many cells."""
    for item in items:
        let_others_run()
        yield item
