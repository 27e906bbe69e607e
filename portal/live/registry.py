"""Index the open streams of a process by page and by profile. The hub holds the lock.

Rows of lists are not indexed by page: an index of 1,000 streams with 100 rows each would take more memory than the
streams. A change looks through the streams of lists instead, 0.1 ms for 1,000.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from portal.live.stream import FOLLOWED, Stream
from portal.monitoring import metrics
from portal.page_kinds import Page

MAX_STREAMS_PER_PROFILE = 12  # more visible tabs of one user are likely to be a script


@dataclass
class WatchedPage:
    """A page with open streams, and what they were last sent."""

    page: Page
    streams: list[Stream] = field(default_factory=list)
    signature: object = None
    version: int | None = None
    drafts_due_at: float = 0.0  # when its drafts may be sent again: after many bytes, later
    nudges: list[bytes] = field(default_factory=list)  # sent after the next reading, which authorises the streams
    nudged_at: dict[int, float] = field(default_factory=dict)  # the time of the last nudge of each profile


class StreamRegistry:
    """Add, remove and find streams."""

    def __init__(self) -> None:
        self._pages: dict[str, WatchedPage] = {}
        self._profiles: dict[int, list[Stream]] = {}  # oldest first
        self._with_rows: dict[Stream, None] = {}
        self._lists: dict[str, dict[Stream, None]] = {follows: {} for follows in FOLLOWED}
        self.count = 0

    def add(self, stream: Stream) -> None:
        if stream.page is not None:
            self._pages.setdefault(stream.page.identifier, WatchedPage(stream.page)).streams.append(stream)
        if stream.rows:
            self._with_rows[stream] = None
        if stream.follows:
            self._lists[stream.follows][stream] = None
        self._profiles.setdefault(stream.caller.profile_id, []).append(stream)
        self.count += 1
        metrics.STREAMS_OPEN.inc()

    def remove(self, stream: Stream) -> bool:
        """Remove the stream; return whether it was registered."""
        of_profile = self._profiles.get(stream.caller.profile_id, [])
        if stream not in of_profile:
            return False
        of_profile.remove(stream)
        if not of_profile:
            del self._profiles[stream.caller.profile_id]
        self._with_rows.pop(stream, None)
        if stream.follows:
            del self._lists[stream.follows][stream]
        if stream.page is not None:
            watched = self._pages[stream.page.identifier]
            watched.streams.remove(stream)
            if not watched.streams:
                del self._pages[stream.page.identifier]
        self.count -= 1
        metrics.STREAMS_OPEN.dec()
        return True

    def page(self, identifier: str | None) -> WatchedPage | None:
        return self._pages.get(identifier or "")

    def pages(self) -> list[str]:
        return list(self._pages)

    def profiles(self) -> list[int]:
        return list(self._profiles)

    def with_row(self, identifier: str) -> list[Stream]:
        """Return the streams of lists that have a row for this page."""
        return [stream for stream in self._with_rows if identifier in stream.rows]

    def lists(self, follows: str, without: str = "") -> list[Stream]:
        """Return the streams of lists that follow this, without those that have a row for the page `without`."""
        return [stream for stream in self._lists[follows] if without not in stream.rows]

    def list_count(self, follows: str) -> int:
        return len(self._lists[follows])

    def of_profile(self, profile_id: int | None) -> list[Stream]:
        return list(self._profiles.get(profile_id or 0, ()))

    def streams_over_limit(self, profile_id: int) -> list[Stream]:
        """Return the profile's oldest streams beyond the limit: the user looks at the newest, and old ones may be dead.

        Only authorised streams count, so a refused call ends no other stream.
        """
        authorized = [
            stream
            for stream in self.of_profile(profile_id)
            if stream.authorization and stream.authorization.may_see and not stream.is_ended
        ]
        return authorized[:-MAX_STREAMS_PER_PROFILE]

    def of_tab(self, stream: Stream) -> Iterator[Stream]:
        """Return the streams of the same tab on the same page."""
        of_profile = self._profiles.get(stream.caller.profile_id, ())
        return (other for other in of_profile if (other.tab_id, other.page) == (stream.tab_id, stream.page))

    def all(self) -> list[Stream]:
        return [stream for of_profile in self._profiles.values() for stream in of_profile]
