"""Derive rosters from the rows of presence: a viewer merges all tabs of a profile. Pure.

Must not import Flask or SQLAlchemy.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, NotRequired, TypedDict

from portal.presence.beats import MAX_FIELDS

Tabs = Mapping[str, Mapping[str, Any]]
ARRIVED_SECONDS = 10  # so that a reading delayed by many changes still finds who has opened the page
VOLATILE_FIELDS = ("last_seen", "seconds_ago")  # every heartbeat changes them, and no page is redrawn for it


class Viewer(TypedDict):
    """One user in a roster of the API (docs/api.md). Times are ISO 8601 in UTC.

    `may_edit` is false for a user who may only read the record. `focus` exists only while the user is in a field. The
    last three members exist only if the user waits, has asked the others to finish, or has answered such a request.
    """

    id: int
    first_name: str
    last_name: str
    email: str
    last_seen: str
    seconds_ago: int
    entered_at: str
    may_edit: bool
    activity: str
    visible: bool
    fields: list[str]
    focus: NotRequired[str]
    waiting_since: NotRequired[str]
    asked_at: NotRequired[str]
    answer: NotRequired[str]


class PresentRow(NamedTuple):
    """One row of the presence table with its profile, as the statements return it."""

    id: int
    first_name: str
    last_name: str
    email: str
    last_seen: str
    entered_at: str
    seconds_ago: float
    may_edit: bool
    tabs: Tabs


class Roster(NamedTuple):
    """The rows of a page, newest heartbeat first, and the database's time when they were read (seconds since 1970)."""

    now_epoch: float
    rows: Sequence[Sequence[Any]]


def viewers(roster: Roster, active_window_seconds: int) -> list[Viewer]:
    """Return the viewers of a page, newest heartbeat first. Each merges the live tabs of one profile."""
    oldest = roster.now_epoch - active_window_seconds
    return [_viewer(PresentRow(*row), oldest) for row in roster.rows]


def roster_signature(viewers: Iterable[Viewer]) -> list[dict[str, object]]:
    """Return what users see of a roster: equal for two rosters that differ only in the times of heartbeats."""
    by_id = sorted(viewers, key=lambda viewer: viewer["id"])
    return [{name: value for name, value in viewer.items() if name not in VOLATILE_FIELDS} for viewer in by_id]


def changes_in_seconds(roster: Roster, active_window_seconds: int) -> float:
    """Return when the next tab leaves the active window, which changes the roster. Infinity without tabs."""
    oldest = roster.now_epoch - active_window_seconds
    tabs = (tab["at"] - oldest for row in roster.rows for tab in PresentRow(*row).tabs.values())
    return min((left for left in tabs if left > 0), default=float("inf"))


def arrived(roster: Roster) -> list[int]:
    """Return the ids of the profiles that have just opened the page."""
    since = datetime.fromtimestamp(roster.now_epoch - ARRIVED_SECONDS, UTC)
    present = (PresentRow(*row) for row in roster.rows)
    return [row.id for row in present if datetime.fromisoformat(row.entered_at) > since]


def _viewer(row: PresentRow, oldest_epoch: float) -> Viewer:
    # A tab without a heartbeat in the active window is not present.
    tabs = [tab for tab in row.tabs.values() if tab["at"] > oldest_epoch]
    viewer: Viewer = {
        "id": row.id,
        "first_name": row.first_name,
        "last_name": row.last_name,
        "email": row.email,
        "last_seen": row.last_seen,
        "seconds_ago": int(row.seconds_ago),
        "entered_at": row.entered_at,
        "may_edit": row.may_edit,
        "activity": "viewing",
        "visible": False,
        "fields": [],
    }
    # Usually there is one tab. Generators took twice as long as this loop, a fifth of a heartbeat's time in Python.
    for tab in tabs:
        if tab["activity"] == "editing":
            viewer["activity"] = "editing"
        if tab["visible"]:
            viewer["visible"] = True
        if tab["fields"]:
            viewer["fields"] = sorted({*viewer["fields"], *tab["fields"]})[:MAX_FIELDS]
    if focused := [tab for tab in tabs if "focus" in tab]:
        viewer["focus"] = max(focused, key=lambda tab: tab["since"])["focus"]
    if any("waiting" in tab or "answer" in tab for tab in tabs):
        _add_waiting(viewer, tabs)
    return viewer


def _add_waiting(viewer: Viewer, tabs: Sequence[Mapping[str, Any]]) -> None:
    """Add the start of the longest wait, the time of the latest nudge, and the latest reply to one."""
    waiting = [tab for tab in tabs if "waiting_since" in tab]
    if waiting:
        viewer["waiting_since"] = _iso_time(min(tab["waiting_since"] for tab in waiting))
    if asked_at := [tab["asked_at"] for tab in waiting if tab.get("asked_at", 0) >= tab["waiting_since"]]:
        viewer["asked_at"] = _iso_time(max(asked_at))
    if replies := [(tab["since"], tab["answer"]) for tab in tabs if "answer" in tab]:
        viewer["answer"] = max(replies)[1]


def _iso_time(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat()
