"""Read what has open streams when it is due, and broadcast the changes: pages, rows of lists, profiles.

Each process has one hub with one thread (under gevent a greenlet) and one connection. The thread listens for
notifications, reads all that is due in one statement, which also authorises the streams, and posts events. Requests
only add and remove streams. The thread starts with the first stream, and therefore after gunicorn has forked.

Notifications are hints, the database is the source of truth. The next regular reading of a page recovers a lost
notification, and reading all pages again recovers a lost LISTEN.
"""

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Iterator

from psycopg2.extensions import connection as PsycopgConnection
from sqlalchemy import Engine

from portal.driver.errors import DATABASE_ERRORS
from portal.errors import DatabaseUnavailable, NotFound, NotSignedIn, ServiceBusy
from portal.live import notifications
from portal.live.broadcast import (
    add_nudge,
    broadcast,
    broadcast_drafts,
    broadcast_profile,
    broadcast_row,
    compare_lists,
    drop_slow,
    end,
    end_signed_out,
    ping,
)
from portal.live.due import DuePage, profile_key, take_due
from portal.live.listed import ListedPages
from portal.live.listener import Listener, Wakeup
from portal.live.notifications import Notification
from portal.live.registry import StreamRegistry
from portal.live.schedule import COALESCE_SECONDS, MAX_PAUSE_SECONDS, Schedule, max_pause_seconds
from portal.live.source import Reading, Source
from portal.live.stream import ARRIVALS, FOLLOWED, SAVES, Stream
from portal.monitoring import metrics
from portal.page_kinds import PAGE_NOT_FOUND, Page

logger = logging.getLogger(__name__)

MAX_REMOVALS_PER_TURN = 50  # so that notifications are handled in between
OPENING_SECONDS = 5
# A tab whose connection broke usually reconnects, and sends a heartbeat, within a second or two.
LEAVE_GRACE_SECONDS = 8
PING_SECONDS = 20  # less than the minute after which proxies close an idle connection
SLOW_SECONDS = 15  # a stream whose events stay unsent for longer is dropped
HOUSEKEEPING_INTERVAL_SECONDS = 1


