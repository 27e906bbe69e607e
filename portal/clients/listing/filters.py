"""What the client list was asked for, read from a query string without trusting it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from portal.clients.records.choices import CLIENT_STATUSES
from portal.integers import MAX_INTEGER
from portal.text_input import search_words
from portal.web.pagination import parse_number, parse_page, query_of

SORTS = {
    "name": "Name",
    "client_ref": "Reference",
    "adviser": "Adviser",
    "next_review_on": "Next review",
    "total": "Value",
}
MAX_SEARCH_LENGTH = 100


@dataclass(frozen=True)
class ListFilters:
    """`sort` is a key of SORTS, with a minus sign in front for descending. `page` counts from 1."""

    q: str = ""
    adviser: int | None = None
    status: str = ""
    sort: str = "name"
    page: int = 1

    @property
    def sort_key(self) -> str:
        return self.sort.removeprefix("-")

    @property
    def is_descending(self) -> bool:
        return self.sort.startswith("-")

    def query(self, **changes: object) -> dict[str, object]:
        """The query string of the same list with `changes`, leaving out what is as by default."""
        return query_of(self, changes)

    def sorted_by(self, key: str) -> dict[str, object]:
        """The query string that sorts by `key`, the other way round when it is sorted by it already."""
        turned = f"-{key}" if self.sort == key else key
        return self.query(sort=turned, page=1)


def parse_filters(args: Mapping[str, str]) -> ListFilters:
    """Read the query string; what makes no sense counts as not asked for: a list is only looked at."""
    sort = args.get("sort", "")
    status = args.get("status", "")
    return ListFilters(
        q=search_words(args.get("q", ""), MAX_SEARCH_LENGTH),
        adviser=parse_number(args.get("adviser", ""), MAX_INTEGER),
        status=status if status in CLIENT_STATUSES else "",
        sort=sort if sort.removeprefix("-") in SORTS else "name",
        page=parse_page(args),
    )
