"""Says that something has changed: heard when the transaction of the connection commits, never otherwise.

Heartbeats do so in their own statement; whatever saves does so after its commit, by way of outbox.py. Nothing here
reads, waits or fails on its own.

PostgreSQL lets transactions that notify commit one after the other, so nothing notifies that has changed nothing.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, text

from portal.live.notifications import CHANNEL, ROSTER, SAVED, SIGNED_OUT, Notification
from portal.monitoring import metrics

NOTIFY = text("SELECT pg_notify(:channel, :payload)")


def roster_changed(connection: Connection, page_identifiers: Iterable[str]) -> None:
    """Ring these pages: everybody on them is told the roster anew, and asked anew whether they may see it.

    So this is also what covers a permission that has changed for a page: a record that becomes restricted, say.
    """
    for page_identifier in page_identifiers:
        _notify(connection, Notification(ROSTER, page=page_identifier))


def saved(connection: Connection, page_identifier: str, version: int) -> None:
    """The record of this page has a new version."""
    _notify(connection, Notification(SAVED, page=page_identifier, version=version))


def signed_out(connection: Connection, profile_id: int) -> None:
    """End the profile's streams everywhere; a browser that is still signed in, and may, comes back at once.

    For whatever ends sign-in sessions, one or all, or changes what the profile may see.
    """
    _notify(connection, Notification(SIGNED_OUT, profile=profile_id))


def notify_sql(event: str, page: str, **members: str) -> str:
    """SQL that rings a page from within another statement; `page` and `members` are SQL expressions.

    `event` is ROSTER or NUDGE. Give `count()` what this returns: a CTE that nobody reads is not run.
    """
    pairs = "".join(f", '{name}', {value}" for name, value in members.items())
    return f"pg_notify('{CHANNEL}', json_build_object('event', '{event}', 'page', {page}{pairs})::text)"


def _notify(connection: Connection, notice: Notification) -> None:
    connection.execute(NOTIFY, {"channel": CHANNEL, "payload": notice.payload()})
    metrics.NOTIFICATIONS_SENT.inc()
