"""Store the visits: one row per profile and client, with the version that the profile has seen.

The version decides what is new to the profile, because clocks of servers differ. The time is for people. Must not
import Flask.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, DateTime, ForeignKey, Index, exists, func, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.auth import Profile
from portal.clients.records.models import Client
from portal.clients.records.revisions import ClientRevision
from portal.extensions import Model, db

RETENTION_MONTHS = 13

# A version that the record does not have yet counts as the newest one. A delayed request of an older page replaces no
# newer version.
RECORD = text("""
    INSERT INTO client_visits (profile_id, client_id, version)
    SELECT :profile_id, id, least(:version, version) FROM clients WHERE id = :client_id
    ON CONFLICT ON CONSTRAINT pk_client_visits
    DO UPDATE SET version = greatest(client_visits.version, excluded.version), visited_at = excluded.visited_at""")


class ClientVisit(Model):
    """The last visit of a profile to a client page. `version` is the newest version that the page has shown it."""

    __tablename__ = "client_visits"
    __table_args__ = (Index("ix_client_visits_profile_id_visited_at", "profile_id", "visited_at"),)

    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"), primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int]
    visited_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


def record(profile: Profile, client: Client, version: int) -> None:
    """Record that the profile has now seen this version of the client."""
    db.session.execute(RECORD, {"profile_id": profile.id, "client_id": client.id, "version": version})


def has_changed_since_visit(profile: Profile) -> ColumnElement[bool]:
    """Return the condition that another user has changed `Client` since the profile's last visit.

    It is false for a client that the profile has never visited.
    """
    return exists().where(
        ClientVisit.profile_id == profile.id,
        ClientVisit.client_id == Client.id,
        ClientRevision.client_id == Client.id,
        ClientRevision.version > ClientVisit.version,
        is_new_to(profile),
    )


def is_new_to(profile: Profile) -> ColumnElement[bool]:
    """Return the condition that a revision changed something, and that the profile is not its author."""
    return ClientRevision.changed_by.is_distinct_from(profile.id) & (ClientRevision.changes != {})


def purge(connection: Connection) -> int:
    """Delete visits older than RETENTION_MONTHS; return their number."""
    query = text("DELETE FROM client_visits WHERE visited_at < now() - make_interval(months => :months)")
    return connection.execute(query, {"months": RETENTION_MONTHS}).rowcount
