"""When a page is due to be read: at once when it is rung, soon after where it was read just now, and now and then.

Pure: the time is an argument, in seconds of any clock that never goes back. Used by hub.py.
"""

import heapq

# A burst of changes to a page becomes one event in so long; a lone change waits for nothing.
COALESCE_SECONDS = 0.1
# Rung or not, a page is read as often: a sign-in session that has run out is noticed, and a lost notification heals.
MAX_READ_INTERVAL_SECONDS = 20


class Schedule:
    """When each page of a process is due."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}
        self._read_at: dict[str, float] = {}
        self._queue: list[tuple[float, str]] = []  # with entries that no longer hold: those that differ from _due

    def ring(self, page: str, now: float) -> None:
        """Something about the page has changed."""
        self._plan(page, max(now, self._read_at.get(page, float("-inf")) + COALESCE_SECONDS))

    def was_read(self, page: str, now: float, changes_in_seconds: float) -> None:
        """The page has been read, and by itself changes so soon."""
        self._read_at[page] = now
        self._plan(page, now + max(COALESCE_SECONDS, min(MAX_READ_INTERVAL_SECONDS, changes_in_seconds)))

    def forget(self, page: str) -> None:
        """Nobody here is on the page any more."""
        self._due.pop(page, None)
        self._read_at.pop(page, None)

    def take_due(self, now: float, most: int) -> list[str]:
        """The pages that are due, at most so many; they are not due again until `ring` or `was_read`."""
        taken: list[str] = []
        while self._queue and self._queue[0][0] <= now and len(taken) < most:
            due, page = heapq.heappop(self._queue)
            if self._due.get(page) == due:
                del self._due[page]
                taken.append(page)
        return taken

    def next_due(self) -> float:
        """When the next page is due, or earlier; infinity for never."""
        return self._queue[0][0] if self._queue else float("inf")

    def _plan(self, page: str, due: float) -> None:
        if due < self._due.get(page, float("inf")):
            self._due[page] = due
            heapq.heappush(self._queue, (due, page))
