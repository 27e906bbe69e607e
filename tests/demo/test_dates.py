"""Test how the dates of the demo data move to another day."""

from datetime import UTC, date, datetime

import pytest

from portal.demo.dates import move_by_quarters, move_by_working_days, working_days_ago

FRIDAY, SATURDAY, MONDAY = date(2026, 11, 27), date(2026, 11, 28), date(2026, 11, 30)


@pytest.mark.parametrize(
    ("day", "today", "moved"),
    [
        (FRIDAY, FRIDAY, FRIDAY),
        (date(2026, 11, 26), FRIDAY, date(2026, 11, 26)),
        (date(2026, 11, 26), MONDAY, FRIDAY),  # one working day before
        (MONDAY, date(2027, 1, 1), date(2027, 1, 4)),  # one working day after
        (date(2026, 11, 26), SATURDAY, FRIDAY),
        (date(2026, 11, 26), date(2026, 11, 29), FRIDAY),
        (date(2026, 11, 23), date(2024, 2, 29), date(2024, 2, 23)),  # four working days before, over a weekend
    ],
)
def test_day_keeps_its_number_of_working_days_from_today(day: date, today: date, moved: date) -> None:
    assert move_by_working_days(day, today) == moved


@pytest.mark.parametrize(
    ("day", "today", "moved"),
    [
        (date(2026, 9, 30), date(2026, 12, 31), date(2026, 9, 30)),
        (date(2026, 9, 30), date(2027, 1, 1), date(2026, 12, 31)),  # the end of a month stays one
        (date(2026, 9, 30), date(2028, 6, 30), date(2028, 3, 31)),
        (date(1957, 3, 14), date(2027, 11, 1), date(1958, 3, 14)),
        (date(2025, 11, 29), date(2027, 2, 10), date(2026, 2, 28)),
        (date(2024, 2, 29), date(2026, 8, 1), date(2023, 11, 30)),
        (date(2026, 9, 30), date(2024, 1, 15), date(2023, 12, 31)),
    ],
)
def test_day_moves_by_whole_quarters(day: date, today: date, moved: date) -> None:
    assert move_by_quarters(day, today) == moved


def test_time_is_that_of_london_in_summer_and_winter() -> None:
    assert working_days_ago(1, "09:30", MONDAY) == datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
    assert working_days_ago(1, "09:30", date(2026, 7, 1)) == datetime(2026, 6, 30, 8, 30, tzinfo=UTC)
