"""What the hub asks of whoever knows what a roster is, and what it is told. Presence is that Source."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from psycopg2.extensions import connection as PsycopgConnection

from portal.page_kinds import Page
from portal.web.session_cookie import Identity


class Authorization(NamedTuple):
    """Whether somebody may go on listening: the sign-in session holds, the page is for them."""

    is_signed_in: bool
    may_see: bool


class StreamIdentity(Protocol):
    """A stream as far as the source is concerned: who holds it, on which page, from which tab, the tab's which."""

    page: Page
    caller: Identity
    tab_id: str
    number: int


@dataclass(frozen=True)
class Reading:
    """A page as it was read: the roster as JSON, what of it people see, the record's version.

    `changes_in_seconds` is when the roster changes without anybody doing anything. `verdicts` are those of the streams
    that were asked about, in their order.
    """

    page: Page
    roster: str
    state: Any
    version: int | None
    changes_in_seconds: float
    verdicts: list[Authorization]


class Source(Protocol):
    def prepare(self, connection: PsycopgConnection) -> None:
        """Make a new connection ready; called once for each."""

    def read(
        self, connection: PsycopgConnection, pages: Sequence[Page], streams: Sequence[StreamIdentity]
    ) -> list[Reading]:
        """Read the pages, and judge those who listen, in one statement."""

    def take_out(self, connection: PsycopgConnection, stream: StreamIdentity, broken_for_seconds: float) -> bool:
        """Take the tab of a broken stream off its page, if nothing has been heard of it since. Whether it was."""
