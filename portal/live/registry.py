"""Which streams are open in this process, by page and by person. No time, no database; hub.py holds the lock."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from portal.live.stream import Stream
from portal.monitoring import metrics
from portal.page_kinds import Page

MAX_STREAMS_PER_PROFILE = 12  # a person with more visible tabs than this has a script


@dataclass
class WatchedPage:
    """A page that somebody here is on, and what its streams have been told of it."""

    page: Page
    streams: list[Stream] = field(default_factory=list)
    state: Any = None
    version: int | None = None
    nudges: list[bytes] = field(default_factory=list)  # sent with the next reading, once it is known who may hear
    nudged_at: dict[int, float] = field(default_factory=dict)  # when a profile's last one came


class StreamRegistry:
    """Adds, removes and finds streams."""

    def __init__(self) -> None:
        self._pages: dict[str, WatchedPage] = {}
        self._profiles: dict[int, list[Stream]] = {}  # the oldest first
        self.count = 0

    def add(self, stream: Stream) -> None:
        self._pages.setdefault(stream.page.identifier, WatchedPage(stream.page)).streams.append(stream)
        self._profiles.setdefault(stream.caller.profile_id, []).append(stream)
        self.count += 1
        metrics.STREAMS_OPEN.inc()

    def remove(self, stream: Stream) -> bool:
        """Whether it was still there."""
        watched = self._pages.get(stream.page.identifier)
        if watched is None or stream not in watched.streams:
            return False
        watched.streams.remove(stream)
        if not watched.streams:
            del self._pages[stream.page.identifier]
        mine = self._profiles[stream.caller.profile_id]
        mine.remove(stream)
        if not mine:
            del self._profiles[stream.caller.profile_id]
        self.count -= 1
        metrics.STREAMS_OPEN.dec()
        return True

    def page(self, identifier: str | None) -> WatchedPage | None:
        return self._pages.get(identifier or "")

    def pages(self) -> list[str]:
        return list(self._pages)

    def of_profile(self, profile_id: int | None) -> list[Stream]:
        return list(self._profiles.get(profile_id or 0, ()))

    def too_many_of(self, profile_id: int) -> list[Stream]:
        """Those that must give way: the oldest. The newest is what one looks at, what is old may be a dead connection.

        Only those that have been let in count: nobody is pushed out by a call that is refused.
        """
        let_in = [
            stream
            for stream in self.of_profile(profile_id)
            if stream.verdict and stream.verdict.may_see and not stream.is_ended
        ]
        return let_in[:-MAX_STREAMS_PER_PROFILE]

    def of_tab(self, stream: Stream) -> Iterator[Stream]:
        """Those that the same tab holds on the same page."""
        mine = self._profiles.get(stream.caller.profile_id, ())
        return (other for other in mine if (other.tab_id, other.page) == (stream.tab_id, stream.page))

    def all(self) -> list[Stream]:
        return [stream for watched in self._pages.values() for stream in watched.streams]
