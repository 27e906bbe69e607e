"""Parse the filters of the history from a query string. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.clients.records.entries import CLIENT, GRANT, NOTE, PERSON, PRODUCT, VALUATION
from portal.integers import MAX_INTEGER
from portal.web.pagination import parse_number, parse_page, query_of

NO_AUTHOR = "system"
OLD_NO_AUTHOR = "nobody"  # in addresses of release 0.1
PARTS = {
    PERSON.name: "People",
    PRODUCT.name: "Products",
    VALUATION.name: "Valuations",
    NOTE.name: "Notes",
    GRANT.name: "Access",
}
FIELDS = {**CLIENT.labels, **PARTS}


@dataclass(frozen=True)
class HistoryFilters:
    """The filters of the history. `field` is a key of FIELDS; '' means all.

    `person` is a profile's id, NO_AUTHOR for imports and commands, or '' for all. `version` selects one change,
    `since` the changes after that version.
    """

    field: str = ""
    person: str = ""
    version: int | None = None
    since: int | None = None
    page: int = 1

    @property
    def is_filtered(self) -> bool:
        return bool(self.field or self.person or self.version or self.since)

    def query(self, **changes: object) -> dict[str, Any]:
        """Return the parameters of the same page with `changes`, without those that have their default value."""
        return query_of(self, changes)


def parse_history_filters(args: Mapping[str, str]) -> HistoryFilters:
    """Parse the query string. Invalid parameters are ignored, because the page only reads."""
    field, person = args.get("field", ""), args.get("person", "")
    has_no_author = person in (NO_AUTHOR, OLD_NO_AUTHOR)
    return HistoryFilters(
        field=field if field in FIELDS else "",
        person=NO_AUTHOR if has_no_author else str(parse_number(person, MAX_INTEGER) or ""),
        version=parse_number(args.get("version", ""), MAX_INTEGER),
        since=parse_number(args.get("since", ""), MAX_INTEGER),
        page=parse_page(args),
    )
