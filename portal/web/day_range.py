"""Parse a range of days in London from an untrusted query string, for the filters of logs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from portal import dates
from portal.clock import LONDON


@dataclass(frozen=True)
class DayRange:
    """The first and the last day; None has no limit."""

    since: date | None = None
    until: date | None = None

    @property
    def since_at(self) -> datetime | None:
        """Return the beginning of the first day, in London."""
        return _midnight(self.since) if self.since else None

    @property
    def until_at(self) -> datetime | None:
        """Return the end of the last day, in London."""
        return _midnight(self.until + timedelta(days=1)) if self.until else None

    def shown(self, args: Mapping[str, str]) -> dict[str, str]:
        """Return the content of the fields: the day that was read, or else the user's input."""
        days = {"since": self.since, "until": self.until}
        return {name: dates.written(day) if day else args.get(name, "") for name, day in days.items()}


def parse_day(text: str) -> date | None:
    """Return the day, None if it is empty or invalid. Call `problems_in` first, to report an invalid one."""
    try:
        return _parsed(text)
    except dates.UnreadableDay:
        return None


def problems_in(args: Mapping[str, str]) -> dict[str, str]:
    """Return the problem of each invalid day, by field. Ignoring one would show rows that the user excluded."""
    problems = {}
    for name in ("since", "until"):
        try:
            _parsed(args.get(name, ""))
        except dates.UnreadableDay as problem:
            problems[name] = str(problem)
    return problems


def _parsed(text: str) -> date | None:
    """Return the day, or None if the text is empty. Raises UnreadableDay."""
    if not text.strip():
        return None
    day = dates.read(text)
    if not 1970 <= day.year < 9999:
        raise dates.UnreadableDay("Enter a year from 1970 to 9998.")
    return day


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LONDON)
