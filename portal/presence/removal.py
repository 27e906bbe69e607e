"""Remove rows of presence and notify pages: sign-out, lost permissions, commands and cleanup.

All in the transaction of the caller, who commits. Pages are notified when the transaction commits.
"""

from typing import Any

from sqlalchemy import Connection, CursorResult, text

from portal.live import publish
from portal.page_kinds import Page
from portal.presence import sql


def clear_profile(connection: Connection, profile_id: int) -> int:
    """Remove the profile from every page and notify those pages; return the number of pages."""
    return _notify_pages(connection, connection.execute(text(sql.CLEAR_PROFILE), {"profile_id": profile_id}))


def notify_pages_of(connection: Connection, profile_id: int) -> None:
    """Notify the pages that the profile is on."""
    _notify_pages(connection, connection.execute(text(sql.PAGES_OF_PROFILE), {"profile_id": profile_id}))


def clear_all(connection: Connection) -> int:
    """Delete every row; return the number. Notifies no page: the streams end with their sessions."""
    return connection.execute(text(sql.CLEAR_ALL)).rowcount


def clear_page(connection: Connection, page_identifier: str) -> int:
    """Remove every profile from the page and notify it; return the number of profiles."""
    return _notify_pages(connection, connection.execute(text(sql.CLEAR_PAGE), {"page_identifier": page_identifier}))


def evict(connection: Connection, page: Page) -> int:
    """Remove the profiles that may no longer see the page; return their number.

    The page is notified in any case, so that the hub also checks the permission of streams without a tab on the roster.
    """
    values = {"page_identifier": page.identifier, "kind": page.kind.name, "number": page.number}
    count = connection.execute(text(sql.evict()), values).rowcount
    publish.roster_changed(connection, [page.identifier])
    return count


def clean_up(connection: Connection, stale_seconds: int) -> int:
    """Delete stale rows; return their number. Notifies no page: stale rows are on no roster."""
    return connection.execute(text(sql.CLEAN_UP), {"stale_seconds": stale_seconds}).rowcount


def _notify_pages(connection: Connection, rows: CursorResult[Any]) -> int:
    """Notify the pages of the rows; return the number of rows."""
    identifiers = rows.scalars().all()
    publish.roster_changed(connection, dict.fromkeys(identifiers))
    return len(identifiers)
