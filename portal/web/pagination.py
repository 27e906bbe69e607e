"""Divide long lists into pages, and read and write the query strings of lists."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

PAGE_SIZE = 25
MAX_PAGE = 1_000_000


@dataclass(frozen=True)
class Paging:
    """The position of a page in a list. `first` and `last` are the numbers of its rows, from 1, of `total`."""

    page: int
    total: int
    size: int = PAGE_SIZE

    @classmethod
    def near(cls, page: int, total: int, size: int = PAGE_SIZE) -> "Paging":
        """Return the requested page, or the last page if the requested one is past the end."""
        return cls(min(page, cls(1, total, size).pages), total, size)

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))

    @property
    def first(self) -> int:
        return min((self.page - 1) * self.size + 1, self.total)

    @property
    def last(self) -> int:
        return min(self.page * self.size, self.total)

    @property
    def offset(self) -> int:
        """Return the number of rows before this page."""
        return (self.page - 1) * self.size

    @property
    def has_previous(self) -> bool:
        return self.page > 1

    @property
    def has_next(self) -> bool:
        return self.page < self.pages


def parse_page(args: Mapping[str, str]) -> int:
    """Return the number of the requested page, from 1."""
    return parse_number(args.get("page", ""), MAX_PAGE) or 1


def parse_number(text: str, maximum: int) -> int | None:
    """Return a whole number from 1 to `maximum`, or None for any other text."""
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        return None
    return int(text) if 0 < int(text) <= maximum else None


def query_of(filters: "DataclassInstance", changes: Mapping[str, object]) -> dict[str, Any]:
    """Return the query parameters of the filters with changes, without parameters that have their default value."""
    values, defaults = asdict(replace(filters, **changes)), asdict(type(filters)())
    return {name: value for name, value in values.items() if value != defaults[name]}
