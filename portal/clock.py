"""The only clock of the application: aware UTC.

Presence does not use it: a beat is timed by the database's `now()`, which all workers share.
"""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The date at the firm's desks: London's, which at night differs from UTC's in summer."""
    return now().astimezone(LONDON).date()
