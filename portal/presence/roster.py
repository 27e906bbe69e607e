"""What a roster says, derived from raw rows: a viewer is all of a profile's tabs merged. Pure.

Called by views and commands with what store.py read. Must not import Flask or SQLAlchemy.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, NotRequired, TypedDict

from portal.presence.beats import MAX_FIELDS

Tabs = Mapping[str, Mapping[str, Any]]
VOLATILE_FIELDS = ("last_seen", "seconds_ago")  # what every beat changes, and no page is redrawn for


class Viewer(TypedDict):
    """One user of the API's rosters (docs/api.md). Times are ISO 8601 in UTC; `seconds_ago` is the server's.

    The last three only of somebody who waits, has asked the others to finish, or has answered somebody who has.
    """

    id: int
    first_name: str
    last_name: str
    email: str
    last_seen: str
    seconds_ago: int
    entered_at: str
    activity: str
    visible: bool
    fields: list[str]
    waiting_since: NotRequired[str]
    asked_at: NotRequired[str]
    answer: NotRequired[str]


class PresentRow(NamedTuple):
    """One row of the presence table with its profile, as the statements' rosters hold it."""

    id: int
    first_name: str
    last_name: str
    email: str
    last_seen: str
    entered_at: str
    seconds_ago: float
    tabs: Tabs


class Roster(NamedTuple):
    """The rows of a page, newest beat first, and the database's time as they were read (seconds since 1970)."""

    now_epoch: float
    rows: Sequence[Sequence[Any]]


def viewers(roster: Roster, active_window_seconds: int) -> list[Viewer]:
    """The viewers of a page, newest beat first: each profile's live tabs merged into one."""
    oldest = roster.now_epoch - active_window_seconds
    return [_viewer(PresentRow(*row), oldest) for row in roster.rows]


def roster_signature(viewers: Iterable[Viewer]) -> Any:
    """What people see of a roster: equal for two rosters that differ only in who beat when."""
    shown = [{name: value for name, value in viewer.items() if name not in VOLATILE_FIELDS} for viewer in viewers]
    return sorted(shown, key=lambda viewer: viewer["id"])


def changes_in_seconds(roster: Roster, active_window_seconds: int) -> float:
    """When the roster changes by itself: a tab's last beat falls out of the active window. Infinity without tabs."""
    oldest = roster.now_epoch - active_window_seconds
    tabs = (tab["at"] - oldest for row in roster.rows for tab in PresentRow(*row).tabs.values())
    return min((left for left in tabs if left > 0), default=float("inf"))


def _viewer(row: PresentRow, oldest_epoch: float) -> Viewer:
    # A tab that has not beaten inside the active window is gone, whatever it last said.
    tabs = [tab for tab in row.tabs.values() if tab["at"] > oldest_epoch]
    viewer: Viewer = {
        "id": row.id,
        "first_name": row.first_name,
        "last_name": row.last_name,
        "email": row.email,
        "last_seen": row.last_seen,
        "seconds_ago": int(row.seconds_ago),
        "entered_at": row.entered_at,
        "activity": "viewing",
        "visible": False,
        "fields": [],
    }
    for tab in tabs:  # mostly one; of a beat's time in Python this is a tenth, and generators were twice that
        if tab["activity"] == "editing":
            viewer["activity"] = "editing"
        if tab["visible"]:
            viewer["visible"] = True
        if tab["fields"]:
            viewer["fields"] = sorted({*viewer["fields"], *tab["fields"]})[:MAX_FIELDS]
    if any("waiting" in tab or "answer" in tab for tab in tabs):
        _add_waiting(viewer, tabs)
    return viewer


def _add_waiting(viewer: Viewer, tabs: Sequence[Mapping[str, Any]]) -> None:
    """Since when the first of the tabs waits, when the last of those asked, and what the last to answer said."""
    waiting = [tab for tab in tabs if "waiting_since" in tab]
    if waiting:
        viewer["waiting_since"] = _moment(min(tab["waiting_since"] for tab in waiting))
    if asked := [tab["asked_at"] for tab in waiting if tab.get("asked_at", 0) >= tab["waiting_since"]]:
        viewer["asked_at"] = _moment(max(asked))
    if answers := [(tab["since"], tab["answer"]) for tab in tabs if "answer" in tab]:
        viewer["answer"] = max(answers)[1]


def _moment(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat()
