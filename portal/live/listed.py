"""Decide when open lists hear of pages that they do not show, because these may belong to their view now.

Pure: the time is an argument, in seconds of any monotonic clock.

A list hears of such a page after the hub has checked its permission, and then asks the server whether the page belongs
to its view. The more lists a process has, the later they hear and ask. The work of a second is therefore bounded,
however many records are changed.
"""

from itertools import islice

from portal.live.schedule import COALESCE_SECONDS
from portal.live.stream import ARRIVALS, SAVES

MAX_PAGES = 50
RECENT_SECONDS = 30  # more than a browser needs from the page of a list to its stream
MAX_CHECKS_PER_SECOND = 2_000  # of permissions, each 40 µs of CPU of the process and of PostgreSQL
# How often the lists of one process ask about single pages (10 ms of CPU), the desks reload their parts (50 ms), and
# lists ask about a whole view (20 ms by name, 200 ms by value).
MAX_QUESTIONS_PER_SECOND = {SAVES: 50, ARRIVALS: 10}
MAX_ORDERS_PER_SECOND = 5


class ListedPages:
    """The pages of which lists have not heard. Too many of them, or lost notifications, make it incomplete."""

    def __init__(self) -> None:
        self._pending: dict[str, None] = {}
        self._recent: dict[str, float] = {}  # oldest first
        self._is_incomplete = False
        self._pages_at = self._incomplete_at = float("-inf")  # not before

    def add(self, page: str, now: float) -> None:
        """Add a page that lists may have to show."""
        self._recent.pop(page, None)
        self._recent[page] = now
        for oldest in list(islice(self._recent, max(0, len(self._recent) - MAX_PAGES))):
            del self._recent[oldest]
        if not self._pending:
            self._pages_at = max(self._pages_at, now + COALESCE_SECONDS)
        self._pending[page] = None
        if len(self._pending) > MAX_PAGES:
            self.add_unknown()

    def add_unknown(self) -> None:
        """Record that lists may have to show any page."""
        self._pending.clear()
        self._is_incomplete = True

    def recent(self, now: float) -> list[str]:
        """Return the pages of the last seconds, for a list that was read before its stream opened."""
        return [page for page, at in self._recent.items() if now - at < RECENT_SECONDS]

    def next_due(self) -> float:
        """Return when something is due; infinity if nothing is."""
        return min(
            self._pages_at if self._pending else float("inf"),
            self._incomplete_at if self._is_incomplete else float("inf"),
        )

    def take_pages(self, now: float, lists: int, max_checks: int) -> list[str]:
        """Return the pages that are due, at least one and otherwise not more than so many lists may check."""
        if not lists:
            self._pending.clear()
        if now < self._pages_at or not self._pending:
            return []
        taken = list(islice(self._pending, max(1, max_checks // lists)))
        for page in taken:
            del self._pending[page]
        self._pages_at = now + len(taken) * lists / MAX_CHECKS_PER_SECOND
        return taken

    def take_incomplete(self, now: float, lists: int) -> bool:
        """Return whether so many lists have to compare all of their rows now."""
        if now < self._incomplete_at or not self._is_incomplete:
            return False
        self._is_incomplete = False
        self._incomplete_at = now + lists / MAX_ORDERS_PER_SECOND
        return True
