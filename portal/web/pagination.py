"""Long lists, a page at a time. Pure; how a page is read from a query string, and where it stands.

Used by the lists of clients, of users, of a client's history and of a product's valuations.
"""

from collections.abc import Mapping
from dataclasses import dataclass

PAGE_SIZE = 25
MAX_PAGE = 1_000_000


@dataclass(frozen=True)
class Paging:
    """Where a page of a list stands: `first` and `last` count its rows from 1, of `total`."""

    page: int
    total: int

    @classmethod
    def near(cls, page: int, total: int) -> "Paging":
        """The page that was asked for; one past the end becomes the last."""
        return cls(min(page, cls(1, total).pages), total)

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))

    @property
    def first(self) -> int:
        return min((self.page - 1) * PAGE_SIZE + 1, self.total)

    @property
    def last(self) -> int:
        return min(self.page * PAGE_SIZE, self.total)

    @property
    def offset(self) -> int:
        """How many rows come before it."""
        return (self.page - 1) * PAGE_SIZE

    @property
    def has_previous(self) -> bool:
        return self.page > 1

    @property
    def has_next(self) -> bool:
        return self.page < self.pages


def parse_page(args: Mapping[str, str]) -> int:
    """Which page of a list, from 1."""
    return parse_number(args.get("page", ""), MAX_PAGE) or 1


def parse_number(text: str, largest: int) -> int | None:
    """A whole number from 1 to `largest`; None for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        return None
    return int(text) if 0 < int(text) <= largest else None
