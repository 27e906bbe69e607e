"""Query audit events for the audit page, its CSV and `flask audit list`."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import aliased

from portal.admin.audit.filters import AuditFilters
from portal.audit import AuditEvent
from portal.auth import Profile
from portal.extensions import db

ROWS_AT_A_TIME = 1_000
Actor, Subject = aliased(Profile), aliased(Profile)


class AuditRow(NamedTuple):
    """An event with the names of the profiles that it names. The names are None where it names no profile."""

    event: AuditEvent
    actor_name: str | None
    actor_email: str | None
    subject_name: str | None
    subject_email: str | None


def events(filters: AuditFilters, limit: int) -> list[AuditRow]:
    """Return the newest matching events."""
    return [AuditRow(*row) for row in db.session.execute(_query(filters).limit(limit))]


def all_events(filters: AuditFilters, limit: int) -> Iterator[list[AuditRow]]:
    """Yield the rows of `events` in batches, so that a long list does not fill the memory.

    Each batch is read in a transaction of its own: none is open while the caller writes the rows.
    """
    while limit > 0 and (batch := events(filters, min(limit, ROWS_AT_A_TIME))):
        for row in batch:
            db.session.expunge(row.event)
        db.session.rollback()
        yield batch
        filters = replace(filters, before=batch[-1].event.id)
        limit -= len(batch)


def _query(filters: AuditFilters) -> Select[AuditEvent, str, str, str, str]:
    query = (
        select(
            AuditEvent,
            _name(Actor),
            Actor.email,
            _name(Subject),
            Subject.email,
        )
        .join(Actor, Actor.id == AuditEvent.actor_id, isouter=True)
        .join(Subject, Subject.id == AuditEvent.profile_id, isouter=True)
        .order_by(AuditEvent.id.desc())
    )
    return query.where(*_conditions(filters))


def _conditions(filters: AuditFilters) -> Iterator[ColumnElement[bool]]:
    if filters.event:
        yield AuditEvent.event == filters.event
    if filters.address:
        yield AuditEvent.address == filters.address
    if filters.since_at:
        yield AuditEvent.at >= filters.since_at
    if filters.until_at:
        yield AuditEvent.at < filters.until_at
    if filters.before:
        yield AuditEvent.id < filters.before
    if filters.who:
        yield _involves(filters.who)


def _name(profile: type[Profile]) -> ColumnElement[str]:
    return profile.first_name + " " + profile.last_name


def _involves(who: str) -> ColumnElement[bool]:
    texts = [text for profile in (Actor, Subject) for text in (_name(profile), profile.email)]
    return or_(*(func.strpos(func.lower(text), who.lower()) > 0 for text in texts))
