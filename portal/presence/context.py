"""Build the template context of a page with presence."""

from collections.abc import Sequence
from typing import NamedTuple, TypedDict

from portal import page_kinds
from portal.config import PresenceTimings
from portal.config.current import current_settings
from portal.presence.beats import MAX_FIELD_LENGTH
from portal.presence.roster import Viewer


class PagePresence(TypedDict):
    """The context of templates/presence/_page.html."""

    page_identifier: str
    page_label: str
    resource_name: str
    activity: str
    part: str
    edit_warning: str
    heartbeat_seconds: int
    active_window_seconds: int
    version: int | None
    changes_url: str | None
    lost_url: str | None
    warning: "EditWarning | None"


class EditWarning(NamedTuple):
    """What an editor asks on arrival: whether to edit while these users are on the page. Without users it asks nothing.

    `back_url` is where a user goes who does not edit.
    """

    users: Sequence[Viewer]
    back_url: str


def presence_of(
    page_identifier: str,
    activity: str,
    resource_name: str,
    *,
    part: str = "",
    version: int | None = None,
    changes_url: str | None = None,
    lost_url: str | None = None,
    warning: EditWarning | None = None,
) -> PagePresence:
    """Return the presence context of one page. `activity` of its tab is "viewing" or "editing".

    `part` is the part of the record that the page edits; rosters name it until a field is changed. `version` is the
    version of the record that the page shows. `changes_url` returns what has changed since then, `lost_url` which user
    restricted the record.
    """
    settings = current_settings()
    timings = settings.presence
    kind = page_kinds.parse(page_identifier).kind
    return {
        "page_identifier": page_identifier,
        "page_label": kind.label,
        "resource_name": resource_name,
        "activity": activity,
        "part": part[:MAX_FIELD_LENGTH].strip(),
        "edit_warning": settings.edit_warning,
        "heartbeat_seconds": heartbeat_seconds(kind, timings),
        "active_window_seconds": timings.active_window_seconds,
        "version": version,
        "changes_url": changes_url,
        "lost_url": lost_url,
        "warning": warning,
    }


def list_heartbeat_seconds(kind_name: str) -> int:
    """Return how often a list of such pages fetches rosters: as often as the pages send heartbeats."""
    return heartbeat_seconds(page_kinds.kind_named(kind_name), current_settings().presence)


def heartbeat_seconds(kind: page_kinds.PageKind, timings: PresenceTimings) -> int:
    """Return the heartbeat interval of a page kind. Important pages have shorter ones."""
    return kind.heartbeat_seconds or timings.heartbeat_seconds