class Hub:
    """Open streams and broadcast to them. `open`, `close` and `stop` are thread-safe."""

    def __init__(self, engine: Engine, source: Source, max_streams: int) -> None:
        self._engine = engine
        self._source = source
        self._max_streams = max_streams
        self._lock = threading.Lock()
        self._registry = StreamRegistry()
        self._disconnected: deque[tuple[float, Page, Stream]] = deque()  # with the time of the break, oldest first
        self._schedule = Schedule()
        self._listed = {follows: ListedPages() for follows in FOLLOWED}
        self._wakeup: Wakeup | None = None  # exists with the thread
        self._thread: threading.Thread | None = None
        self._is_stopping = False
        self._housekeeping_at = 0.0

    def open(self, stream: Stream) -> None:
        """Add a stream and wait until what it sends has been read for it. Its first events are pending then.

        A stream that ends meanwhile, for example by a sign-out, sends its last event and raises nothing: the browser
        would report an error for a page that the user is leaving.

        Raises NotSignedIn (401), NotFound (404), DatabaseUnavailable (503), or ServiceBusy (503) if the process has too
        many streams or stops, or the caller has disconnected.
        """
        is_authorized_in_time = self._register(stream) and stream.opened.wait(OPENING_SECONDS)
        if stream.has_last_event or (stream.authorization and stream.authorization.may_see):
            return
        was_ended = stream.is_ended
        stream.end()
        stream.close()
        if not is_authorized_in_time and not was_ended:
            raise DatabaseUnavailable("The database cannot be reached at the moment. Try again in a moment.")
        if stream.authorization is None:
            raise ServiceBusy("There is no room for another stream just now.")
        if not stream.authorization.is_signed_in:
            raise NotSignedIn("Please sign in.")
        raise NotFound(PAGE_NOT_FOUND)

    def close(self, stream: Stream) -> None:
        """Remove a stream that has sent its last event or has lost its connection."""
        with self._lock:
            if not self._registry.remove(stream):
                return
            page, profile_id = stream.page, stream.caller.profile_id
            if page is not None and self._registry.page(page.identifier) is None:
                self._schedule.remove(page.identifier)
            if not self._registry.of_profile(profile_id):
                self._schedule.remove(profile_key(profile_id))
            is_refused = stream.authorization is not None and not stream.authorization.may_see
            if stream.is_broken and not is_refused and not self._is_stopping:
                metrics.count_ended_stream("broken")
                if page is not None:
                    self._disconnected.append((time.monotonic(), page, stream))

    def stop(self) -> None:
        """End every stream and accept no more: the server stops, and browsers reconnect to its successor."""
        with self._lock:
            self._is_stopping = True
            for stream in self._registry.all():
                end(stream, "restarting")
        if self._wakeup is not None:
            self._wakeup.wake()

    def _register(self, stream: Stream) -> bool:
        """Add the stream and request a reading of its page; return False without room for it."""
        with self._lock:
            if self._is_stopping or self._registry.count >= self._max_streams:
                stream.end()
                return False
            self._registry.add(stream)
            now = time.monotonic()
            if stream.page is not None:
                self._schedule.mark_changed(stream.page.identifier, now)
            self._schedule.mark_changed(profile_key(stream.caller.profile_id), now)
            try:
                wakeup = self._wakeup = self._wakeup or self._start()
            except OSError as error:  # the process may open no more files
                logger.warning("live: the hub cannot start: %s", error)
                return False
        wakeup.wake()
        return True

    def _start(self) -> Wakeup:
        wakeup = Wakeup()
        self._thread = threading.Thread(target=self._run, args=(wakeup,), name="live hub", daemon=True)
        self._thread.start()
        return wakeup

    # The hub's own thread runs everything below.

    def _run(self, wakeup: Wakeup) -> None:
        failures = 0
        while not self._is_stopping:
            try:
                with Listener(self._engine, wakeup, self._source.prepare) as listener:
                    with self._lock:
                        self._mark_all_changed(time.monotonic())
                    for _ in self._turns(listener):
                        failures = 0  # not after connecting: a failing database may accept connections
            except DATABASE_ERRORS as error:
                failures += 1
                metrics.HUB_RECONNECTS.inc()
                pause_seconds = max_pause_seconds(failures) * random.uniform(0.5, 1)  # noqa: S311
                logger.warning("live: database unavailable, next attempt in %.1f s: %s", pause_seconds, error)
                self._wait_without_database(wakeup, pause_seconds)
            except Exception:
                # The outermost loop: without it, an unexpected error would silence every stream of the process.
                logger.exception("live: the hub failed")
                self._wait_without_database(wakeup, MAX_PAUSE_SECONDS)
        wakeup.close()

    def _wait_without_database(self, wakeup: Wakeup, seconds: float) -> None:
        """Keep the streams alive during an outage."""
        self._listed[SAVES].add_unknown()
        until = time.monotonic() + seconds
        while not self._is_stopping and (left := until - time.monotonic()) > 0:
            wakeup.wait(min(left, HOUSEKEEPING_INTERVAL_SECONDS))
            self._housekeeping(time.monotonic())

    def _mark_all_changed(self, now: float) -> None:
        """Request a reading of everything: notifications may have been lost without a connection. Holds the lock."""
        for stream in self._registry.all():
            stream.rows_read_at = None
        for key in (*self._registry.pages(), *map(profile_key, self._registry.profiles())):
            self._schedule.mark_changed(key, now)

    def _turns(self, listener: Listener) -> Iterator[None]:
        while not self._is_stopping:
            for notification in listener.wait(self._next_turn() - time.monotonic()):
                self._on_notification(notification, time.monotonic())
            now = time.monotonic()
            self._housekeeping(now)
            self._remove_disconnected(listener.connection, now)
            self._read_due(listener.connection, now)
            yield

    def _next_turn(self) -> float:
        with self._lock:
            removal = self._disconnected[0][0] + LEAVE_GRACE_SECONDS if self._disconnected else float("inf")
            due_at = min(self._schedule.next_due(), *(pages.next_due() for pages in self._listed.values()))
            return min(due_at, removal, self._housekeeping_at + HOUSEKEEPING_INTERVAL_SECONDS)

    def _on_notification(self, notification: Notification, now: float) -> None:
        metrics.NOTIFICATIONS_RECEIVED.inc()
        with self._lock:
            if notification.event == notifications.SIGNED_OUT:
                for stream in self._registry.of_profile(notification.profile):
                    end_signed_out(stream)
            elif notification.event == notifications.NOTIFIED:
                if self._registry.of_profile(notification.profile):
                    self._schedule.mark_changed(profile_key(notification.profile or 0), now)
            elif notification.event == notifications.IMPORTED:
                self._listed[SAVES].add_unknown()
                self._mark_all_changed(now)
            elif notification.page:
                self._mark_page_changed(notification, notification.page, now)

    def _mark_page_changed(self, notification: Notification, identifier: str, now: float) -> None:
        """Request a reading of a page that has streams, or a row in an open list. Holds the lock."""
        if notification.lists:
            self._listed[SAVES].add(identifier, now)
        elif notification.event == notifications.ROSTER:
            self._listed[ARRIVALS].add(identifier, now)
        if watched := self._registry.page(identifier):
            due_at = watched.drafts_due_at if notification.event == notifications.DRAFTS else now
            self._schedule.mark_changed(identifier, max(now, due_at))
            if notification.event == notifications.NUDGE:
                add_nudge(watched, notification.profile or 0, now)
        elif notification.event in notifications.ROW_EVENTS and self._registry.with_row(identifier):
            # Without a stream of its own, the page has no time of its last reading: each change waits.
            self._schedule.mark_changed(identifier, now + COALESCE_SECONDS)

    def _housekeeping(self, now: float) -> None:
        """Once a second: send pings, end streams whose cookie is too old, drop streams that are not read."""
        if now < self._housekeeping_at + HOUSEKEEPING_INTERVAL_SECONDS:
            return
        self._housekeeping_at = now
        with self._lock:
            streams = self._registry.all()
        for stream in streams:
            if now >= stream.ends_at:
                end(stream, "restarting")
            elif stream.pending_since is not None and now - stream.pending_since > SLOW_SECONDS:
                drop_slow(stream)
            elif now - stream.pinged_at >= PING_SECONDS:
                ping(stream, now)

    def _remove_disconnected(self, connection: PsycopgConnection, now: float) -> None:
        """Remove the tabs whose connection broke LEAVE_GRACE_SECONDS ago, unless they have been active since.

        A tab with another stream in this process is active. The source checks for heartbeats and for streams elsewhere.
        """
        for _ in range(MAX_REMOVALS_PER_TURN):
            if not self._disconnected or now - self._disconnected[0][0] < LEAVE_GRACE_SECONDS:
                return
            broken_at, page, stream = self._disconnected[0]
            with self._lock:
                has_another = any(self._registry.of_tab(stream))
            # Measured last: the statement would date a heartbeat from before its start before the break.
            if not has_another and self._source.remove_tab(connection, page, stream, time.monotonic() - broken_at):
                metrics.TABS_VANISHED.inc()
            self._disconnected.popleft()  # not earlier: after a database error the removal is repeated

    def _read_due(self, connection: PsycopgConnection, now: float) -> None:
        with self._lock:
            due = take_due(self._registry, self._schedule, self._listed, now)
            for follows, pages in self._listed.items():
                if pages.take_incomplete(now, self._registry.list_count(follows)):
                    compare_lists(self._registry.lists(follows))
        if not due.pages and not due.profiles:
            return
        readings, of_profiles = self._source.read(connection, due.page_queries(), due.profile_queries())
        now = time.monotonic()
        with self._lock:
            for page, reading in zip(due.pages, readings, strict=True):
                self._broadcast_page(page, reading, now)
            for profile, counted in zip(due.profiles, of_profiles, strict=True):
                if self._registry.of_profile(profile.profile_id):
                    self._schedule.mark_read(profile_key(profile.profile_id), now, float("inf"))
                broadcast_profile(profile.streams, counted)
                for stream in self._registry.streams_over_limit(profile.profile_id):
                    end(stream, "replaced")

    def _broadcast_page(self, due: DuePage, reading: Reading, now: float) -> None:
        """Send the reading of a page to its streams and to the lists with a row for it. Holds the lock."""
        identifier, watched = due.page.identifier, due.watched
        broadcast_row(due.row_streams, reading)
        if watched is None:
            if due.row_streams and reading.changes_in_seconds < float("inf"):
                self._schedule.mark_changed(identifier, now + max(COALESCE_SECONDS, reading.changes_in_seconds))
            return
        if self._registry.page(identifier) is watched:
            self._schedule.mark_read(identifier, now, reading.changes_in_seconds)
            if reading.drafts is None:
                self._schedule.mark_changed(identifier, watched.drafts_due_at)
        new_profiles = {stream.caller.profile_id for stream in due.streams if stream.authorization is None}
        broadcast(watched, due.streams, reading)
        broadcast_drafts(watched, due.streams, reading, now)
        for profile_id in new_profiles:
            for stream in self._registry.streams_over_limit(profile_id):
                end(stream, "replaced")
