"""Count unread notifications, and decide who may read a notification, as SQL text."""

from portal import page_kinds
from portal.notifications.kinds import Kind

MAX_COUNT = 100  # pages show "99+"
RETENTION_DAYS = 90


def readable() -> str:
    """Return the condition that `caller`, a row of profiles, may read its row of `notifications` now.

    A notification about a client that the profile may no longer see does not exist for it. Neither does one about a
    draft that has been saved or discarded.
    """
    return f"""(
        notifications.created_at > now() - make_interval(days => {RETENTION_DAYS})
        AND (notifications.client_id IS NULL OR EXISTS (
            SELECT FROM (SELECT notifications.client_id AS number) AS page
            WHERE {page_kinds.kind_named("client").visible_sql}))
        AND (kind <> '{Kind.DRAFT}' OR EXISTS (
            SELECT FROM edit_drafts
            WHERE edit_drafts.profile_id = caller.id AND page_identifier = 'client-' || notifications.client_id
              AND draft_id = subject)))"""


def unread_count_sql(profile_id: str) -> str:
    """Return a scalar: the number of unread notifications that the profile may read, at most MAX_COUNT.

    `profile_id` is a SQL expression.
    """
    return f"""(SELECT count(*)::int FROM (
        SELECT FROM profiles AS caller JOIN notifications ON notifications.profile_id = caller.id
        WHERE caller.id = {profile_id} AND read_at IS NULL AND {readable()}
        LIMIT {MAX_COUNT}) AS unread)"""
