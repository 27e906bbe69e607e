"""The interface through which the hub reads rosters and authorises streams. Presence implements it."""

from collections.abc import Collection, Mapping, Sequence
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

    page: Page
    caller: Identity
    tab_id: str
    number: int


@dataclass(frozen=True)
class Reading:
    """The state of a page.

    `roster` is JSON, `signature` what users see of it. `changes_in_seconds` is when the roster changes by itself.
    `authorizations` are those of the page's streams, in their order. So are `drafts`, which are None if they were not
    read.
    """

    page: Page
    roster: str
    signature: object
    version: int | None
    changes_in_seconds: float
    authorizations: list[Authorization]
    drafts: list[Drafts] | None


class Source(Protocol):
    def prepare(self, connection: PsycopgConnection) -> None:
        """Prepare the statements on a new connection."""

    def read(
        self,
        connection: PsycopgConnection,
        pages: Sequence[Page],
        streams: Sequence[StreamIdentity],
        without_drafts: Collection[str] = (),
    ) -> list[Reading]:
        """Read the pages and authorise the streams in one statement.

        The drafts of the pages with the identifiers `without_drafts` are not read.
        """

    def remove_tab(self, connection: PsycopgConnection, stream: StreamIdentity, broken_for_seconds: float) -> bool:
        """Remove the tab of a broken stream from its page if it was inactive since; return whether it was removed."""
