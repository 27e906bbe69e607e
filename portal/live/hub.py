"""The hub of one process: which page is read when, and who is told what of it.

One thread (under gevent a greenlet) with one connection does everything: it listens, reads all pages that are due in
one statement, judges with it who may go on listening, and puts events into the mailboxes of streams. Requests only add
and remove streams. It starts with the first stream, and so always after gunicorn has forked.

Whatever a notification tells it could find out by reading: so a lost one heals at the page's next turn, and a lost
LISTEN by reading everything again.
"""

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence

from psycopg2.extensions import connection as PsycopgConnection
from sqlalchemy import Engine

from portal.driver.errors import DATABASE_ERRORS
from portal.errors import DatabaseUnavailable, NotFound, NotSignedIn, ServiceBusy
from portal.live import notifications
from portal.live.listener import Listener, Wakeup
from portal.live.notifications import Notification
from portal.live.registry import StreamRegistry, WatchedPage
from portal.live.schedule import Schedule
from portal.live.source import Reading, Source
from portal.live.stream import END, NUDGE, PING, ROSTER, SAVED, SIGNED_OUT, Reason, Stream, frame
from portal.monitoring import metrics
from portal.page_kinds import PAGE_NOT_FOUND

logger = logging.getLogger(__name__)

MAX_PAGES_PER_READ = 200  # in one statement, so that none takes long
MAX_REMOVALS_PER_TURN = 50  # in one turn, so that the hub hears what comes meanwhile
NUDGE_INTERVAL_SECONDS = 5  # of one person on one page: what an open page is asked is bounded here too
OPENING_SECONDS = 5
# A connection that broke may have broken for its tab too, which is back within a second or two, beating at once.
LEAVE_GRACE_SECONDS = 8
PING_SECONDS = 20  # less than the minute after which proxies take a silent connection for dead
SLOW_SECONDS = 15  # a reader that has not taken what was posted so long ago is dropped
HOUSEKEEPING_INTERVAL_SECONDS = 1
MAX_BACKOFF_SECONDS = 15  # between two tries to reach the database


