"""The geometry of the value chart."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.clients.page.value_chart import HEIGHT, WIDTH, last_different_on, value_chart

QUARTERS = [date(2026, 2, 20), date(2026, 5, 22), date(2026, 8, 21)]


def history(*amounts: int) -> list[tuple[date, Decimal]]:
    return [(on, Decimal(amount)) for on, amount in zip(QUARTERS, amounts, strict=False)]


def test_chart_of_fewer_than_two_points_is_empty() -> None:
    assert value_chart([]) is None
    assert value_chart(history(100)) is None


def test_its_levels_are_round_and_hold_every_point() -> None:
    chart = value_chart(history(716_000, 900_000, 1_284_602))

    assert chart is not None
    assert chart.levels == (1_400_000, 1_200_000, 1_000_000, 800_000, 600_000)


def test_axis_starts_at_zero_when_values_are_near_zero() -> None:
    chart = value_chart(history(0, 40_000, 118_000))

    assert chart is not None
    assert chart.levels[-1] == 0
    assert chart.marks[0].y == HEIGHT


def test_values_that_never_change_make_a_level_line() -> None:
    for amount in (0, 5_000):
        chart = value_chart(history(amount, amount, amount))
        assert chart is not None
        assert len({mark.y for mark in chart.marks}) == 1


def test_dates_are_true_to_scale() -> None:
    start = date(2026, 1, 1)
    chart = value_chart([(start + timedelta(days=days), Decimal(1)) for days in (0, 10, 100)])

    assert chart is not None
    assert [mark.x for mark in chart.marks] == [0, WIDTH / 10, WIDTH]
    assert chart.middle_on == start + timedelta(days=50)


@given(
    st.dictionaries(
        st.dates(date(1990, 1, 1), date(2090, 1, 1)),
        st.decimals(Decimal("-1e12"), Decimal("1e12"), places=2),
        min_size=2,
        max_size=40,
    )
)
def test_everything_stays_inside_the_frame(points: dict[date, Decimal]) -> None:
    chart = value_chart(sorted(points.items()))

    assert chart is not None
    assert all(0 <= mark.x <= WIDTH and 0 <= mark.y <= HEIGHT for mark in chart.marks)
    assert sum(mark.width for mark in chart.marks) == pytest.approx(WIDTH, abs=0.5)
    assert 2 <= len(chart.levels) <= 6


@pytest.mark.parametrize(
    ("amounts", "since"),
    [
        ((100, 200, 210), QUARTERS[1]),
        ((200, 100, 100), QUARTERS[0]),
        ((5, 5, 5), None),
        ((5,), None),
        ((), None),
    ],
)
def test_last_day_of_a_different_total_is_found(amounts: tuple[int, ...], since: date | None) -> None:
    assert last_different_on(history(*amounts)) == since
