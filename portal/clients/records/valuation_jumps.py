"""Amounts that are far away from the valuation before: perhaps meant, perhaps a slip of the finger. Pure.

People confirm them, an import names them.
"""

from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import NamedTuple

from portal.formatting import day, gbp

MAX_CHANGE = Decimal("0.75")


class Before(NamedTuple):
    """The valuation of the same product before a day."""

    valued_on: date
    amount: Decimal


def is_jump(amount: Decimal, before: Decimal) -> bool:
    """Tell whether the amount differs from the one before by more than three quarters of that. Never from nought."""
    return before != 0 and abs(amount - before) > MAX_CHANGE * abs(before)


def in_words(amount: Decimal, before: Before) -> str:
    """Say by how much: "£120.00 is 99% less than the valuation before (£12,000.00 on 31 Mar 2026)"."""
    share = (abs(amount - before.amount) / abs(before.amount) * 100).quantize(Decimal(1), ROUND_DOWN)
    than = "less" if amount < before.amount else "more"
    earlier = f"{gbp(before.amount)} on {day(before.valued_on)}"
    return f"{gbp(amount)} is {share:,}% {than} than the valuation before ({earlier})"
