"""What one notification says: an event and numbers of ours, never anything about a person. Pure.

Notifications are a bell, not a message: whoever hears one reads the page again, so a lost one heals at the next.
"""

import json
from typing import Any, NamedTuple

CHANNEL = "portal_live"
ROSTER = "roster"  # who is on a page, or what they do, has changed; or who may see it
SAVED = "saved"  # a record has a new version
NUDGE = "nudge"  # somebody who waits asks those on the page to finish
SIGNED_OUT = "signed-out"  # a profile's sign-in sessions may have ended, or its role has changed
PAGE_EVENTS = (ROSTER, SAVED, NUDGE)


class Notification(NamedTuple):
    """`page` for the events of pages, `profile` for SIGNED_OUT and, as who asks, for NUDGE."""

    event: str
    page: str | None = None
    version: int | None = None
    profile: int | None = None

    def payload(self) -> str:
        """As it is sent."""
        return json.dumps({name: value for name, value in self._asdict().items() if value is not None})


def parse(payload: str) -> Notification | None:
    """The notice in a payload; None for what is none of ours, a newer release's perhaps."""
    try:
        members = json.loads(payload)
    except ValueError:
        return None
    if not isinstance(members, dict):
        return None
    notice = Notification(
        _text(members.get("event")) or "",
        _text(members.get("page")),
        _number(members.get("version")),
        _number(members.get("profile")),
    )
    is_whole = notice.page if notice.event in PAGE_EVENTS else notice.event == SIGNED_OUT and notice.profile
    return notice if is_whole else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
