"""Bounded lanes before what a try to sign in costs: its database connection, and the hash of its password.

Each worker has its own. Nobody waits without a place in a lane, and one address or profile has few of the places: a
flood of tries is turned away before it costs a statement. Strangers have a lane of their own, so that however many
addresses they come from, they take no place from people whose browser is known or who are signed in.
"""

import functools
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from portal.errors import ServiceBusy, TooManyAttempts

MAX_IN_LANE = 16
MAX_IN_LANE_OF_ONE = 4
RETRY_AFTER_SECONDS = 2
MAX_WAIT_SECONDS = 5.0
BUSY = "Too many people are signing in just now. Please try again in a moment."
_T = TypeVar("_T")


class Lane:
    """At most MAX_IN_LANE tries, at most MAX_IN_LANE_OF_ONE of one name, one of them at a time in `hash_in_turn`."""

    def __init__(self, *, niceness: int = 0) -> None:
        self._niceness = niceness
        self._tries: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._hashing = threading.Lock()

    @contextmanager
    def place(self, name: str) -> Iterator[None]:
        """Hold a place for the block. Raises TooManyAttempts (429) where `name` has its share, ServiceBusy (503)."""
        with self._lock:
            if self._tries[name] >= MAX_IN_LANE_OF_ONE:
                raise TooManyAttempts(RETRY_AFTER_SECONDS)
            if self._tries.total() >= MAX_IN_LANE:
                raise ServiceBusy(BUSY)
            self._tries[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._tries[name] -= 1
                self._tries += Counter()  # keeps the names that still have a place

    def hash_in_turn(self, work: Callable[[], _T]) -> _T:
        """Do the work, one at a time, while the other requests of the worker go on. Raises ServiceBusy (503)."""
        if not self._hashing.acquire(timeout=MAX_WAIT_SECONDS):
            raise ServiceBusy(BUSY)
        try:
            return self._in_real_thread(work) if _is_gevent_worker() else work()
        finally:
            self._hashing.release()

    def _in_real_thread(self, work: Callable[[], _T]) -> _T:
        result: _T = self._thread.apply(self._nicely, (work,))
        return result

    @functools.cached_property
    def _thread(self) -> Any:
        from gevent.threadpool import ThreadPool  # noqa: PLC0415  # only where a gevent worker has loaded it

        return ThreadPool(1)

    def _nicely(self, work: Callable[[], _T]) -> _T:
        """On Linux a thread has a priority of its own, and those that argon2 starts for its lanes inherit it."""
        if self._niceness and sys.platform == "linux":
            of_the_worker = os.getpriority(os.PRIO_PROCESS, os.getpid())
            os.setpriority(os.PRIO_PROCESS, 0, of_the_worker + self._niceness)
        return work()


def _is_gevent_worker() -> bool:
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and monkey.is_module_patched("threading")


STRANGERS = Lane(niceness=10)
KNOWN = Lane()
CODES = Lane()
