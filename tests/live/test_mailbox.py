"""portal.live.stream: a mailbox that keeps what matters and cannot grow, whoever reads it or does not."""

import time

import pytest

from portal import page_kinds
from portal.live.stream import END, MAX_PENDING_NUDGES, NUDGE, ROSTER, SAVED, Stream
from portal.web.session_cookie import Identity

CLOSED: list[Stream] = []


@pytest.fixture
def stream(app: object) -> Stream:
    CLOSED.clear()
    page = page_kinds.parse("client-1")
    return Stream(page, Identity(1, "1"), "tab", 1, ends_at=time.monotonic(), client=None, on_close=CLOSED.append)


def test_of_each_kind_the_newest_is_kept_and_sent_together(stream: Stream) -> None:
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


def test_it_says_since_when_something_waits_to_be_taken(stream: Stream) -> None:
    assert stream.waiting_since is None
    stream.post(ROSTER, b"one")
    waiting_since = stream.waiting_since
    stream.post(ROSTER, b"two")
    assert stream.waiting_since == waiting_since is not None
    next(stream)
    assert stream.waiting_since is None


def test_the_last_word_comes_after_what_is_left_and_then_nothing(stream: Stream) -> None:
    stream.post(ROSTER, b"roster;")
    stream.post(NUDGE, b"nudge;")
    stream.end(b"end")
    stream.post(ROSTER, b"too late")
    stream.end(b"twice")

    assert list(stream) == [b"roster;nudge;end"]


def test_one_that_is_refused_is_told_nothing_that_is_left(stream: Stream) -> None:
    stream.post(ROSTER, b"roster;")
    stream.post(NUDGE, b"nudge;")
    stream.end(b"signed out", is_refused=True)

    assert list(stream) == [b"signed out"]


def test_one_that_is_broken_while_it_opens_lets_nobody_wait(stream: Stream) -> None:
    stream.break_off()
    assert stream.opened.is_set()


def test_one_that_is_broken_sends_nothing_more(stream: Stream) -> None:
    stream.post(ROSTER, b"roster")
    stream.break_off()
    assert list(stream) == []


@pytest.mark.parametrize("is_ended_by_us", [True, False])
def test_it_knows_which_side_ended_it(stream: Stream, is_ended_by_us: bool) -> None:
    if is_ended_by_us:
        stream.end(END.encode())
    stream.close()

    assert stream.is_broken is not is_ended_by_us
    assert [stream] == CLOSED
