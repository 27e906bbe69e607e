"""Commands to inspect presence and to remove rows: `flask presence …`."""

from contextlib import closing

import click
import psycopg2
from sqlalchemy import text

from portal import clock
from portal.cli import CommandGroup
from portal.config.current import current_settings
from portal.errors import DatabaseUnavailable, NotFound
from portal.extensions import LIVE_BIND, db
from portal.live.listener import Listener, Wakeup
from portal.live.notifications import Notification
from portal.presence import removal, sql

WATCH_WAIT_SECONDS = 60

presence = CommandGroup("presence", help="List and clear the users that are present on pages.")


@presence.command("list", epilog="Example: flask presence list --page client-42")
@click.option("--page", "page_identifier", help="Only this page, for instance client-42.")
def list_presence(page_identifier: str | None) -> None:
    """List the users on each page, newest heartbeat first. Rows past the active window are marked."""
    window = current_settings().presence.active_window_seconds
    rows = db.session.execute(
        text(sql.LIST), {"page_identifier": page_identifier, "active_window_seconds": window}
    ).all()
    for row in rows:
        state = "" if row.is_active else "\tno longer active"
        click.echo(f"{row.page_identifier}\t{row.email}\t{row.seconds_ago} s ago\t{row.tab_count} tabs{state}")
    click.echo(f"{len(rows)} rows", err=True)


@presence.command("cleanup", epilog="Example: flask presence cleanup")
def cleanup() -> None:
    """Delete stale rows now. The server processes do this every 2 minutes."""
    count = removal.clean_up(db.session.connection(), current_settings().presence.stale_seconds)
    db.session.commit()
    click.echo(f"Deleted {count} stale rows.")


@presence.command("clear", epilog="Example: flask presence clear --user amelia@firm.example")
@click.option("--user", "email", help="Remove this user from every page.")
@click.option("--page", "page_identifier", help="Remove all users from this page.")
def clear(email: str | None, page_identifier: str | None) -> None:
    """Remove a user from every page, or all users from one page. An open page returns at its next heartbeat."""
    if bool(email) == bool(page_identifier):
        raise click.UsageError("Name either --user or --page.")
    connection = db.session.connection()
    if email:
        count = removal.clear_profile(connection, _profile_id(email))
    else:
        count = removal.clear_page(connection, page_identifier or "")
    db.session.commit()
    click.echo(f"Deleted {count} rows.")


@presence.command("watch", epilog="Example: flask presence watch --page client-42")
@click.option("--page", "page_identifier", help="Only the notifications of this page.")
def watch(page_identifier: str | None) -> None:
    """Print page notifications as they arrive, until Ctrl-C."""
    try:
        with closing(Wakeup()) as wakeup, Listener(db.engines[LIVE_BIND], wakeup) as listener:
            click.echo("Watching. Press Ctrl-C to stop.", err=True)
            while True:
                for notification in listener.wait(WATCH_WAIT_SECONDS):
                    if page_identifier in (None, notification.page):
                        click.echo(_line(notification))
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)
    except psycopg2.OperationalError as error:
        raise DatabaseUnavailable(f"The connection to the database is lost: {error}") from error


def _line(notification: Notification) -> str:
    numbers = {"version": notification.version, "profile": notification.profile}
    words = [f"{name} {number}" for name, number in numbers.items() if number is not None]
    return "\t".join(
        [f"{clock.now():%H:%M:%S.%f}"[:-3], notification.event, notification.page or "", " ".join(words)]
    ).rstrip()


def _profile_id(email: str) -> int:
    found = db.session.scalar(text("SELECT id FROM profiles WHERE lower(email) = lower(:email)"), {"email": email})
    if found is None:
        raise NotFound(f"No user has the email {email}.")
    return int(found)
