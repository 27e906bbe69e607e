"""portal.live.notifications: what is said over NOTIFY and what is made of it."""

import pytest

from portal.live.notifications import NUDGE, ROSTER, SAVED, SIGNED_OUT, Notification, parse


@pytest.mark.parametrize(
    "notice",
    [
        Notification(ROSTER, page="client-42"),
        Notification(SAVED, page="client-42", version=7),
        Notification(NUDGE, page="client-42", profile=3),
        Notification(SIGNED_OUT, profile=3),
    ],
)
def test_what_is_sent_is_what_is_read(notice: Notification) -> None:
    assert parse(notice.payload()) == notice


@pytest.mark.parametrize(
    "payload",
    [
        *("", "{", "[]", "7", "null", "{}", '{"event": "roster"}', '{"event": "roster", "page": 7}'),
        *(
            '{"event": "tea", "page": "client-1"}',
            '{"event": "signed-out"}',
            '{"event": "signed-out", "profile": true}',
        ),
    ],
)
def test_what_is_none_of_ours_is_passed_over(payload: str) -> None:
    """Anybody who may connect may notify: a newer release, or another program."""
    assert parse(payload) is None
