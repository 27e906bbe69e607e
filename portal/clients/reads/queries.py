"""Query the read log for its page, its CSV and `flask clients reads`. The callers have oversight."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, func, or_, select, tuple_

from portal import audit
from portal.audit import Event
from portal.audit.reads import ClientRead
from portal.auth import Profile
from portal.clients.reads.filters import Cursor, ReadFilters
from portal.clients.records.models import Client
from portal.errors import InvalidInput
from portal.extensions import db
from portal.web.actor import Actor

ROWS_AT_A_TIME = 1_000
COLUMNS = ("hour", "user", "user_email", "client_ref", "client")


class ReadRow(NamedTuple):
    """A profile has read a client in an hour. The names are None for a client or profile that was deleted."""

    hour: datetime
    client_id: int
    profile_id: int
    client_ref: str | None
    client_name: str | None
    reader_name: str | None
    reader_email: str | None

    def cells(self) -> tuple[str, ...]:
        """Return the row as the cells of COLUMNS."""
        texts = (self.reader_name, self.reader_email, self.client_ref, self.client_name)
        return (self.hour.isoformat(timespec="seconds"), *(text or "" for text in texts))

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.hour, self.client_id, self.profile_id)


@dataclass(frozen=True)
class Selection:
    """The filters with what they name: a client, and the profiles whose name or email matches. None selects all."""

    filters: ReadFilters
    client: Client | None
    readers: Sequence[Profile] | None

    @property
    def reader(self) -> Profile | None:
        """Return the profile, if the filters match only one."""
        return self.readers[0] if self.readers is not None and len(self.readers) == 1 else None


def select_by(filters: ReadFilters) -> Selection:
    """Look up what the filters name. Raises InvalidInput (422) for an unknown client reference."""
    return Selection(
        filters,
        _client_with(filters.client) if filters.client else None,
        _profiles_with(filters.who) if filters.who else None,
    )


def reads(selection: Selection, limit: int) -> list[ReadRow]:
    """Return the newest matching rows."""
    return [ReadRow(*row) for row in db.session.execute(_query(selection).limit(limit))]


def all_reads(selection: Selection, limit: int) -> Iterator[list[ReadRow]]:
    """Yield the rows of `reads` in batches, so that a long list does not fill the memory.

    Each batch is read in a transaction of its own: none is open while the caller writes the rows.
    """
    query, batch = _query(selection), list[ReadRow]()
    while limit > 0:
        after_last = query.where(*_older_than(batch[-1].cursor)) if batch else query
        batch = [ReadRow(*row) for row in db.session.execute(after_last.limit(min(limit, ROWS_AT_A_TIME)))]
        db.session.rollback()
        if not batch:
            return
        yield batch
        limit -= ROWS_AT_A_TIME


def record_look(by: Actor, event: Event, selection: Selection, **about: str) -> None:
    """Record in the audit log that a user looked at the read log, and of which profile or client. Flushes."""
    of_client = {"client_id": selection.client.id} if selection.client else {}
    filters = {"filters": names} if (names := selection.filters.names()) else {}
    profile_id = selection.reader.id if selection.reader else None
    audit.record(event, by, profile_id=profile_id, **of_client, **filters, **about)


def _client_with(reference: str) -> Client:
    client = db.session.scalar(select(Client).where(Client.client_ref.in_({reference, reference.upper()})).limit(1))
    if client is None:
        raise InvalidInput("client", f"No client has the reference {reference}.")
    return client


def _profiles_with(text: str) -> Sequence[Profile]:
    name = Profile.first_name + " " + Profile.last_name
    contains = or_(*(func.strpos(func.lower(column), text.lower()) > 0 for column in (name, Profile.email)))
    return db.session.scalars(select(Profile).where(contains).order_by(Profile.id)).all()


def _query(selection: Selection) -> Select[datetime, int, int, str, str, str, str]:
    return (
        select(
            ClientRead.hour,
            ClientRead.client_id,
            ClientRead.profile_id,
            Client.client_ref,
            Client.name,
            Profile.first_name + " " + Profile.last_name,
            Profile.email,
        )
        .join(Client, Client.id == ClientRead.client_id, isouter=True)
        .join(Profile, Profile.id == ClientRead.profile_id, isouter=True)
        .where(*_conditions(selection))
        .order_by(ClientRead.hour.desc(), ClientRead.client_id.desc(), ClientRead.profile_id.desc())
    )


def _conditions(selection: Selection) -> Iterator[ColumnElement[bool]]:
    filters = selection.filters
    if selection.client:
        yield ClientRead.client_id == selection.client.id
    if selection.reader:
        yield ClientRead.profile_id == selection.reader.id
    elif selection.readers is not None:
        yield ClientRead.profile_id.in_([profile.id for profile in selection.readers])
    if filters.since_at:
        yield ClientRead.hour >= filters.since_at
    if filters.until_at:
        yield ClientRead.hour < filters.until_at
    if cursor := filters.cursor:
        yield from _older_than(cursor)


def _older_than(cursor: Cursor) -> Iterator[ColumnElement[bool]]:
    yield ClientRead.hour <= cursor.hour  # bounds the scan of each index; the next condition does so only for one
    yield tuple_(ClientRead.hour, ClientRead.client_id, ClientRead.profile_id) < tuple_(*cursor)
