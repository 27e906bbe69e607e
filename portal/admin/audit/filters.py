"""Parse the filters of the audit page from an untrusted query string."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from ipaddress import ip_address
from urllib.parse import urlencode

from portal import dates
from portal.audit import Event
from portal.clock import LONDON
from portal.text_input import search_words
from portal.web.pagination import query_of

MAX_SEARCH_LENGTH = 100
MAX_EVENT_ID = 2**63 - 1


@dataclass(frozen=True)
class AuditFilters:
    """The filters. `who` is part of a name or email of actor or subject. `before` is an event's id: only older ones."""

    event: str = ""
    who: str = ""
    address: str = ""
    since: date | None = None
    until: date | None = None
    before: int | None = None

    @property
    def since_at(self) -> datetime | None:
        """Return the beginning of the first day, in London."""
        return _midnight(self.since) if self.since else None

    @property
    def until_at(self) -> datetime | None:
        """Return the end of the last day, in London."""
        return _midnight(self.until + timedelta(days=1)) if self.until else None

    def query_string(self, **changes: object) -> str:
        """Return the query string of the same filters with changes."""
        return urlencode(query_of(self, changes))


def parse_filters(args: Mapping[str, str]) -> AuditFilters:
    """Return the filters and ignore invalid ones. Call `problems_in` first, to report invalid days."""
    event, before = args.get("event", ""), args.get("before", "")
    return AuditFilters(
        event=event if event in set(Event) else "",
        who=search_words(args.get("who", ""), MAX_SEARCH_LENGTH),
        address=_parse_address(args.get("address", "")),
        since=_parse_day(args.get("since", "")),
        until=_parse_day(args.get("until", "")),
        before=int(before) if before.isascii() and before.isdigit() and 0 < len(before) <= 18 else None,
    )


def problems_in(args: Mapping[str, str]) -> dict[str, str]:
    """Return the problem of each invalid day, by field. Ignoring one would show events that the user excluded."""
    problems = {}
    for name in ("since", "until"):
        try:
            _parsed(args.get(name, ""))
        except dates.UnreadableDay as problem:
            problems[name] = str(problem)
    return problems


def _parse_address(text: str) -> str:
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        return ""


def _parse_day(text: str) -> date | None:
    try:
        return _parsed(text)
    except dates.UnreadableDay:
        return None


def _parsed(text: str) -> date | None:
    """Return the day, or None if the text is empty. Raises UnreadableDay."""
    if not text.strip():
        return None
    day = dates.read(text)
    if not 1970 <= day.year < 9999:
        raise dates.UnreadableDay("Enter a year from 1970 to 9998.")
    return day


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LONDON)
