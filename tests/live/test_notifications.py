"""Encode and parse the payload of notifications."""

import pytest

from portal.live.notifications import IMPORTED, NUDGE, ROSTER, SAVED, SIGNED_OUT, Notification, parse


@pytest.mark.parametrize(
    "notice",
    [
        Notification(ROSTER, page="client-42"),
        Notification(SAVED, page="client-42", version=7),
        Notification(NUDGE, page="client-42", profile=3),
        Notification(SIGNED_OUT, profile=3),
        Notification(IMPORTED),
    ],
)
def test_encoded_notification_is_parsed_unchanged(notice: Notification) -> None:
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
def test_unknown_payload_is_ignored(payload: str) -> None:
    """Other programs and newer releases may notify on the channel, too."""
    assert parse(payload) is None
