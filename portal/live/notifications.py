"""Encode and parse the payload of a notification: an event and ids, never personal data. Pure.

A notification is a hint: its receiver reads the page again. The next reading recovers a lost one.
"""

import json
from typing import NamedTuple

CHANNEL = "portal_live"
ROSTER = "roster"  # the viewers of a page or their activities have changed, or its permissions
SAVED = "saved"  # the page's record has a new version
DRAFTS = "drafts"  # the unsaved input of an editor of the page has changed
NUDGE = "nudge"  # a waiting user asks the others on the page to finish
SIGNED_OUT = "signed-out"  # a profile's sign-in sessions or role may have changed
NOTIFIED = "notified"  # a profile has a notification, or has read one
IMPORTED = "imported"  # an import has changed records: one event, however many they are
PAGE_EVENTS = (ROSTER, SAVED, DRAFTS, NUDGE)
ROW_EVENTS = (ROSTER, SAVED)  # those that change what lists show of a page
PROFILE_EVENTS = (SIGNED_OUT, NOTIFIED)
GENERAL_EVENTS = (IMPORTED,)


class Notification(NamedTuple):
    """PAGE_EVENTS have a `page`, PROFILE_EVENTS a `profile`, GENERAL_EVENTS neither.

    NUDGE also has a profile: the one that asks. `lists` of SAVED: lists that do not show the page may have to now.
    """

    event: str
    page: str | None = None
    version: int | None = None
    profile: int | None = None
    lists: bool | None = None

    def payload(self) -> str:
        """Return the notification as JSON."""
        return json.dumps({name: value for name, value in self._asdict().items() if value is not None})


def parse(payload: str) -> Notification | None:
    """Return the notification in a payload; None for an unknown one, for example of a newer release."""
    try:
        members = json.loads(payload)
    except ValueError:
        return None
    if not isinstance(members, dict):
        return None
    notification = Notification(
        _text(members.get("event")) or "",
        _text(members.get("page")),
        _number(members.get("version")),
        _number(members.get("profile")),
        members.get("lists") is True or None,
    )
    if notification.event in PAGE_EVENTS:
        return notification if notification.page else None
    if notification.event in PROFILE_EVENTS:
        return notification if notification.profile else None
    return notification if notification.event in GENERAL_EVENTS else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
