"""`flask presence …`: look at presence, and mend it by hand."""

from contextlib import closing

import click
import psycopg2
from flask import current_app
from sqlalchemy import text

from portal import clock
from portal.cli import CommandGroup
from portal.errors import DatabaseUnavailable, NotFound
from portal.extensions import LIVE_BIND, db
from portal.live.listener import Listener, Wakeup
from portal.live.notifications import Notification
from portal.presence import sql, store

WATCH_WAIT_SECONDS = 60

presence = CommandGroup("presence", help="See who is on which page; clear what should not be there.")


@presence.command("list", epilog="Example: flask presence list --page client-42")
@click.option("--page", "page_identifier", help="Only this page, for instance client-42.")
def list_presence(page_identifier: str | None) -> None:
    """List who is on which page, newest beat first; rows past the active window are marked."""
    window = current_app.config["SETTINGS"].presence.active_window_seconds
    rows = db.session.execute(
        text(sql.LIST), {"page_identifier": page_identifier, "active_window_seconds": window}
    ).all()
    for row in rows:
        state = "" if row.is_active else "\tno longer active"
        click.echo(f"{row.page_identifier}\t{row.email}\t{row.seconds_ago} s ago\t{row.tab_count} tabs{state}")
    click.echo(f"{len(rows)} rows", err=True)


@presence.command("cleanup", epilog="Example: flask presence cleanup")
def cleanup() -> None:
    """Delete stale rows now, as the job of the serving processes does every 2 minutes."""
    count = store.clean_up(db.session.connection(), current_app.config["SETTINGS"].presence.stale_seconds)
    db.session.commit()
    click.echo(f"Deleted {count} stale rows.")


@presence.command("clear", epilog="Example: flask presence clear --user amelia@firm.example")
@click.option("--user", "email", help="Take this user off every page.")
@click.option("--page", "page_identifier", help="Take everybody off this page.")
def clear(email: str | None, page_identifier: str | None) -> None:
    """Take a user off every page, or everybody off one. Whoever is really there is back at the next beat."""
    if bool(email) == bool(page_identifier):
        raise click.UsageError("Name either --user or --page.")
    connection = db.session.connection()
    if email:
        count = store.clear_profile(connection, _profile_id(email))
    else:
        count = store.clear_page(connection, page_identifier or "")
    db.session.commit()
    click.echo(f"Deleted {count} rows.")


@presence.command("watch", epilog="Example: flask presence watch --page client-42")
@click.option("--page", "page_identifier", help="Only what concerns this page.")
def watch(page_identifier: str | None) -> None:
    """Print what open pages are told, as it happens, until Ctrl-C."""
    try:
        with closing(Wakeup()) as bell, Listener(db.engines[LIVE_BIND], bell) as listener:
            click.echo("Watching; Ctrl-C ends it.", err=True)
            while True:
                for notice in listener.wait(WATCH_WAIT_SECONDS):
                    if page_identifier in (None, notice.page):
                        click.echo(_line(notice))
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)
    except psycopg2.OperationalError as error:
        raise DatabaseUnavailable(f"The database has gone away: {error}") from error


def _line(notice: Notification) -> str:
    about = {"version": notice.version, "profile": notice.profile}
    words = [f"{name} {number}" for name, number in about.items() if number is not None]
    return "\t".join([f"{clock.now():%H:%M:%S.%f}"[:-3], notice.event, notice.page or "", " ".join(words)]).rstrip()


def _profile_id(email: str) -> int:
    found = db.session.scalar(text("SELECT id FROM profiles WHERE lower(email) = lower(:email)"), {"email": email})
    if found is None:
        raise NotFound(f"No user has the email {email}.")
    return int(found)
