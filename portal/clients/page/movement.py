"""How the total value of a client's products has moved, and what that is made of. Pure.

Money that comes in with a product is no growth, and what is taken out no loss: a percentage would say so.

Total, chart and movement show what is known today of each day. A product that is removed was entered by mistake: it
counts on no day, then or now. A product that has ended stays, with a valuation of £0.00, and is shown as what went.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

# What a product was worth on an earlier day and is worth now; None before it is valued.
ThenAndNow = tuple[Decimal | None, Decimal | None]


@dataclass(frozen=True)
class Movement:
    """The movement of the total in pounds since a day.

    `came` with products that had no value then, `went` with those that have none now; the others were `revalued`.
    `percent` only where none came or went.
    """

    since: date
    came: Decimal
    came_count: int
    went: Decimal
    went_count: int
    revalued: Decimal
    percent: Decimal | None

    @property
    def total(self) -> Decimal:
        return self.came + self.went + self.revalued


def movement_of(products: Sequence[ThenAndNow], since: date | None) -> Movement | None:
    """The movement of these products together; None without a day."""
    if since is None:
        return None
    worth = [(then or Decimal(0), now or Decimal(0)) for then, now in products]
    came = [now for then, now in worth if not then and now]
    went = [-then for then, now in worth if then and not now]
    stayed = [(then, now) for then, now in worth if then and now]
    before = sum((then for then, _ in stayed), Decimal(0))
    revalued = sum((now - then for then, now in stayed), Decimal(0))
    is_comparable = before > 0 and not came and not went
    return Movement(
        since=since,
        came=sum(came, Decimal(0)),
        came_count=len(came),
        went=sum(went, Decimal(0)),
        went_count=len(went),
        revalued=revalued,
        percent=revalued / before * 100 if is_comparable else None,
    )
