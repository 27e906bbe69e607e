"""Calculate how the total value of a client's products has changed, and why. Pure.

Money that arrives with a new product is not growth, and money taken out is not a loss. A percentage is therefore given
only if the products are the same on both days.

Total, chart and movement use what is known today about each day. A removed product was entered by mistake and counts
on no day. A product that has ended has a valuation of £0.00 and counts as a withdrawal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

# The value of a product on an earlier day and now; None without a valuation.
ThenAndNow = tuple[Decimal | None, Decimal | None]


@dataclass(frozen=True)
class Movement:
    """The movement of the total in pounds since a day.

    `added` is the value of products without one then, `ended` that of products without one now. `revalued` is the
    change of the other products. `percent` is None if any product was added or ended.
    """

    since: date
    added: Decimal
    added_count: int
    ended: Decimal
    ended_count: int
    revalued: Decimal
    percent: Decimal | None

    @property
    def total(self) -> Decimal:
        return self.added + self.ended + self.revalued


def movement_of(products: Sequence[ThenAndNow], since: date | None) -> Movement | None:
    """Return the movement of these products together, None without a day."""
    if since is None:
        return None
    worth = [(then or Decimal(0), now or Decimal(0)) for then, now in products]
    added = [now for then, now in worth if not then and now]
    ended = [-then for then, now in worth if then and not now]
    stayed = [(then, now) for then, now in worth if then and now]
    before = sum((then for then, _ in stayed), Decimal(0))
    revalued = sum((now - then for then, now in stayed), Decimal(0))
    is_comparable = before > 0 and not added and not ended
    return Movement(
        since=since,
        added=sum(added, Decimal(0)),
        added_count=len(added),
        ended=sum(ended, Decimal(0)),
        ended_count=len(ended),
        revalued=revalued,
        percent=revalued / before * 100 if is_comparable else None,
    )
