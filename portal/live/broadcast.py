"""Send events to open streams, and end streams with their last event.

The hub holds its lock while it calls these functions.
"""

from collections.abc import Sequence

import orjson

from portal.live.listed import MAX_ORDERS_PER_SECOND, MAX_QUESTIONS_PER_SECOND
from portal.live.registry import WatchedPage
from portal.live.source import Authorization, ProfileReading, Reading
from portal.live.stream import (
    DRAFTS,
    END,
    LISTED,
    NOTIFICATIONS,
    NUDGE,
    PING,
    ROSTER,
    ROW,
    SAVED,
    SAVES,
    SIGNED_OUT,
    EndReason,
    Stream,
    frame,
)
from portal.monitoring import metrics

NUDGE_INTERVAL_SECONDS = 5  # between two nudge events of one profile on one page
PING_FRAME = frame(PING, "{}")
# A page of release 0.1 waits after "full" only, so the hub sends "replaced" under that name until 0.3. The page treats
# any other reason as a restart.
SENT_REASONS: dict[EndReason, str] = {"restarting": "restarting", "replaced": "full"}
# Of the unsaved values of one page, to all its streams. Twenty editors of short fields send a fifth of it.
MAX_DRAFT_BYTES_PER_SECOND = 2 * 2**20


def broadcast(watched: WatchedPage, streams: Sequence[Stream], reading: Reading) -> None:
    """Send each authorised stream what has changed since it was last sent, and end the others.

    `streams` are those that the reading has authorised. A stream that opened since then waits for the next reading.
    """
    events = []
    is_changed = reading.signature != watched.signature
    if reading.version not in (watched.version, None) and watched.version is not None:
        events.append((SAVED, frame(SAVED, f'{{"version": {reading.version}}}')))
    events += [(NUDGE, nudge) for nudge in watched.nudges]
    roster = frame(ROSTER, reading.roster)
    watched.signature, watched.version, watched.nudges = reading.signature, reading.version, []
    for stream, authorization in zip(streams, reading.authorizations, strict=True):
        is_new, stream.authorization = stream.authorization is None, authorization
        if not authorization.may_see:
            _refuse(stream, is_new, authorization)
            continue
        if is_new or is_changed:
            stream.post(ROSTER, roster)
            metrics.ROSTERS_SENT.inc()
        for event in events:
            stream.post(*event)
        stream.opened.set()


def broadcast_drafts(watched: WatchedPage, streams: Sequence[Stream], reading: Reading, now: float) -> None:
    """Send each stream the unsaved values that it may see, if it was last sent others.

    The more bytes this takes, the later the drafts of the page are read again.
    """
    if reading.drafts is None:
        return
    sent_bytes = 0
    frames: dict[int, bytes] = {}
    for stream, drafts in zip(streams, reading.drafts, strict=True):
        if drafts.signature == stream.drafts_signature:
            continue
        stream.drafts_signature = drafts.signature
        if id(drafts) not in frames:  # one frame of up to a megabyte for all streams with the same forms
            frames[id(drafts)] = frame(DRAFTS, orjson.dumps(drafts.content).decode())
        content = frames[id(drafts)]
        stream.post(DRAFTS, content)
        sent_bytes += len(content)
    if sent_bytes:
        metrics.DRAFTS_SENT.inc()
        watched.drafts_due_at = now + sent_bytes / MAX_DRAFT_BYTES_PER_SECOND


def broadcast_row(streams: Sequence[Stream], reading: Reading) -> None:
    """Send each list what has changed of its row. A row that the user may no longer see is sent as gone, once.

    The stream has no event for a row that the user may not see when the list opens. Lists without such a row hear that
    they may have to show it.
    """
    if not streams:
        return  # most pages are in no open list
    identifier = reading.page.identifier
    name, mark = f"{ROW} {identifier}", hash(orjson.dumps((reading.signature, reading.version)))
    row = frame(ROW, f'{{"page": "{identifier}", {reading.roster[1:]}')
    for stream, authorization in zip(streams, reading.row_authorizations, strict=True):
        if not authorization.is_signed_in or identifier not in stream.rows:
            continue  # the reading of its profile ends the stream
        if not authorization.may_see:
            if stream.rows.pop(identifier) is not None:
                stream.post(name, frame(ROW, f'{{"page": "{identifier}", "gone": true}}'))
        elif stream.rows[identifier] != mark:
            stream.rows[identifier] = mark
            stream.post(name, row)
            metrics.ROSTERS_SENT.inc()
    _broadcast_listed(streams, reading)


