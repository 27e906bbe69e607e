"""Calculate the geometry of the value chart.

The template draws inline SVG from the numbers and formats them. Pure. Must not import anything of the portal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import pairwise

WIDTH = 600
HEIGHT = 160
STEPS = 3
ROUND_FACTORS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))


@dataclass(frozen=True)
class Mark:
    """One valuation day. `left` and `width` are the strip in which the pointer selects this mark."""

    on: date
    amount: Decimal
    x: float
    y: float
    left: float
    width: float


@dataclass(frozen=True)
class ValueChart:
    """The drawing of size WIDTH × HEIGHT. `levels` and `level_ys` are evenly spaced from the top down."""

    width: int
    height: int
    line: str
    area: str
    marks: tuple[Mark, ...]
    levels: tuple[Decimal, ...]
    level_ys: tuple[float, ...]
    middle_on: date
    lowest: Mark
    highest: Mark


def value_chart(points: Sequence[tuple[date, Decimal]]) -> ValueChart | None:
    """Return the chart of points in order of date, each date once. Returns None for fewer than two points."""
    if len(points) < 2:
        return None
    levels = _levels([amount for _, amount in points])
    marks = _marks(points, levels)
    line = "M" + " L".join(f"{mark.x} {mark.y}" for mark in marks)
    return ValueChart(
        width=WIDTH,
        height=HEIGHT,
        line=line,
        area=f"{line} V{HEIGHT} H0 Z",
        marks=marks,
        levels=levels,
        level_ys=tuple(_y(level, levels) for level in levels),
        middle_on=points[0][0] + (points[-1][0] - points[0][0]) / 2,
        lowest=min(marks, key=lambda mark: mark.amount),
        highest=max(marks, key=lambda mark: mark.amount),
    )


def last_different_on(points: Sequence[tuple[date, Decimal]]) -> date | None:
    """Return the last day on which the total differed from the current one, None if it never did."""
    return next((on for on, amount in reversed(points) if amount != points[-1][1]), None)


def _levels(amounts: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """Return round amounts from the top down that enclose `amounts`. They start at 0 unless all are far above it."""
    low, high = min(amounts), max(amounts)
    floor = low if low > high / 2 or low < 0 else Decimal(0)
    step = _round_step((high - floor) / STEPS or abs(high) / STEPS or Decimal(1))
    bottom = (floor / step).to_integral_value(ROUND_FLOOR)
    top = max((high / step).to_integral_value(ROUND_CEILING), bottom + 1)
    return tuple(step * (top - number) for number in range(int(top - bottom) + 1))


def _round_step(rough: Decimal) -> Decimal:
    """Return the next higher 1, 2, 2.5 or 5 times a power of ten."""
    power = Decimal(10) ** rough.adjusted()
    return next(factor * power for factor in ROUND_FACTORS if factor * power >= rough)


def _marks(points: Sequence[tuple[date, Decimal]], levels: tuple[Decimal, ...]) -> tuple[Mark, ...]:
    first, last = points[0][0], points[-1][0]
    xs = [round(WIDTH * ((on - first) / (last - first)), 1) for on, _ in points]
    halfway = [round((left + right) / 2, 1) for left, right in pairwise(xs)]
    edges = [0.0, *halfway, float(WIDTH)]
    return tuple(
        Mark(on, amount, x, _y(amount, levels), left, round(right - left, 1))
        for (on, amount), x, (left, right) in zip(points, xs, pairwise(edges), strict=True)
    )


def _y(amount: Decimal, levels: tuple[Decimal, ...]) -> float:
    return round(float(HEIGHT * (levels[0] - amount) / (levels[0] - levels[-1])), 1)
