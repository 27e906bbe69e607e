"""Detect amounts that are far from the previous valuation and may be typing errors. Pure.

Users confirm them; an import lists them.
"""

from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import NamedTuple

from portal.formatting import day, gbp

MAX_CHANGE = Decimal("0.75")


class PreviousValuation(NamedTuple):
    """The valuation of the same product before a day."""

    valued_on: date
    amount: Decimal


def is_jump(amount: Decimal, before: Decimal) -> bool:
    """Return whether the amounts differ by more than three quarters of the earlier one. False if that is 0."""
    return before != 0 and abs(amount - before) > MAX_CHANGE * abs(before)


def describe_jump(amount: Decimal, before: PreviousValuation) -> str:
    """Describe the difference: "£120.00 is 99% less than the valuation before (£12,000.00 on 31 Mar 2026)"."""
    share = (abs(amount - before.amount) / abs(before.amount) * 100).quantize(Decimal(1), ROUND_DOWN)
    than = "less" if amount < before.amount else "more"
    earlier = f"{gbp(before.amount)} on {day(before.valued_on)}"
    return f"{gbp(amount)} is {share:,}% {than} than the valuation before ({earlier})"
