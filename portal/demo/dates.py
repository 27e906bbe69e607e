"""Move the dates of the demo data, which are those of one day, to the present day. Pure.

Appointments, notes and changes keep their number of working days before or after that day, and their order. Birthdays,
start dates and valuations move by whole quarters, so that people keep their age, and a valuation is always of the last
day of a quarter.
"""

from calendar import monthrange
from datetime import date, datetime, time

from portal.clock import LONDON

WRITTEN_ON = date(2026, 11, 27)  # the day on which the data was true, a Friday
WEEK_DAYS, WORKING_DAYS = 7, 5
MONTHS_OF_YEAR, MONTHS_OF_QUARTER = 12, 3


def move_by_working_days(day: date, today: date) -> date:
    """Return the day that is as many working days before or after today as `day` is from WRITTEN_ON."""
    return _working_day(_working_days_until(day) - _working_days_until(WRITTEN_ON) + _working_days_until(today))


def move_by_quarters(day: date, today: date) -> date:
    """Return the day that is as many quarters before today's. The last day of a month stays one."""
    quarters = _quarter(today) - _quarter(WRITTEN_ON)
    months = day.year * MONTHS_OF_YEAR + day.month - 1 + quarters * MONTHS_OF_QUARTER
    year, month = divmod(months, MONTHS_OF_YEAR)
    last = monthrange(year, month + 1)[1]
    is_last = day.day == monthrange(day.year, day.month)[1]
    return date(year, month + 1, last if is_last else min(day.day, last))


def working_days_ago(count: int, at: str, today: date) -> datetime:
    """Return the time of day in London, `count` working days before today."""
    day = _working_day(_working_days_until(today) - count)
    return datetime.combine(day, time.fromisoformat(at), LONDON)


def _working_days_until(day: date) -> int:
    """Return the number of working days before the day. 1 January of the year 1 was a Monday.

    Saturday and Sunday count as the Monday after.
    """
    weeks, days = divmod(day.toordinal() - 1, WEEK_DAYS)
    return weeks * WORKING_DAYS + min(days, WORKING_DAYS)


def _working_day(number: int) -> date:
    """Return the working day with this number, as `_working_days_until` counts."""
    weeks, days = divmod(number, WORKING_DAYS)
    return date.fromordinal(1 + weeks * WEEK_DAYS + days)


def _quarter(day: date) -> int:
    return (day.year * MONTHS_OF_YEAR + day.month - 1) // MONTHS_OF_QUARTER
