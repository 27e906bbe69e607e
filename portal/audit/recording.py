"""Write audit events. portal.admin reads them."""

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
    """An audit event. A trigger (migration 0011) rejects changes and deletions."""

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
    """Record an event in the transaction of the action, so that neither exists without the other. Flushes.

    `by` is the actor. `profile_id` is the profile that the action concerns, if any. `about` names its other objects by
    ids and names of the portal: client_id=42, version=7, fields=["phone"]. It never contains a value of a client
    record, a password, a token or a user's input: the log is kept for years, and readers may not see the client.
    """
    record_all([audit_event(event, by, profile_id=profile_id, **about)])


def audit_event(event: Event, by: Actor, *, profile_id: int | None = None, **about: About) -> AuditEvent:
    """Return the row that `record` would write, for `record_all`."""
    return AuditEvent(
        event=event.value,
        actor_id=by.profile_id,
        profile_id=profile_id,
        about=about,
        address=by.request_origin.address,
        user_agent=by.request_origin.user_agent,
        request_id=by.request_origin.request_id,
    )


def record_all(events: Iterable[AuditEvent]) -> None:
    """Record many events at once, for example the thousands of an import. Flushes."""
    db.session.add_all(events)
    db.session.flush()
