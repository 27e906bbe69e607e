"""Format values for users: money, dates, ages, names.

Templates use the functions as Jinja filters. The current day or time is an argument. Must not import Flask's request or
session, nor a feature.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from urllib.parse import quote

from flask import Flask
from jinja2 import StrictUndefined

from portal.clock import LONDON

EMPTY = "–"
AVATAR_HUES = 12
PAGES_AROUND = 1
UNITS_OF_DAYS = (("year", 365), ("month", 30), ("week", 7))
UNITS_OF_GBP = ((Decimal(10**12), "tn"), (Decimal(10**9), "bn"), (Decimal(10**6), "m"), (Decimal(10**3), "k"))


def init_formatting(app: Flask) -> None:
    """Register each filter under its own name. In tests an undefined name in a template is an error."""
    if app.testing:
        app.jinja_env.undefined = StrictUndefined  # otherwise Jinja renders it as nothing
    for each in (
        age_seconds,
        ago,
        change,
        day,
        days_ago,
        due,
        gbp,
        gbp_change,
        gbp_short,
        hue,
        initials,
        moment,
        page_numbers,
    ):
        app.add_template_filter(each)
    app.add_template_filter(mailbox)
    app.add_template_filter(percent)
    app.add_template_filter(since)
    app.add_template_filter(telephone)
    app.add_template_filter(timestamp)


def gbp(amount: Decimal | None) -> str:
    """Return an amount such as £1,284,602.18. Half a penny is rounded away from zero."""
    if amount is None:
        return EMPTY
    pennies = amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return f"{_minus(pennies)}£{abs(pennies):,.2f}"


def gbp_change(amount: Decimal) -> str:
    """Return a difference with its sign, such as +£11,300.00."""
    return f"{'+' if amount > 0 else ''}{gbp(amount)}"


def gbp_short(amount: Decimal) -> str:
    """Return a round amount for the axis of a chart, such as £1.25m."""
    size, unit = next(((size, unit) for size, unit in UNITS_OF_GBP if abs(amount) >= size), (Decimal(1), ""))
    return f"{_minus(amount)}£{_plain(abs(amount) / size)}{unit}"


def percent(share: Decimal | None) -> str:
    """Return a stored percentage, where 1 means 1%, such as 0.75%."""
    return EMPTY if share is None else f"{_minus(share)}{_plain(abs(share))}%"


def change(share: Decimal) -> str:
    """Return a percentage with sign and one decimal, such as +2.4%. Zero has no sign."""
    tenths = share.quantize(Decimal("0.1"), ROUND_HALF_UP)
    return f"{'+' if tenths > 0 else _minus(tenths)}{abs(tenths)}%"


def day(on: date | None) -> str:
    """Return a date such as 8 Dec 2026."""
    return EMPTY if on is None else f"{on.day} {on:%b %Y}"


def moment(at: datetime | None) -> str:
    """Return a time in London such as 22 Nov 2026, 10:42."""
    if at is None:
        return EMPTY
    local = at.astimezone(LONDON)
    return f"{day(local)}, {local:%H:%M}"


def since(at: datetime, now: datetime) -> str:
    """Return a moment in London for use after "since": 14:02, yesterday 14:02, Tuesday 14:02, 24 Nov 2026."""
    local, today = at.astimezone(LONDON), now.astimezone(LONDON).date()
    days = (today - local.date()).days
    if days > 6:
        return day(local)
    named = {0: "", 1: "yesterday "}.get(days, f"{local:%A} ")
    return f"{named}{local:%H:%M}"


def timestamp(at: datetime) -> str:
    """Return an ISO time for HTML such as 2026-11-22T10:42:07.109+00:00. HTML allows three decimals of a second."""
    return at.isoformat(timespec="milliseconds")


def ago(at: datetime, now: datetime) -> str:
    """Return an age such as 2 minutes ago. A time slightly later than `now` counts as now."""
    minutes = (now - at) // timedelta(minutes=1)
    if minutes < 1:
        return "less than a minute ago"
    if minutes < 60:
        return f"{_count(minutes, 'minute')} ago"
    if minutes < 24 * 60:
        return f"{_count(minutes // 60, 'hour')} ago"
    return f"{_span(minutes // (24 * 60))} ago"


def age_seconds(at: datetime, now: datetime) -> int:
    """Return the whole seconds since a moment, from which the browser continues to count."""
    return (now - at) // timedelta(seconds=1)


def due(on: date, today: date) -> str:
    """Return the distance to a due date: in 2 weeks, today, or 3 days overdue."""
    days = (on - today).days
    if days < 0:
        return f"{_span(-days)} overdue"
    return {0: "today", 1: "tomorrow"}.get(days) or f"in {_span(days)}"


def days_ago(on: date, today: date) -> str:
    """Return the age of a day: today, yesterday, 13 days ago, 8 weeks ago."""
    days = max(0, (today - on).days)
    return {0: "today", 1: "yesterday"}.get(days) or f"{_span(days)} ago"


def hue(profile_id: int) -> int:
    """Return the number of an avatar's colour, 0 to 11, for the CSS classes hue-0 to hue-11."""
    return profile_id % AVATAR_HUES


def initials(name: str) -> str:
    """Return the first letters of the first and the last word, such as RW for Ruth Anne Whitmore."""
    words = name.split()
    return "".join(word[0] for word in words[:1] + words[1:][-1:]).upper() or "?"


def telephone(number: str) -> str:
    """Return the number for a tel: link: digits and a leading plus, without the (0) of +44 (0)20."""
    dialled = number.strip()
    if dialled.startswith("+"):
        dialled = dialled.replace("(0)", "")
    digits = "".join(figure for figure in dialled if figure in "0123456789")
    return f"+{digits}" if dialled.startswith("+") else digits


def mailbox(address: str) -> str:
    """Return the address for a mailto: link, with @ and plus signs unescaped (RFC 6068)."""
    return quote(address, safe="@+")


def page_numbers(page: int, pages: int) -> list[int | None]:
    """Return the pages to link to: the first, the last and those around `page`, with None for a gap."""
    shown = {1, pages, *range(max(1, page - PAGES_AROUND), min(pages, page + PAGES_AROUND) + 1)}
    return list(_with_gaps(sorted(shown)))


def _with_gaps(numbers: list[int]) -> Iterator[int | None]:
    """Yield the numbers, with None for each gap of two pages or more. A single missing page is shown instead."""
    previous = 0
    for number in numbers:
        if number - previous == 2:
            yield number - 1
        elif number - previous > 2:
            yield None
        yield number
        previous = number


def _span(days: int) -> str:
    """Return the days in the largest unit that fits twice: 13 days, 2 weeks, 8 weeks, 2 months, 23 months."""
    unit, length = next((each for each in UNITS_OF_DAYS if days >= 2 * each[1]), ("day", 1))
    return _count(days // length, unit)


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def _plain(number: Decimal) -> str:
    """Return the number without trailing zeros and exponent: 0.5 for 0.50, 100 for 1E+2."""
    return f"{number.normalize():f}"


def _minus(number: Decimal) -> str:
    return "−" if number < 0 else ""
