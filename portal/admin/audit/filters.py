"""Parse the filters of the audit page from an untrusted query string."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlencode

from portal.audit import Event
from portal.text_input import search_words
from portal.web.day_range import DayRange, parse_day
from portal.web.pagination import query_of

MAX_SEARCH_LENGTH = 100


@dataclass(frozen=True)
class AuditFilters(DayRange):
    """The filters. `who` is part of a name or email of actor or subject. `before` is an event's id: only older ones."""

    event: str = ""
    who: str = ""
    address: str = ""
    before: int | None = None

    def query_string(self, **changes: object) -> str:
        """Return the query string of the same filters with changes."""
        return urlencode(query_of(self, changes))


def parse_filters(args: Mapping[str, str]) -> AuditFilters:
    """Return the filters and ignore invalid ones. Call `day_range.problems_in` first, to report invalid days."""
    event, before = args.get("event", ""), args.get("before", "")
    return AuditFilters(
        event=event if event in set(Event) else "",
        who=search_words(args.get("who", ""), MAX_SEARCH_LENGTH),
        address=_parse_address(args.get("address", "")),
        since=parse_day(args.get("since", "")),
        until=parse_day(args.get("until", "")),
        before=int(before) if before.isascii() and before.isdigit() and 0 < len(before) <= 18 else None,
    )


def _parse_address(text: str) -> str:
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        return ""
