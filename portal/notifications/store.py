"""Add, count, read and delete notifications. Nothing here commits.

The server sends the new counts to the profiles' open pages after the commit.
"""

from collections.abc import Collection, Iterable
from functools import partial

from sqlalchemy import Connection, text

from portal.extensions import db
from portal.live import publish
from portal.live.outbox import after_commit
from portal.notifications.kinds import Kind
from portal.notifications.unread_sql import RETENTION_DAYS, unread_count_sql

MAX_NOTIFICATIONS_PER_PROFILE = 500
# An edit of many clients adds one for each. They are deleted before what a colleague addressed to the
# profile.
KINDS_DELETED_FIRST = (Kind.HANDED_OVER, Kind.CHANGED)
OLD_DRAFT_HOURS = 24
MAX_OLD_DRAFTS_AT_ONCE = 1_000

REPEATED = """
    ON CONFLICT (profile_id, kind, client_id, actor_id, subject) WHERE read_at IS NULL
    DO UPDATE SET created_at = excluded.created_at, version = excluded.version,
        client_count = notifications.client_count + excluded.client_count"""

# A notification with a subject is never repeated, read or not: a note mentions a profile once. A change whose note
# mentions the profile is one notification, the mention.
INSERT = text(f"""
    INSERT INTO notifications (profile_id, kind, client_id, actor_id, subject, version, client_count)
    SELECT profiles.id, :kind, :client_id, :actor_id, :subject, :version, :client_count FROM profiles
    WHERE profiles.id = ANY (:profile_ids) AND profiles.id IS DISTINCT FROM CAST(:actor_id AS int) AND is_active
      AND NOT muted_notifications ? :kind
      AND (:subject = '' OR NOT EXISTS (
        SELECT FROM notifications AS earlier
        WHERE earlier.profile_id = profiles.id AND earlier.kind = :kind AND earlier.subject = :subject
          AND earlier.client_id IS NOT DISTINCT FROM CAST(:client_id AS int)))
      AND NOT (:kind = '{Kind.CHANGED}' AND EXISTS (
        SELECT FROM notifications AS mention
        WHERE mention.profile_id = profiles.id AND mention.kind = '{Kind.MENTIONED}'
          AND mention.client_id = CAST(:client_id AS int) AND mention.version = CAST(:version AS int)))
    ORDER BY profiles.id {REPEATED}
    RETURNING profile_id""")  # noqa: S608 - constants of ours

INSERT_OLD_DRAFTS = text(f"""
    INSERT INTO notifications (profile_id, kind, client_id, subject)
    SELECT profile_id, '{Kind.DRAFT}', clients.id, draft_id
    FROM edit_drafts
    JOIN profiles ON profiles.id = profile_id AND is_active AND NOT muted_notifications ? '{Kind.DRAFT}'
    JOIN clients ON clients.id = CASE WHEN page_identifier LIKE 'client-%'
        THEN split_part(page_identifier, '-', 2)::int END
    WHERE edit_drafts.updated_at < now() - make_interval(hours => :hours) AND NOT EXISTS (
        SELECT FROM notifications AS earlier
        WHERE earlier.profile_id = edit_drafts.profile_id AND earlier.kind = '{Kind.DRAFT}'
          AND earlier.client_id = clients.id AND earlier.subject = draft_id)
    ORDER BY edit_drafts.updated_at
    LIMIT :maximum
    ON CONFLICT DO NOTHING
    RETURNING profile_id""")  # noqa: S608 - constants of ours

# Read rows are deleted first, then unread ones of KINDS_DELETED_FIRST, the oldest first in each group. Rows that
# another transaction has locked are skipped: the next notification deletes them. PostgreSQL evaluates an ARRAY once.
# IN would allow a plan that repeats the inner queries for each row: minutes for 500 rows, after an ANALYZE of the table
# while it was empty.
DELETE_BEYOND_LIMIT = text("""
    DELETE FROM notifications WHERE id = ANY (ARRAY(
        SELECT id FROM notifications WHERE id = ANY (ARRAY(
            SELECT beyond.id FROM unnest(CAST(:profile_ids AS int[])) AS owner (id), LATERAL (
                SELECT id FROM notifications WHERE profile_id = owner.id
                ORDER BY read_at IS NOT NULL, kind = ANY (:kinds), created_at DESC, id DESC
                OFFSET :maximum) AS beyond))
        FOR UPDATE SKIP LOCKED))""")

