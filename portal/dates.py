"""Days as people type them into a field, and as a field shows them. Pure.

The day comes first, the month may be a word, the year has four digits: so a field means the same day in a browser of
any language. static/js/editing/dates.js reads the same texts; tests/days.json is the table that tests both.
"""

import re
from datetime import date

EXAMPLE = "8/12/2026 or 8 December 2026"
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_ISO = re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})")
_TYPED = re.compile(
    r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?[\s./-]+(?P<month>[0-9]{1,2}|[a-z]{3,20})\.?"
    r"(?:[\s,./-]+(?P<year>[0-9]{1,20})?)?",
    re.IGNORECASE,
)


class UnreadableDay(ValueError):
    """The text is no day; the message says why, as a sentence."""


def written(day: date) -> str:
    """8 December 2026: what a field shows."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year:04}"


def read(text: str) -> date:
    """The day that was typed: 8/12/2026, 8 Dec 2026, or 2026-12-08 as programs write it. Raises UnreadableDay."""
    found = _ISO.fullmatch(text.strip()) or _TYPED.fullmatch(text.strip())
    if not found:
        raise UnreadableDay(f"Enter a date such as {EXAMPLE}.")
    month, year = _month(found["month"]), found["year"]
    if not year:
        raise UnreadableDay("Add the year, such as 31/12/2026.")
    if len(year) != 4:
        raise UnreadableDay("Enter the year with four digits, such as 31/12/2026.")
    try:
        return date(int(year), month, int(found["day"]))
    except ValueError:
        raise UnreadableDay(f"{int(found['day'])} {MONTHS[month - 1]} {year} is not in the calendar.") from None


def _month(text: str) -> int:
    if not text.isdigit():
        numbers = [number for number, name in enumerate(MONTHS, 1) if name.lower().startswith(text.lower())]
        if not numbers:
            raise UnreadableDay(f"{text} is not a month.")
        return numbers[0]
    if not 1 <= int(text) <= len(MONTHS):
        raise UnreadableDay(f"There is no month {int(text)}. The day comes first, such as 31/12/2026.")
    return int(text)
