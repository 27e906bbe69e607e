"""Provide the application's clock, in aware UTC.

Presence uses the database's `now()` instead, which is the same for all workers.
"""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def now() -> datetime:
    """Return the current time as aware UTC."""
    return datetime.now(UTC)


def today() -> date:
    """Return the date in London, which differs from UTC's during an hour of each summer night."""
    return now().astimezone(LONDON).date()
