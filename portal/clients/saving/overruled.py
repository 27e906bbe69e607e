"""Record whose values a save overruled. The values stay in the history; the row names the keys only."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import DateTime, ForeignKey, delete, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.clients.records.entries import sort_key
from portal.clients.records.revisions import MAX_KEYS, MAX_REVISIONS, ClientRevision
from portal.extensions import Model, db

RETENTION = timedelta(days=90)


OVERRULING = ("yours", "custom")


# The author of a value is that of the newest earlier revision that changed its key, or that added its whole part.
INSERT_OVERRULED = text("""
    INSERT INTO overruled_changes (profile_id, client_id, version, keys)
    SELECT last.changed_by, :client_id, :version, jsonb_agg(key)
    FROM unnest(CAST(:keys AS text[])) AS key, LATERAL (
        SELECT changed_by FROM client_revisions
        WHERE client_id = :client_id AND version < :version AND version >= :version - :maximum
          AND changes ?| ARRAY[key, coalesce(substring(key FROM '^[a-z]+/[0-9]+'), key)]
        ORDER BY version DESC LIMIT 1) AS last
    WHERE last.changed_by <> :by
    GROUP BY last.changed_by
    RETURNING profile_id""")


# The profile has seen the value that replaced its own; otherwise its change would have been a conflict.
SETTLE = text("""
    WITH settled AS (
        DELETE FROM overruled_changes
        WHERE profile_id = :by AND client_id = :client_id AND keys <@ to_jsonb(CAST(:keys AS text[])))
    UPDATE overruled_changes SET keys = keys - CAST(:keys AS text[])
    WHERE profile_id = :by AND client_id = :client_id AND keys ?| CAST(:keys AS text[])
      AND NOT keys <@ to_jsonb(CAST(:keys AS text[]))""")


class OverruledChange(Model):
    """A profile whose values the revision `version` replaced, with their keys."""

    __tablename__ = "overruled_changes"

    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"), primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    keys: Mapped[list[str]] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


def record_overruled_changes(revision: ClientRevision) -> Sequence[int]:
    """Record whose values the new revision has knowingly replaced, in its transaction; return their profile ids.

    Notices to the author about the values that it changes are settled.
    """
    by, client_id, changes = revision.changed_by, revision.client_id, revision.changes
    if by is None or not changes:
        return []
    db.session.execute(SETTLE, {"by": by, "client_id": client_id, "keys": list(changes)})
    overruling = [key for key in changes if revision.reverts or revision.resolutions.get(key) in OVERRULING]
    if not overruling:
        return []
    keys = sorted(overruling, key=sort_key)[:MAX_KEYS]
    values = {"client_id": client_id, "version": revision.version, "keys": keys, "by": by, "maximum": MAX_REVISIONS}
    notified = db.session.scalars(INSERT_OVERRULED, values).all()
    too_old = (OverruledChange.profile_id.in_(notified), OverruledChange.at < func.now() - RETENTION)
    db.session.execute(delete(OverruledChange).where(*too_old).execution_options(synchronize_session=False))
    return notified
