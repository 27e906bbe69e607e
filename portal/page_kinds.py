"""Page kinds: what a place where people can meet is called, who may see it, and how often its tabs beat.

Features register their kinds here (`clients` registers "client"); `presence` and, later, the live stream read
them. Must not import either. A page identifier is `<kind>-<number>`, for instance `client-42`.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from portal.errors import ConfigurationError, NotFound

PAGE_IDENTIFIER = re.compile(r"(?P<kind>[a-z][a-z_]{0,30})-(?P<number>[1-9][0-9]{0,9})", re.ASCII)
MAX_PAGE_NUMBER = 2**31 - 1


@dataclass(frozen=True)
class PageKind:
    """A kind of page.

    `label` is what people read ("client record"). `load(profile, number)` returns the record or raises
    NotFound (404). `visible_sql` is the same permission as a SQL condition over `caller` (a row of profiles)
    and `page.number`; both come from the feature's `access` module. `editable_sql` is the same for changing the record:
    who may not edit it cannot claim to on its roster. `version_sql` is a SQL scalar over `page.number`:
    the record's version, which every beat on a page that the caller may see is told; None for records without one.
    `admin_only_sql` is a SQL scalar over `caller`: how many records of this kind a profile sees as an administrator and
    would not see otherwise; None where everybody sees all. `fields_of(form)`: the fields of the page's form with that
    name, none for a form that there is not; drafts hold no others. `heartbeat_seconds` None means the default.
    """

    name: str
    label: str
    load: Callable[[Any, int], Any]
    visible_sql: str
    editable_sql: str
    version_sql: str | None = None
    admin_only_sql: str | None = None
    fields_of: Callable[[str], Collection[str]] = lambda _form: ()
    heartbeat_seconds: int | None = None


@dataclass(frozen=True)
class Page:
    """One page: a kind and the number of a record."""

    kind: PageKind
    number: int

    @property
    def identifier(self) -> str:
        return f"{self.kind.name}-{self.number}"


_kinds: dict[str, PageKind] = {}


def register(kind: PageKind) -> None:
    """Make a page kind known. Registering the same one again (a second app in one process) changes nothing."""
    if _kinds.setdefault(kind.name, kind) != kind:
        raise ConfigurationError(f"There are two different page kinds called {kind.name}.")


def kinds() -> tuple[PageKind, ...]:
    return tuple(_kinds.values())


def kind_named(name: str) -> PageKind:
    """A kind that has been registered. Raises KeyError."""
    return _kinds[name]


def parse(page_identifier: str) -> Page:
    """The page that `page_identifier` names, whether or not its record exists. Raises NotFound (404)."""
    match = PAGE_IDENTIFIER.fullmatch(page_identifier)
    kind = _kinds.get(match["kind"]) if match else None
    if match is None or kind is None or int(match["number"]) > MAX_PAGE_NUMBER:
        raise NotFound("There is no such page, or you do not have access to it.")
    return Page(kind, int(match["number"]))
