"""Decide when a page is due to be read, and how long the hub waits without the database.

A page is due after a change, soon after the previous reading, and at regular intervals.
Pure: the time is an argument, in seconds of any monotonic clock.
"""

import heapq

# Changes within this time of a reading share the next one; a single change does not wait.
COALESCE_SECONDS = 0.1
# The interval without changes. It detects expired sign-in sessions and recovers lost notifications.
MAX_READ_INTERVAL_SECONDS = 20
MAX_PAUSE_SECONDS = 15  # between two attempts to reach the database


class Schedule:
    """The times at which the pages of a process are due."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}
        self._read_at: dict[str, float] = {}
        self._queue: list[tuple[float, str]] = []  # includes outdated entries: those that differ from _due

    def mark_changed(self, page: str, now: float) -> None:
        """Make the page due, because it has changed."""
        self._plan(page, max(now, self._read_at.get(page, float("-inf")) + COALESCE_SECONDS))

    def mark_read(self, page: str, now: float, changes_in_seconds: float) -> None:
        """Record a reading. The page is due again at the regular interval, or when its roster changes by itself."""
        self._read_at[page] = now
        self._plan(page, now + max(COALESCE_SECONDS, min(MAX_READ_INTERVAL_SECONDS, changes_in_seconds)))

    def remove(self, page: str) -> None:
        """Forget a page without streams."""
        self._due.pop(page, None)
        self._read_at.pop(page, None)

    def take_due(self, now: float, limit: int) -> list[str]:
        """Return the due pages, at most `limit`. They are due again after `mark_changed` or `mark_read` only."""
        taken: list[str] = []
        while self._queue and self._queue[0][0] <= now and len(taken) < limit:
            due, page = heapq.heappop(self._queue)
            if self._due.get(page) == due:
                del self._due[page]
                taken.append(page)
        return taken

    def next_due(self) -> float:
        """Return a time not later than the next due page; infinity without pages."""
        return self._queue[0][0] if self._queue else float("inf")

    def _plan(self, page: str, due: float) -> None:
        if due < self._due.get(page, float("inf")):
            self._due[page] = due
            heapq.heappush(self._queue, (due, page))


def max_pause_seconds(failures: int) -> float:
    """Return the longest pause after so many failures. The exponent is capped, because 2.0 ** 1024 overflows."""
    return min(MAX_PAUSE_SECONDS, 0.25 * 2.0 ** min(failures, 6))