def _broadcast_listed(streams: Sequence[Stream], reading: Reading) -> None:
    """Tell each list that has no row for the page, and whose user may see it, that it may have to show it.

    One that follows arrivals hears of it if another user has just opened the page.
    """
    identifier = reading.page.identifier
    if all(identifier in stream.rows for stream in streams):
        return  # the page has changed, and lists without it do not hear of that
    for follows, rate in MAX_QUESTIONS_PER_SECOND.items():
        lists = [each for each in zip(streams, reading.row_authorizations, strict=True) if each[0].follows == follows]
        listed = frame(LISTED, f'{{"page": "{identifier}", "within_ms": {_ms_for(lists, rate)}}}')
        for stream, authorization in lists:
            is_new = follows == SAVES or any(each != stream.caller.profile_id for each in reading.arrived)
            if is_new and authorization.may_see and identifier not in stream.rows:
                stream.post(f"{LISTED} {identifier}", listed)


def compare_lists(streams: Sequence[Stream]) -> None:
    """Let each list compare its rows with its view, because it has not heard of every page that it may have to show."""
    listed = frame(LISTED, f'{{"within_ms": {_ms_for(streams, MAX_ORDERS_PER_SECOND)}}}')
    for stream in streams:
        stream.post(LISTED, listed)


def broadcast_profile(streams: Sequence[Stream], reading: ProfileReading) -> None:
    """Send the streams of a profile the number of its unread notifications, if they were sent another."""
    count = frame(NOTIFICATIONS, f'{{"unread": {reading.unread}}}')
    for stream, authorization in zip(streams, reading.authorizations, strict=True):
        is_new = stream.authorization is None
        if stream.page is None:
            stream.authorization = authorization
        if not authorization.is_signed_in:
            _refuse(stream, is_new, authorization)
            continue
        if stream.unread != reading.unread:
            stream.unread = reading.unread
            stream.post(NOTIFICATIONS, count)
        if stream.page is None:
            stream.opened.set()


def ping(stream: Stream, now: float) -> None:
    """Send an event without content, so that proxies keep the connection open."""
    stream.pinged_at = now
    stream.post(PING, PING_FRAME)


def add_nudge(watched: WatchedPage, profile_id: int, now: float) -> None:
    """Queue a nudge for the page's next reading, unless the profile has sent one within NUDGE_INTERVAL_SECONDS."""
    if now - watched.nudged_at.get(profile_id, float("-inf")) < NUDGE_INTERVAL_SECONDS:
        return
    watched.nudged_at[profile_id] = now
    watched.nudges.append(frame(NUDGE, f'{{"by": {profile_id}}}'))


def end(stream: Stream, reason: EndReason) -> None:
    """End a stream with an event that contains the reason."""
    if not stream.is_ended:
        metrics.count_ended_stream(reason)
        stream.end(frame(END, f'{{"reason": "{SENT_REASONS[reason]}"}}'))


def end_signed_out(stream: Stream) -> None:
    """End a stream whose user may no longer see the page. Pending events are dropped."""
    if not stream.is_ended:
        metrics.count_ended_stream(SIGNED_OUT)
        stream.end(frame(SIGNED_OUT, "{}"), is_refused=True)


def drop_slow(stream: Stream) -> None:
    """End a stream whose browser does not read. It may reconnect, and its tab stays on the page."""
    if not stream.is_ended:
        metrics.count_ended_stream("slow")
        stream.end()
    if stream.connection is not None:
        stream.connection.cut()


def _ms_for(streams: Sequence[object], requests_per_second: int) -> int:
    return len(streams) * 1000 // requests_per_second


def _refuse(stream: Stream, is_new: bool, authorization: Authorization) -> None:
    """End an unauthorised stream: a new one gets an HTTP status from `Hub.open`, an open one its last event."""
    stream.authorization = authorization
    if is_new:
        stream.end()
    else:
        end_signed_out(stream)
