"""What a template needs to make its page a meeting place. Called by the views of any page kind."""

from typing import TypedDict

from flask import current_app

from portal import page_kinds
from portal.config import PresenceTimings
from portal.presence.beats import MAX_FIELD_LENGTH


class PagePresence(TypedDict):
    """The context of templates/presence/_page.html."""

    page_identifier: str
    page_label: str
    resource_name: str
    activity: str
    part: str
    heartbeat_seconds: int
    active_window_seconds: int
    version: int | None
    changes_url: str | None
    lost_url: str | None


def presence_of(
    page_identifier: str,
    activity: str,
    resource_name: str,
    *,
    part: str = "",
    version: int | None = None,
    changes_url: str | None = None,
    lost_url: str | None = None,
) -> PagePresence:
    """The presence of one page; `activity` is what its tab does: viewing or editing.

    `part` is the part of the record that the page edits: until a field is changed, rosters name it in place of fields.
    `version` is that of the record as the page shows it, `changes_url` where the page asks what has changed since,
    `lost_url` who took it away.
    """
    timings = current_app.config["SETTINGS"].presence
    kind = page_kinds.parse(page_identifier).kind
    return {
        "page_identifier": page_identifier,
        "page_label": kind.label,
        "resource_name": resource_name,
        "activity": activity,
        "part": part[:MAX_FIELD_LENGTH].strip(),
        "heartbeat_seconds": heartbeat_seconds(kind, timings),
        "active_window_seconds": timings.active_window_seconds,
        "version": version,
        "changes_url": changes_url,
        "lost_url": lost_url,
    }


def list_heartbeat_seconds(kind_name: str) -> int:
    """How often a list of such pages asks who is on each: as often as the pages themselves beat."""
    return heartbeat_seconds(page_kinds.kind_named(kind_name), current_app.config["SETTINGS"].presence)


def heartbeat_seconds(kind: page_kinds.PageKind, timings: PresenceTimings) -> int:
    """How often a tab on such a page beats; the more the page matters, the shorter."""
    return kind.heartbeat_seconds or timings.heartbeat_seconds
