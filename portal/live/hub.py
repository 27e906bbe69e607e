"""Read the pages that have open streams when they are due, and broadcast the changes.

Each process has one hub with one thread (under gevent a greenlet) and one connection. The thread listens for
notifications, reads all due pages in one statement, which also authorises their streams, and posts events. Requests
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
from portal.live.broadcast import add_nudge, broadcast, broadcast_drafts, drop_slow, end, end_signed_out, ping
from portal.live.listener import Listener, Wakeup
from portal.live.notifications import Notification
from portal.live.registry import StreamRegistry
from portal.live.schedule import Schedule
from portal.live.source import Source
from portal.live.stream import Stream
from portal.monitoring import metrics
from portal.page_kinds import PAGE_NOT_FOUND

logger = logging.getLogger(__name__)

MAX_PAGES_PER_READ = 200  # in one statement, so that no statement takes long
MAX_REMOVALS_PER_TURN = 50  # so that notifications are handled in between
OPENING_SECONDS = 5
# A tab whose connection broke usually reconnects, and sends a heartbeat, within a second or two.
LEAVE_GRACE_SECONDS = 8
PING_SECONDS = 20  # less than the minute after which proxies close an idle connection
SLOW_SECONDS = 15  # a stream whose events stay unsent for longer is dropped
HOUSEKEEPING_INTERVAL_SECONDS = 1
MAX_BACKOFF_SECONDS = 15  # between two attempts to reach the database


class Hub:
    """Open streams and broadcast to them. `open`, `close` and `stop` are thread-safe."""

    def __init__(self, engine: Engine, source: Source, max_streams: int) -> None:
        self._engine = engine
        self._source = source
        self._max_streams = max_streams
        self._lock = threading.Lock()
        self._registry = StreamRegistry()
        self._disconnected: deque[tuple[float, Stream]] = deque()  # with the time of the break, oldest first
        self._schedule = Schedule()
        self._wakeup: Wakeup | None = None  # exists with the thread
        self._thread: threading.Thread | None = None
        self._is_stopping = False
        self._housekeeping_at = 0.0

    def open(self, stream: Stream) -> None:
        """Add a stream and wait until its page has been read for it. Its roster is pending then.

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
            if self._registry.page(stream.page.identifier) is None:
                self._schedule.remove(stream.page.identifier)
            is_refused = stream.authorization is not None and not stream.authorization.may_see
            if stream.is_broken and not is_refused and not self._is_stopping:
                metrics.count_ended_stream("broken")
                self._disconnected.append((time.monotonic(), stream))

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
            self._schedule.mark_changed(stream.page.identifier, time.monotonic())
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
                    self._mark_all_changed()
                    for _ in self._turns(listener):
                        failures = 0  # not after connecting: a failing database may accept connections
            except DATABASE_ERRORS as error:
                failures += 1
                metrics.HUB_RECONNECTS.inc()
                pause_seconds = _backoff_limit_seconds(failures) * random.uniform(0.5, 1)  # noqa: S311
                logger.warning("live: database unavailable, next attempt in %.1f s: %s", pause_seconds, error)
                self._wait_without_database(wakeup, pause_seconds)
            except Exception:
                # The outermost loop: without it, an unexpected error would silence every stream of the process.
                logger.exception("live: the hub failed")
                self._wait_without_database(wakeup, MAX_BACKOFF_SECONDS)
        wakeup.close()

    def _wait_without_database(self, wakeup: Wakeup, seconds: float) -> None:
        """Keep the streams alive during an outage."""
        until = time.monotonic() + seconds
        while not self._is_stopping and (left := until - time.monotonic()) > 0:
            wakeup.wait(min(left, HOUSEKEEPING_INTERVAL_SECONDS))
            self._housekeeping(time.monotonic())

    def _mark_all_changed(self) -> None:
        """Request a reading of every page: notifications may have been lost without a connection."""
        with self._lock:
            for identifier in self._registry.pages():
                self._schedule.mark_changed(identifier, time.monotonic())

    def _turns(self, listener: Listener) -> Iterator[None]:
        while not self._is_stopping:
            for notification in listener.wait(self._next_turn() - time.monotonic()):
                self._on_notification(notification, time.monotonic())
            now = time.monotonic()
            self._housekeeping(now)
            self._remove_disconnected(listener.connection, now)
            self._read_due_pages(listener.connection, now)
            yield

    def _next_turn(self) -> float:
        with self._lock:
            removal = self._disconnected[0][0] + LEAVE_GRACE_SECONDS if self._disconnected else float("inf")
            return min(self._schedule.next_due(), removal, self._housekeeping_at + HOUSEKEEPING_INTERVAL_SECONDS)

    def _on_notification(self, notification: Notification, now: float) -> None:
        metrics.NOTIFICATIONS_RECEIVED.inc()
        with self._lock:
            if notification.event == notifications.SIGNED_OUT:
                for stream in self._registry.of_profile(notification.profile):
                    end_signed_out(stream)
            elif watched := self._registry.page(notification.page):
                due_at = watched.drafts_due_at if notification.event == notifications.DRAFTS else now
                self._schedule.mark_changed(watched.page.identifier, max(now, due_at))
                if notification.event == notifications.NUDGE:
                    add_nudge(watched, notification.profile or 0, now)

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
            broken_at, stream = self._disconnected[0]
            with self._lock:
                has_another = any(self._registry.of_tab(stream))
            # Measured last: the statement would date a heartbeat from before its start before the break.
            if not has_another and self._source.remove_tab(connection, stream, time.monotonic() - broken_at):
                metrics.TABS_VANISHED.inc()
            self._disconnected.popleft()  # not earlier: after a database error the removal is repeated

    def _read_due_pages(self, connection: PsycopgConnection, now: float) -> None:
        with self._lock:
            due = [self._registry.page(page) for page in self._schedule.take_due(now, MAX_PAGES_PER_READ)]
            groups = [(watched, list(watched.streams)) for watched in due if watched]
        if not groups:
            return
        all_streams = [stream for _, streams in groups for stream in streams]
        paced = {watched.page.identifier for watched, _ in groups if now < watched.drafts_due_at}
        readings = self._source.read(connection, [watched.page for watched, _ in groups], all_streams, paced)
        now = time.monotonic()
        with self._lock:
            for (watched, streams), reading in zip(groups, readings, strict=True):
                if self._registry.page(watched.page.identifier) is watched:
                    self._schedule.mark_read(watched.page.identifier, now, reading.changes_in_seconds)
                    if reading.drafts is None:
                        self._schedule.mark_changed(watched.page.identifier, watched.drafts_due_at)
                new_profiles = {stream.caller.profile_id for stream in streams if stream.authorization is None}
                broadcast(watched, streams, reading)
                broadcast_drafts(watched, streams, reading, now)
                for profile_id in new_profiles:
                    for stream in self._registry.streams_over_limit(profile_id):
                        end(stream, "replaced")


def _backoff_limit_seconds(failures: int) -> float:
    """Return the longest pause after so many failures. The exponent is capped, because 2.0 ** 1024 overflows."""
    return min(MAX_BACKOFF_SECONDS, 0.25 * 2.0 ** min(failures, 6))
