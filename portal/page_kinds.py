"""Register the kinds of page that have presence: their permissions, versions and heartbeat intervals.

Features register their kinds here (`clients` registers "client"). Must not import presence or live.
A page identifier is `<kind>-<number>`, for example `client-42`.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from portal.errors import ConfigurationError, NotFound
from portal.integers import MAX_INTEGER

PAGE_IDENTIFIER = re.compile(r"(?P<kind>[a-z][a-z_]{0,30})-(?P<number>[1-9][0-9]{0,9})", re.ASCII)
PAGE_NOT_FOUND = "Page not found, or you do not have access to it."


@dataclass(frozen=True)
class PageKind:
    """A kind of page.

    - `label`: what users read ("client record").
    - `load(profile, number)`: returns the record or raises NotFound (404).
    - `visible_sql`: the same permission as a SQL condition over `caller` (a row of profiles) and `page.number`.
    - `editable_sql`: the condition that `caller` may change the record. Others appear on the roster as viewing,
      and hold no user up who wants to edit.
    - `version_sql`: a SQL scalar over `page.number`, the record's version. None for records without versions.
    - `oversight_only_sql`: a SQL scalar over `caller`, the number of records that the profile sees only by a role
      with oversight. None if all profiles see all records.
    - `advised_sql`: a SQL scalar over `caller`, the number of records whose adviser the profile is.
    - `fields_of(form)`: the fields of the page's form with that name, none for an unknown form. Drafts keep no others.
    - `heartbeat_seconds`: None means the default.
    """

    name: str
    label: str
    load: Callable[[Any, int], object]
    visible_sql: str
    editable_sql: str
    version_sql: str | None = None
    oversight_only_sql: str | None = None
    advised_sql: str | None = None
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
    """Register a page kind. Registering the same kind again, for a second app in one process, changes nothing."""
    if _kinds.setdefault(kind.name, kind) != kind:
        raise ConfigurationError(f"There are two different page kinds called {kind.name}.")


def kinds() -> tuple[PageKind, ...]:
    return tuple(_kinds.values())


def kind_named(name: str) -> PageKind:
    """Return a registered kind. Raises KeyError."""
    return _kinds[name]


def parse(page_identifier: str) -> Page:
    """Return the page that `page_identifier` names, whether or not its record exists. Raises NotFound (404)."""
    match = PAGE_IDENTIFIER.fullmatch(page_identifier)
    kind = _kinds.get(match["kind"]) if match else None
    if match is None or kind is None or int(match["number"]) > MAX_INTEGER:
        raise NotFound(PAGE_NOT_FOUND)
    return Page(kind, int(match["number"]))
