"""Keep a bounded set of pending events in portal.live.stream, whether or not the browser reads them."""

import time

import pytest

from portal import page_kinds
from portal.live.stream import END, MAX_KEPT_BYTES, MAX_PENDING_NUDGES, NUDGE, ROSTER, SAVED, Stream
from portal.web.session_cookie import Identity

CLOSED: list[Stream] = []


@pytest.fixture
def stream(app: object) -> Stream:
    CLOSED.clear()
    page = page_kinds.parse("client-1")
    return Stream(page, Identity(1, "1"), "tab", 1, ends_at=time.monotonic(), connection=None, on_close=CLOSED.append)


def test_newest_event_of_each_kind_is_kept_and_all_are_sent_together(stream: Stream) -> None:
    for number in range(1000):
        stream.post(ROSTER, f"roster {number};".encode())
        stream.post(SAVED, f"saved {number};".encode())
        stream.post(NUDGE, f"nudge {number};".encode())

    sent = next(stream).decode().split(";")[:-1]

    assert sent == [
        "roster 999",
        "saved 999",
        *(f"nudge {number}" for number in range(1000 - MAX_PENDING_NUDGES, 1000)),
    ]


def test_pending_since_is_the_time_of_the_oldest_pending_event(stream: Stream) -> None:
    assert stream.pending_since is None
    stream.post(ROSTER, b"one")
    pending_since = stream.pending_since
    stream.post(ROSTER, b"two")
    assert stream.pending_since == pending_since is not None
    next(stream)
    assert stream.pending_since is None


def test_long_piece_is_followed_by_an_empty_one_so_that_the_server_does_not_keep_it(stream: Stream) -> None:
    rows = b"r" * (MAX_KEPT_BYTES + 1)
    stream.post(ROSTER, rows)
    assert [next(stream), next(stream)] == [rows, b""]
    stream.post(ROSTER, b"short;")
    assert next(stream) == b"short;"
    stream.post(ROSTER, rows)
    stream.end(b"end")
    assert list(stream) == [rows + b"end", b""]


def test_last_event_follows_the_pending_ones_and_ends_the_stream(stream: Stream) -> None:
    stream.post(ROSTER, b"roster;")
    stream.post(NUDGE, b"nudge;")
    stream.end(b"end")
    stream.post(ROSTER, b"too late")
    stream.end(b"twice")

    assert list(stream) == [b"roster;nudge;end"]


def test_refused_stream_sends_no_pending_event(stream: Stream) -> None:
    stream.post(ROSTER, b"roster;")
    stream.post(NUDGE, b"nudge;")
    stream.end(b"signed out", is_refused=True)

    assert list(stream) == [b"signed out"]


def test_disconnect_during_opening_ends_the_wait(stream: Stream) -> None:
    stream.disconnect()
    assert stream.opened.is_set()


def test_disconnected_stream_sends_nothing(stream: Stream) -> None:
    stream.post(ROSTER, b"roster")
    stream.disconnect()
    assert list(stream) == []


@pytest.mark.parametrize("is_ended_by_us", [True, False])
def test_stream_records_which_side_ended_it(stream: Stream, is_ended_by_us: bool) -> None:
    if is_ended_by_us:
        stream.end(END.encode())
    stream.close()

    assert stream.is_broken is not is_ended_by_us
    assert [stream] == CLOSED
