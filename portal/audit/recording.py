"""Writes the audit. Called by operations, which pass on who acts; reading it is portal.admin's."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, String, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.audit.events import Event
from portal.extensions import Model, db
from portal.web.actor import MAX_ADDRESS_LENGTH, MAX_REQUEST_ID_LENGTH, MAX_USER_AGENT_LENGTH, Actor


class AuditEvent(Model):
    """One thing that was done. Never changed, never deleted: migration 0011 has the trigger."""

    __tablename__ = "audit_events"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now(), index=True)
    event: Mapped[str] = mapped_column(String(40))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("profiles.id"))
    profile_id: Mapped[int | None] = mapped_column(ForeignKey("profiles.id"))
    about: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    address: Mapped[str] = mapped_column(String(MAX_ADDRESS_LENGTH), server_default="")
    user_agent: Mapped[str] = mapped_column(String(MAX_USER_AGENT_LENGTH), server_default="")
    request_id: Mapped[str] = mapped_column(String(MAX_REQUEST_ID_LENGTH), server_default="")


About = str | int | bool | list[str]


def record(event: Event, by: Actor, *, profile_id: int | None = None, **about: About) -> None:
    """Note that `by` has done this, in the transaction of what was done: neither is there without the other. Flushes.

    `profile_id` is whom it was done to, where that is a profile. `about` says to what, by numbers and names of ours:
    client_id=42, version=7, fields=["phone"]. Never a value of a client record, a password, a token or what somebody
    typed: the audit is kept for years and read by people who may not see the client.
    """
    record_all([noted(event, by, profile_id=profile_id, **about)])


def noted(event: Event, by: Actor, *, profile_id: int | None = None, **about: About) -> AuditEvent:
    """The row that `record` would write, for `record_all`."""
    return AuditEvent(
        event=event.value,
        actor_id=by.profile_id,
        profile_id=profile_id,
        about=about,
        address=by.whence.address,
        user_agent=by.whence.user_agent,
        request_id=by.whence.request_id,
    )


def record_all(events: Iterable[AuditEvent]) -> None:
    """As `record`, of many at once: an import may have thousands. Flushes."""
    db.session.add_all(events)
    db.session.flush()
