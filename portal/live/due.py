"""Collect what is due to be read: pages with their streams, profiles, and the rows of lists. The hub holds the lock.

A page has a key in the schedule, its identifier, and so has each profile with a stream.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple

from portal import page_kinds
from portal.errors import NotFound
from portal.live.listed import ListedPages
from portal.live.registry import StreamRegistry, WatchedPage
from portal.live.schedule import Schedule
from portal.live.source import PageQuery, ProfileQuery
from portal.live.stream import SAVES, Stream

# In one statement, so that no statement takes long. A list with 100 rows takes 100 of the checks when it opens.
MAX_KEYS_PER_READ = 200
MAX_CHECKS_PER_READ = 2_000
# The interval at which the rows of an open list are read without a notification. It recovers lost ones.
ROWS_READ_INTERVAL_SECONDS = 60
PROFILE_PREFIX = "@"  # page identifiers begin with a letter


class DueProfile(NamedTuple):
    """A profile that is due, and its streams."""

    profile_id: int
    streams: list[Stream]


class DuePage(NamedTuple):
    """A page that is due: `watched` if it has streams of its own, and the streams of lists that may have to show it."""

    page: page_kinds.Page
    watched: WatchedPage | None
    streams: list[Stream]
    row_streams: list[Stream]
    has_drafts: bool


class Due:
    """What one statement reads."""

    def __init__(self) -> None:
        self.profiles: list[DueProfile] = []
        self._pages: dict[str, DuePage] = {}
        self._checks = 0

    @property
    def pages(self) -> list[DuePage]:
        return list(self._pages.values())

    @property
    def is_full(self) -> bool:
        return len(self.profiles) + len(self._pages) >= MAX_KEYS_PER_READ or self._checks >= MAX_CHECKS_PER_READ

    def page_queries(self) -> list[PageQuery]:
        return [PageQuery(due.page, due.streams, due.row_streams, due.has_drafts) for due in self._pages.values()]

    def profile_queries(self) -> list[ProfileQuery]:
        return [ProfileQuery(due.profile_id, due.streams) for due in self.profiles]

    def add_page(
        self, page: page_kinds.Page, watched: WatchedPage | None, row_streams: list[Stream], now: float
    ) -> None:
        """Add a page with all its streams."""
        has_drafts = watched is not None and now >= watched.drafts_due_at
        streams = list(watched.streams) if watched else []
        earlier = self._pages.get(page.identifier)
        self._pages[page.identifier] = DuePage(page, watched, streams, row_streams, has_drafts)
        self._checks += len(streams) + len(row_streams)
        if earlier is not None:  # a list has opened, and this is a row of it or a recent page
            self._add_row(page, earlier.row_streams)

    def add_profile(self, profile_id: int, streams: list[Stream], recent: Iterable[str], now: float) -> None:
        """Add a profile with its streams, and the rows of those that are due. New lists also hear of `recent` pages."""
        self.profiles.append(DueProfile(profile_id, streams))
        self._checks += len(streams)
        for stream in streams:
            if stream.rows_read_at is None and stream.follows == SAVES:
                for identifier in recent:
                    self.add_listed(identifier, [stream])
            if stream.rows_read_at is None or now - stream.rows_read_at >= ROWS_READ_INTERVAL_SECONDS:
                stream.rows_read_at = now
                self._add_rows(stream)

    def add_listed(self, identifier: str, streams: list[Stream]) -> None:
        """Add a page of which lists hear, unless a newer release has notified of an unknown kind of page."""
        with suppress(NotFound):
            self._add_row(page_kinds.parse(identifier), streams)

    def _add_rows(self, stream: Stream) -> None:
        for identifier in stream.rows:
            self._add_row(page_kinds.parse(identifier), [stream])

    def _add_row(self, page: page_kinds.Page, streams: list[Stream]) -> None:
        if not streams:
            return
        due = self._pages.setdefault(page.identifier, DuePage(page, None, [], [], has_drafts=False))
        known = set(due.row_streams)
        due.row_streams.extend(stream for stream in streams if stream not in known)
        self._checks += len(streams)


def profile_key(profile_id: int) -> str:
    """Return the key of a profile in the schedule."""
    return f"{PROFILE_PREFIX}{profile_id}"


def take_due(registry: StreamRegistry, schedule: Schedule, listed: Mapping[str, ListedPages], now: float) -> Due:
    """Take what is due from the schedule and for lists, as much as one statement may read."""
    due = Due()
    while not due.is_full and (keys := schedule.take_due(now, 1)):
        [key] = keys
        if key.startswith(PROFILE_PREFIX):
            profile_id = int(key.removeprefix(PROFILE_PREFIX))
            if streams := registry.of_profile(profile_id):
                due.add_profile(profile_id, streams, listed[SAVES].recent(now), now)
            continue
        watched, row_streams = registry.page(key), registry.with_row(key)
        if watched or row_streams:
            due.add_page(page_kinds.parse(key), watched, row_streams, now)
    for follows, pages in listed.items():
        for identifier in pages.take_pages(now, registry.list_count(follows), MAX_CHECKS_PER_READ):
            due.add_listed(identifier, registry.lists(follows, without=identifier))
    return due
