"""Read dates that users type, and write dates for fields.

The day comes first, the month may be a word, and the year has four digits. A field therefore means the same day in
browsers of all languages. static/js/editing/dates.js reads the same texts; tests/days.json contains the examples for
both.
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
    """The text is not a date. The message is a sentence with the reason."""


def written(day: date) -> str:
    """Return the text that a field shows, for example "8 December 2026"."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year:04}"


def read(text: str) -> date:
    """Return the date of a text: 8/12/2026, 8 Dec 2026, or 2026-12-08. Raises UnreadableDay."""
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