class Hub:
    """`open` a stream, `stop` them all. Thread-safe; see the module."""

    def __init__(self, engine: Engine, source: Source, most_streams: int) -> None:
        self._engine = engine
        self._source = source
        self._most_streams = most_streams
        self._lock = threading.Lock()
        self._open = StreamRegistry()
        self._broken: deque[tuple[float, Stream]] = deque()  # the oldest first
        self._schedule = Schedule()
        self._bell: Wakeup | None = None  # with the thread
        self._thread: threading.Thread | None = None
        self._is_stopping = False
        self._tended_at = 0.0

    def open(self, stream: Stream) -> None:
        """Add a stream, and wait until its page has been read for it: its roster is in its mailbox then.

        A stream that is ended meanwhile, by a sign-out for instance, carries its last event alone: an error would be
        reported by the browser, for a page that is being left.

        Raises NotSignedIn (401), NotFound (404), ServiceBusy (503) where there are too many, the process stops or the
        caller is gone, or DatabaseUnavailable (503).
        """
        is_answered = self._take_in(stream) and stream.opened.wait(OPENING_SECONDS)
        if stream.has_last_event or (stream.verdict and stream.verdict.may_see):
            return
        has_been_ended = stream.is_ended
        stream.end()
        stream.close()
        if not is_answered and not has_been_ended:
            raise DatabaseUnavailable("The database cannot be reached just now. Please try again in a moment.")
        if stream.verdict is None:
            raise ServiceBusy("There is no room for another stream just now.")
        if not stream.verdict.is_signed_in:
            raise NotSignedIn("Please sign in.")
        raise NotFound(PAGE_NOT_FOUND)

    def closed(self, stream: Stream) -> None:
        """A stream's last word, from whichever thread sent it."""
        with self._lock:
            if not self._open.remove(stream):
                return
            if self._open.page(stream.page.identifier) is None:
                self._schedule.forget(stream.page.identifier)
            is_refused = stream.verdict is not None and not stream.verdict.may_see
            if stream.is_broken and not is_refused and not self._is_stopping:
                metrics.STREAMS_ENDED.labels("broken").inc()
                self._broken.append((time.monotonic(), stream))

    def stop(self) -> None:
        """End every stream at once and take no more: the server stops, and browsers come back to the next one."""
        with self._lock:
            self._is_stopping = True
            for stream in self._open.all():
                _end(stream, "moving")
        if self._bell is not None:
            self._bell.ring()

    def _take_in(self, stream: Stream) -> bool:
        """Whether there is room for it; otherwise it is ended."""
        with self._lock:
            if self._is_stopping or self._open.count >= self._most_streams:
                stream.end()
                return False
            self._open.add(stream)
            self._schedule.ring(stream.page.identifier, time.monotonic())
            try:
                bell = self._bell = self._bell or self._start()
            except OSError as error:  # no file is left to open
                logger.warning("live: the hub cannot start: %s", error)
                return False
        bell.ring()
        return True

    def _start(self) -> Wakeup:
        bell = Wakeup()
        self._thread = threading.Thread(target=self._run, args=(bell,), name="live hub", daemon=True)
        self._thread.start()
        return bell

    # What follows runs in the hub's own thread.

    def _run(self, bell: Wakeup) -> None:
        failures = 0
        while not self._is_stopping:
            try:
                with Listener(self._engine, bell, self._source.prepare) as listener:
                    self._read_everything_again()
                    for _ in self._turns(listener):
                        failures = 0  # not on connecting: a database that only takes connections is away
            except DATABASE_ERRORS as error:
                failures += 1
                metrics.HUB_RECONNECTS.inc()
                pause_seconds = _backoff_limit_seconds(failures) * random.uniform(0.5, 1)  # noqa: S311
                logger.warning("live: the database is away, trying again in %.1f s: %s", pause_seconds, error)
                self._rest(bell, pause_seconds)
            except Exception:
                # The outermost loop of the process's streams: without it they would all be silent for ever.
                logger.exception("live: the hub failed")
                self._rest(bell, MAX_BACKOFF_SECONDS)
        bell.close()

    def _rest(self, bell: Wakeup, seconds: float) -> None:
        """Without a database the streams are kept alive all the same."""
        until = time.monotonic() + seconds
        while not self._is_stopping and (left := until - time.monotonic()) > 0:
            bell.wait(min(left, HOUSEKEEPING_INTERVAL_SECONDS))
            self._tend(time.monotonic())

    def _read_everything_again(self) -> None:
        """What happened while nobody listened is unknown."""
        with self._lock:
            for identifier in self._open.pages():
                self._schedule.ring(identifier, time.monotonic())

    def _turns(self, listener: Listener) -> Iterator[None]:
        while not self._is_stopping:
            for notice in listener.wait(self._next_turn() - time.monotonic()):
                self._hear(notice, time.monotonic())
            now = time.monotonic()
            self._tend(now)
            self._take_out_vanished(listener.connection, now)
            self._read_what_is_due(listener.connection, now)
            yield

    def _next_turn(self) -> float:
        with self._lock:
            vanished = self._broken[0][0] + LEAVE_GRACE_SECONDS if self._broken else float("inf")
            return min(self._schedule.next_due(), vanished, self._tended_at + HOUSEKEEPING_INTERVAL_SECONDS)

    def _hear(self, notice: Notification, now: float) -> None:
        metrics.NOTIFICATIONS_RECEIVED.inc()
        with self._lock:
            if notice.event == notifications.SIGNED_OUT:
                for stream in self._open.of_profile(notice.profile):
                    _sign_out(stream)
            elif watched := self._open.page(notice.page):
                self._schedule.ring(watched.page.identifier, now)
                if notice.event == notifications.NUDGE:
                    _nudge(watched, notice.profile or 0, now)

    def _tend(self, now: float) -> None:
        """Once a second: pings, streams whose cookie has grown too old, readers that do not read."""
        if now < self._tended_at + HOUSEKEEPING_INTERVAL_SECONDS:
            return
        self._tended_at = now
        with self._lock:
            streams = self._open.all()
        for stream in streams:
            if now >= stream.ends_at:
                _end(stream, "moving")
            elif stream.waiting_since is not None and now - stream.waiting_since > SLOW_SECONDS:
                _drop(stream)
            elif now - stream.pinged_at >= PING_SECONDS:
                stream.pinged_at = now
                stream.post(PING, PING_FRAME)

    def _take_out_vanished(self, connection: PsycopgConnection, now: float) -> None:
        """Tabs whose connection broke a while ago and that nothing has been heard of since.

        One with another stream here is not gone; nor is one with a newer stream elsewhere, for its beats say so.
        """
        for _ in range(MAX_REMOVALS_PER_TURN):
            if not self._broken or now - self._broken[0][0] < LEAVE_GRACE_SECONDS:
                return
            broken_at, stream = self._broken[0]
            with self._lock:
                has_another = any(self._open.of_tab(stream))
            # Measured at the last moment: what passes until the statement runs would count as before the break, and so
            # would a beat in it.
            if not has_another and self._source.take_out(connection, stream, time.monotonic() - broken_at):
                metrics.TABS_VANISHED.inc()
            self._broken.popleft()  # not before: where the database is away, it is tried again

    def _read_what_is_due(self, connection: PsycopgConnection, now: float) -> None:
        with self._lock:
            due = [self._open.page(page) for page in self._schedule.take_due(now, MAX_PAGES_PER_READ)]
            groups = [(watched, list(watched.streams)) for watched in due if watched]
        if not groups:
            return
        held = [stream for _, streams in groups for stream in streams]
        readings = self._source.read(connection, [watched.page for watched, _ in groups], held)
        now = time.monotonic()
        with self._lock:
            for (watched, streams), reading in zip(groups, readings, strict=True):
                if self._open.page(watched.page.identifier) is watched:
                    self._schedule.was_read(watched.page.identifier, now, reading.changes_in_seconds)
                newcomers = {stream.caller.profile_id for stream in streams if stream.verdict is None}
                _broadcast(watched, streams, reading)
                for profile_id in newcomers:
                    for oldest in self._open.too_many_of(profile_id):
                        _end(oldest, "full")


