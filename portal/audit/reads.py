"""Store which profile has read which client, one row for each profile, client and hour: the read log.

`portal.clients.permissions.record_read` writes it. A trigger (migration 0024) rejects updates, and deletions before the
retention has ended. The rows have no foreign keys, because an insert would lock the rows of the client and the profile.
"""

from datetime import datetime

from sqlalchemy import Connection, DateTime, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import Model

RETENTION_MONTHS = 13


class ClientRead(Model):
    """A profile has read a client in the hour that begins at `hour`."""

    __tablename__ = "client_reads"
    __table_args__ = (
        # The primary key serves the deletion of old rows, and the list of all reads. These serve those of one client
        # and of one profile.
        Index("ix_client_reads_client_id", "client_id", "hour", "profile_id"),
        Index("ix_client_reads_profile_id", "profile_id", "hour", "client_id"),
    )

    hour: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    client_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    profile_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


def purge(connection: Connection) -> int:
    """Delete the rows whose retention has ended. Return how many. The caller commits."""
    query = text("DELETE FROM client_reads WHERE hour < now() - make_interval(months => :months)")
    return connection.execute(query, {"months": RETENTION_MONTHS}).rowcount