MARK_READ = text("""
    UPDATE notifications SET read_at = now()
    WHERE profile_id = :profile_id AND read_at IS NULL AND (CAST(:id AS bigint) IS NULL OR id = :id)""")
MARK_READ_ABOUT = text("""
    UPDATE notifications SET read_at = now()
    WHERE profile_id = :profile_id AND read_at IS NULL
      AND kind = :kind AND client_id = :client_id AND subject = :subject""")
PURGE = text("DELETE FROM notifications WHERE created_at < now() - make_interval(days => :days)")


def add(
    kind: Kind,
    profile_ids: Collection[int],
    *,
    client_id: int | None,
    actor_id: int | None,
    subject: str = "",
    version: int | None = None,
    client_count: int | None = None,
) -> None:
    """Notify the profiles, in the transaction of the change that causes it. Flushes.

    Leaves out the actor, deactivated profiles and those that have switched the kind off. The caller decides who may be
    notified; each reading checks again that the profile may see the client. Adding the same again changes nothing, or
    moves an unread notification to the top and adds `client_count` to its own. The arguments are columns of
    models.Notification.
    """
    if not profile_ids:
        return
    db.session.flush()
    values = {
        "kind": kind,
        "client_id": client_id,
        "actor_id": actor_id,
        "subject": subject,
        "version": version,
        "client_count": client_count,
    }
    _follow_up_after_commit(db.session.scalars(INSERT, {**values, "profile_ids": list(profile_ids)}).all())


def add_old_drafts(_connection: Connection) -> int:
    """Notify the owners of drafts that have not changed for a day; return the number of notifications."""
    values = {"hours": OLD_DRAFT_HOURS, "maximum": MAX_OLD_DRAFTS_AT_ONCE}
    owners = db.session.scalars(INSERT_OLD_DRAFTS, values).all()
    _follow_up_after_commit(owners)
    return len(owners)


def count_unread(profile_id: int) -> int:
    """Return the number of unread notifications that the profile may read, at most unread_sql.MAX_COUNT."""
    count: int = db.session.scalar(text(f"SELECT {unread_count_sql(':profile_id')}"), {"profile_id": profile_id}) or 0
    return count


def mark_read(profile_id: int, notification_id: int | None = None) -> None:
    """Mark one of the profile's notifications as read, or all of them."""
    if db.session.execute(MARK_READ, {"profile_id": profile_id, "id": notification_id}).rowcount:  # type: ignore[attr-defined]
        _publish_after_commit([profile_id])


def mark_read_about(profile_id: int, kind: Kind, client_id: int, subject: str) -> None:
    """Mark the profile's notification of this subject as read, because it has been dealt with."""
    values = {"profile_id": profile_id, "kind": kind, "client_id": client_id, "subject": subject}
    if db.session.execute(MARK_READ_ABOUT, values).rowcount:  # type: ignore[attr-defined]
        _publish_after_commit([profile_id])


def purge(connection: Connection) -> int:
    """Delete notifications that are RETENTION_DAYS old; return their number."""
    return connection.execute(PURGE, {"days": RETENTION_DAYS}).rowcount


def _follow_up_after_commit(profile_ids: Iterable[int]) -> None:
    """Delete the notifications beyond the limit, and tell the profiles' open pages.

    Within the transaction, the deletion would lock notifications of clients that other transactions have locked.
    """
    if notified := sorted(set(profile_ids)):
        after_commit(partial(_delete_beyond_limit, profile_ids=notified))
        _publish_after_commit(notified)


def _delete_beyond_limit(connection: Connection, profile_ids: Collection[int]) -> None:
    values = {"maximum": MAX_NOTIFICATIONS_PER_PROFILE, "kinds": list(KINDS_DELETED_FIRST)}
    connection.execute(DELETE_BEYOND_LIMIT, {"profile_ids": profile_ids, **values})


def _publish_after_commit(profile_ids: Iterable[int]) -> None:
    after_commit(partial(publish.notified, profile_ids=profile_ids))