PING_FRAME = frame(PING, "{}")


def _backoff_limit_seconds(failures: int) -> float:
    """Growing, and the same from the sixth failure on: after 1,024 of them no float would hold the power."""
    return min(MAX_BACKOFF_SECONDS, 0.25 * 2.0 ** min(failures, 6))


def _broadcast(watched: WatchedPage, streams: Sequence[Stream], reading: Reading) -> None:
    """Give each stream what it does not know yet, if it may; one that came meanwhile waits for the next reading."""
    events = []
    is_news = reading.state != watched.state
    if reading.version not in (watched.version, None) and watched.version is not None:
        events.append((SAVED, frame(SAVED, f'{{"version": {reading.version}}}')))
    events += [(NUDGE, nudge) for nudge in watched.nudges]
    roster = frame(ROSTER, reading.roster)
    watched.state, watched.version, watched.nudges = reading.state, reading.version, []
    for stream, verdict in zip(streams, reading.verdicts, strict=True):
        is_new, stream.verdict = stream.verdict is None, verdict
        if not verdict.may_see:
            _refuse(stream, is_new)
            continue
        if is_new or is_news:
            stream.post(ROSTER, roster)
            metrics.ROSTERS_SENT.inc()
        for event in events:
            stream.post(*event)
        stream.opened.set()


def _nudge(watched: WatchedPage, profile_id: int, now: float) -> None:
    if now - watched.nudged_at.get(profile_id, float("-inf")) < NUDGE_INTERVAL_SECONDS:
        return
    watched.nudged_at[profile_id] = now
    watched.nudges.append(frame(NUDGE, f'{{"by": {profile_id}}}'))


def _refuse(stream: Stream, is_new: bool) -> None:
    """Who never got in is answered with a status (`open`), who no longer may with the stream's last event."""
    if is_new:
        stream.end()
    else:
        _sign_out(stream)


def _sign_out(stream: Stream) -> None:
    if not stream.is_ended:
        metrics.STREAMS_ENDED.labels(SIGNED_OUT).inc()
        stream.end(frame(SIGNED_OUT, "{}"), is_refused=True)


def _end(stream: Stream, why: Reason) -> None:
    if not stream.is_ended:
        metrics.STREAMS_ENDED.labels(why).inc()
        stream.end(frame(END, f'{{"reason": "{why}"}}'))


def _drop(stream: Stream) -> None:
    """A reader that does not read. It may come back, and its tab has not vanished."""
    if not stream.is_ended:
        metrics.STREAMS_ENDED.labels("slow").inc()
        stream.end()
    if stream.client is not None:
        stream.client.cut()
