"""Limit concurrent sign-in attempts before they use a database connection or hash a password.

Each worker has its own queues. An attempt needs a slot in a queue, and one address or profile gets few of the slots. A
flood of attempts is therefore rejected before it executes a statement. Attempts from unknown browsers have a separate
queue, so they cannot take slots from trusted browsers or signed-in users.
"""

import functools
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from portal.errors import ServiceBusy, TooManyAttempts

if TYPE_CHECKING:
    from gevent.threadpool import ThreadPool

MAX_ATTEMPTS = 16
MAX_ATTEMPTS_PER_NAME = 4
RETRY_AFTER_SECONDS = 2
MAX_WAIT_SECONDS = 5.0
BUSY_MESSAGE = "Too many people are signing in. Try again in a moment."
_T = TypeVar("_T")


class AttemptQueue:
    """A queue with MAX_ATTEMPTS slots, at most MAX_ATTEMPTS_PER_NAME of them for one name."""

    def __init__(self, *, niceness: int = 0) -> None:
        self._niceness = niceness
        self._attempts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._hashing = threading.Lock()

    @contextmanager
    def slot(self, name: str) -> Iterator[None]:
        """Hold a slot for the duration of the block.

        Raises TooManyAttempts (429) if `name` holds all its slots, ServiceBusy (503) if the queue is full.
        """
        with self._lock:
            if self._attempts[name] >= MAX_ATTEMPTS_PER_NAME:
                raise TooManyAttempts(RETRY_AFTER_SECONDS)
            if self._attempts.total() >= MAX_ATTEMPTS:
                raise ServiceBusy(BUSY_MESSAGE)
            self._attempts[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._attempts[name] -= 1
                self._attempts += Counter()  # drops names without a slot

    def run_one_at_a_time(self, task: Callable[[], _T]) -> _T:
        """Run the task, one at a time for this queue, without blocking other requests. Raises ServiceBusy (503)."""
        if not self._hashing.acquire(timeout=MAX_WAIT_SECONDS):
            raise ServiceBusy(BUSY_MESSAGE)
        try:
            return self._in_real_thread(task) if _is_gevent_worker() else task()
        finally:
            self._hashing.release()

    def _in_real_thread(self, task: Callable[[], _T]) -> _T:
        result: _T = self._thread.apply(self._run_with_niceness, (task,))
        return result

    @functools.cached_property
    def _thread(self) -> "ThreadPool":
        from gevent.threadpool import ThreadPool  # noqa: PLC0415  # gevent is optional: only its workers load it

        return ThreadPool(1)

    def _run_with_niceness(self, task: Callable[[], _T]) -> _T:
        """Run the task with a lower priority. On Linux each thread has its own, and argon2's threads inherit it."""
        if self._niceness and sys.platform == "linux":
            worker_niceness = os.getpriority(os.PRIO_PROCESS, os.getpid())
            os.setpriority(os.PRIO_PROCESS, 0, worker_niceness + self._niceness)
        return task()


def _is_gevent_worker() -> bool:
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and monkey.is_module_patched("threading")


UNKNOWN_BROWSERS = AttemptQueue(niceness=10)
TRUSTED_BROWSERS = AttemptQueue()
CODES = AttemptQueue()
