"""Parse the filters of the client list from a query string. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from portal.clients.records.choices import CLIENT_STATUSES
from portal.clients.search.terms import MAX_SEARCH_LENGTH, Search, parse_search
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
VIEWS = {
    "mine": "Mine",
    "due": "Due this month",
    "overdue": "Overdue",
    "in_use": "In use now",
    "no_adviser": "No adviser",
    "restricted": "Restricted",
    "all": "All",
}
# Views that say whose clients they contain, so that the filter by adviser does not apply.
VIEWS_OF_ONE_ADVISER = ("mine", "no_adviser")


@dataclass(frozen=True)
class ListFilters:
    """The filters of the list.

    `view` is a key of VIEWS, or '' while the address names none. `sort` is a key of SORTS, with a minus sign for
    descending. `page` starts at 1.
    """

    view: str = ""
    q: str = ""
    adviser: int | None = None
    status: str = ""
    sort: str = "name"
    page: int = 1

    @cached_property
    def search(self) -> Search:
        return parse_search(self.q)

    @property
    def sort_key(self) -> str:
        return self.sort.removeprefix("-")

    @property
    def is_descending(self) -> bool:
        return self.sort.startswith("-")

    @property
    def is_filtered(self) -> bool:
        """Return whether the user has narrowed the view."""
        return bool(self.q or self.adviser or self.status)

    def in_view(self, view: str) -> "ListFilters":
        """Return the same filters in another view."""
        return replace(self, view=view, adviser=None if view in VIEWS_OF_ONE_ADVISER else self.adviser)

    def query(self, **changes: object) -> dict[str, object]:
        """Return the parameters of the same list with `changes`, without those that have their default value."""
        return query_of(self, changes)

    def sorted_by(self, key: str) -> dict[str, object]:
        """Return the parameters that sort by `key`, descending if the list is sorted by it already."""
        sort = f"-{key}" if self.sort == key else key
        return self.query(sort=sort, page=1)


def parse_filters(args: Mapping[str, str]) -> ListFilters:
    """Parse the query string. Invalid parameters are ignored, because the page only reads."""
    sort = args.get("sort", "")
    status = args.get("status", "")
    view = args.get("view", "")
    filters = ListFilters(
        q=search_words(args.get("q", ""), MAX_SEARCH_LENGTH),
        adviser=parse_number(args.get("adviser", ""), MAX_INTEGER),
        status=status if status in CLIENT_STATUSES else "",
        sort=sort if sort.removeprefix("-") in SORTS else "name",
        page=parse_page(args),
    )
    return filters.in_view(view if view in VIEWS else "")
