"""The interface through which the hub reads pages and counts, and authorises streams. Presence implements it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from psycopg2.extensions import connection as PsycopgConnection

from portal.page_kinds import Page
from portal.web.session_cookie import Identity


class Authorization(NamedTuple):
    """Whether the sign-in session of a stream is valid, and its user may see the page and change the record."""

    is_signed_in: bool
    may_see: bool
    may_edit: bool


class Drafts(NamedTuple):
    """The unsaved values that the editors of some forms share: what identifies their state, and the state.

    The state is encoded only when it is sent: most readings find the signature that the streams were last sent.
    """

    signature: tuple[object, ...]
    content: Mapping[str, object]


class StreamIdentity(Protocol):
    """What the source needs to know of a stream. `number` counts the streams that the tab has opened."""

    page: Page | None
    caller: Identity
    tab_id: str
    number: int


class PageQuery(NamedTuple):
    """A page to read, and the streams to authorise on it: the page's own, and those of lists with a row for it."""

    page: Page
    streams: Sequence["StreamIdentity"]
    row_streams: Sequence["StreamIdentity"]
    has_drafts: bool


class ProfileQuery(NamedTuple):
    """A profile whose unread notifications are counted, and its streams, whose sessions are checked."""

    profile_id: int
    streams: Sequence["StreamIdentity"]


class ProfileReading(NamedTuple):
    """The unread notifications of a profile, and the authorisations of its streams, in their order."""

    unread: int
    authorizations: Sequence[Authorization]


@dataclass(frozen=True)
class Reading:
    """The state of a page.

    `roster` is JSON, `signature` what users see of it. `changes_in_seconds` is when the roster changes by itself.
    `arrived` has the ids of the profiles that have just opened the page.
    `authorizations` are those of the query's streams, in their order. So are `row_authorizations`, and so are `drafts`,
    which are None if they were not read.
    """

    page: Page
    roster: str
    signature: object
    version: int | None
    changes_in_seconds: float
    arrived: Sequence[int]
    authorizations: Sequence[Authorization]
    row_authorizations: Sequence[Authorization]
    drafts: list[Drafts] | None


class Source(Protocol):
    def prepare(self, connection: PsycopgConnection) -> None:
        """Prepare the statements on a new connection."""

    def read(
        self,
        connection: PsycopgConnection,
        pages: Sequence[PageQuery],
        profiles: Sequence[ProfileQuery],
    ) -> tuple[list[Reading], list[ProfileReading]]:
        """Read the pages, count the notifications and authorise all streams, in one statement."""

    def remove_tab(
        self, connection: PsycopgConnection, page: Page, stream: StreamIdentity, broken_for_seconds: float
    ) -> bool:
        """Remove the tab of a broken stream from its page if it was inactive since; return whether it was removed."""
