"""What a roster says, derived from raw rows: a viewer is all of a profile's tabs merged. Pure.

Called by views and commands with what store.py read. Must not import Flask or SQLAlchemy.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypedDict

Tabs = Mapping[str, Mapping[str, Any]]


class Viewer(TypedDict):
    """One user of the API's rosters (docs/api.md). Times are ISO 8601 in UTC; `seconds_ago` is the server's."""

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


def _viewer(row: PresentRow, oldest_epoch: float) -> Viewer:
    # A tab that has not beaten inside the active window is gone, whatever it last said.
    tabs = [tab for tab in row.tabs.values() if tab["at"] > oldest_epoch]
    return {
        "id": row.id,
        "first_name": row.first_name,
        "last_name": row.last_name,
        "email": row.email,
        "last_seen": row.last_seen,
        "seconds_ago": int(row.seconds_ago),
        "entered_at": row.entered_at,
        "activity": "editing" if any(tab["activity"] == "editing" for tab in tabs) else "viewing",
        "visible": any(tab["visible"] for tab in tabs),
        "fields": sorted({field for tab in tabs for field in tab["fields"]}),
    }
