"""Parse the filters of the read log from an untrusted query string. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urlencode

from portal.integers import MAX_INTEGER
from portal.text_input import search_words
from portal.web.day_range import DayRange, parse_day
from portal.web.pagination import query_of

MAX_SEARCH_LENGTH = 100
MAX_HOUR = 2_000_000  # since 1970: the year 2198
CURSOR = re.compile(r"([0-9]{1,7})-([0-9]{1,10})-([0-9]{1,10})", re.ASCII)


class Cursor(NamedTuple):
    """The place of a row in the log, which is sorted by it."""

    hour: datetime
    client_id: int
    profile_id: int

    def __str__(self) -> str:
        return f"{int(self.hour.timestamp()) // 3600}-{self.client_id}-{self.profile_id}"


@dataclass(frozen=True)
class ReadFilters(DayRange):
    """The filters. `client` is a reference, `who` part of a name or email, `before` a cursor: only earlier rows."""

    client: str = ""
    who: str = ""
    before: str = ""

    @property
    def cursor(self) -> Cursor | None:
        return _cursor_from(self.before)

    def query_string(self, **changes: object) -> str:
        """Return the query string of the same filters with changes."""
        return urlencode(query_of(self, changes))

    def names(self) -> list[str]:
        """Return the names of the filters that are set, without the user's input, for the audit log."""
        return sorted(query_of(self, {"before": ""}))


def parse_read_filters(args: Mapping[str, str]) -> ReadFilters:
    """Return the filters and ignore invalid ones. Call `day_range.problems_in` first, to report invalid days."""
    cursor = _cursor_from(args.get("before", ""))
    return ReadFilters(
        client=search_words(args.get("client", ""), MAX_SEARCH_LENGTH),
        who=search_words(args.get("who", ""), MAX_SEARCH_LENGTH),
        since=parse_day(args.get("since", "")),
        until=parse_day(args.get("until", "")),
        before=str(cursor) if cursor else "",
    )


def _cursor_from(text: str) -> Cursor | None:
    found = CURSOR.fullmatch(text)
    hour, client_id, profile_id = map(int, found.groups()) if found else (0, 0, 0)
    if not found or hour > MAX_HOUR or max(client_id, profile_id) > MAX_INTEGER:
        return None
    return Cursor(datetime.fromtimestamp(hour * 3600, UTC), client_id, profile_id)
