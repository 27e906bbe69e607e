"""Notify pages of changes. PostgreSQL delivers a notification when its transaction commits.

Heartbeats notify in their own statement, operations after their commit (outbox.py).

PostgreSQL serialises the commits of transactions that notify, so code notifies only if something has changed.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, text

from portal.live.notifications import CHANNEL, IMPORTED, NOTIFIED, ROSTER, SAVED, SIGNED_OUT, Notification
from portal.monitoring import metrics

NOTIFY = text("SELECT pg_notify(:channel, :payload)")


def roster_changed(connection: Connection, page_identifiers: Iterable[str]) -> None:
    """Notify these pages of a new roster. The hub also checks the permissions of their streams again.

    It therefore also serves changes of a permission, for example a record that becomes restricted.
    """
    for page_identifier in page_identifiers:
        _notify(connection, Notification(ROSTER, page=page_identifier))


def saved(connection: Connection, page_identifier: str, version: int, *, lists: bool) -> None:
    """Notify the page of a new version of its record. `lists`: lists that do not show the page may have to now."""
    _notify(connection, Notification(SAVED, page=page_identifier, version=version, lists=lists or None))


def imported(connection: Connection) -> None:
    """Let all open pages be read again, because an import has changed records.

    A notification for each record would be 50,000 of them, and most of their pages are not open.
    """
    _notify(connection, Notification(IMPORTED))


def signed_out(connection: Connection, profile_id: int) -> None:
    """End the profile's streams in all processes. A browser that is still authorised reconnects at once.

    Every change that ends sign-in sessions of the profile, or changes what it may see, must call this.
    """
    _notify(connection, Notification(SIGNED_OUT, profile=profile_id))


def notified(connection: Connection, profile_ids: Iterable[int]) -> None:
    """Tell the open pages of these profiles that the number of their unread notifications has changed."""
    for profile_id in profile_ids:
        _notify(connection, Notification(NOTIFIED, profile=profile_id))


def notify_sql(event: str, page: str, **members: str) -> str:
    """Return SQL that notifies a page within another statement. `page` and `members` are SQL expressions.

    `event` is ROSTER, DRAFTS or NUDGE. Pass the result to `count()`, because PostgreSQL does not execute an unused CTE.
    """
    pairs = "".join(f", '{name}', {value}" for name, value in members.items())
    return f"pg_notify('{CHANNEL}', json_build_object('event', '{event}', 'page', {page}{pairs})::text)"


def notify_profile_sql(event: str, profile: str) -> str:
    """Return SQL that notifies the streams of a profile within another statement, as `notify_sql` does for a page."""
    return f"pg_notify('{CHANNEL}', json_build_object('event', '{event}', 'profile', {profile})::text)"


def _notify(connection: Connection, notification: Notification) -> None:
    connection.execute(NOTIFY, {"channel": CHANNEL, "payload": notification.payload()})
    metrics.NOTIFICATIONS_SENT.inc()
