"""Notify those who edit a page that another user waits, within the statement of the nudge, as SQL text."""

from portal.live.notifications import NOTIFIED
from portal.live.publish import notify_profile_sql
from portal.notifications.kinds import Kind


def notified_editors(asked: str, editors: str) -> str:
    """Return CTEs that notify the editors of a client's page; the last one, `notified`, has a row for each.

    `asked` and `editors` are names of CTEs: the user who asks (user_id) and the page (kind, number) if the nudge is
    accepted; and the profiles that edit there (user_id).
    """
    return f"""
    notified AS (
        INSERT INTO notifications (profile_id, kind, client_id, actor_id)
        SELECT profiles.id, '{Kind.WAITING}', asked.number, asked.user_id
        FROM {asked} AS asked JOIN {editors} AS editor ON editor.user_id <> asked.user_id
        JOIN profiles ON profiles.id = editor.user_id AND is_active AND NOT muted_notifications ? '{Kind.WAITING}'
        WHERE asked.kind = 'client'
        ORDER BY profiles.id
        ON CONFLICT (profile_id, kind, client_id, actor_id, subject) WHERE read_at IS NULL
        DO UPDATE SET created_at = excluded.created_at
        RETURNING profile_id
    )"""


def notified_editors_count() -> str:
    """Return a scalar that notifies the streams of each profile, and counts the profiles."""
    return f"(SELECT count({notify_profile_sql(NOTIFIED, 'profile_id')}) FROM notified)::int"
