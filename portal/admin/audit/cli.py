"""Define `flask audit …`, with which operators list and purge the audit log."""

import json
from datetime import datetime
from pathlib import Path

import click

from portal.admin.audit import queries
from portal.admin.audit.details import describe_events
from portal.admin.audit.filters import parse_filters
from portal.admin.audit.queries import AuditRow
from portal.audit import Event, record
from portal.cli import CommandGroup
from portal.database import retention
from portal.extensions import db
from portal.web.actor import cli_actor

LIMIT = click.IntRange(1, 100_000)

audit = CommandGroup("audit", help="List and purge the audit log.")


@audit.command("list", epilog="Example: flask audit list --event sign_in_failed --since 2026-12-01")
@click.option("--event", type=click.Choice([event.value for event in Event]), help="Only events of this kind.")
@click.option("--user", "who", help="Only events by or about users with this text in their name or email.")
@click.option("--address", help="Only events from this address.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Only events from this day on, in London time.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Only events up to the end of this day.")
@click.option("--limit", type=LIMIT, default=100, show_default=True, help="The maximum number of events.")
@click.option("--most", type=LIMIT, hidden=True, deprecated="Use --limit.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each line.")
def list_events(as_json: bool, limit: int, most: int | None, **options: object) -> None:
    """List events, newest first: time, event, actor, subject, details and address."""
    days = {name: options[name].date().isoformat() for name in ("since", "until") if options[name]}  # type: ignore[attr-defined]
    filters = parse_filters({name: str(value) for name, value in {**options, **days}.items() if value})
    count = 0
    for rows in queries.all_events(filters, most or limit):
        details = describe_events([row.event for row in rows], None)
        for row, about in zip(rows, details, strict=True):
            click.echo(_as_json(row) if as_json else "\t".join((*_cells(row), about, row.event.address)))
        count += len(rows)
    click.echo(f"{count} events", err=True)


def _cells(row: AuditRow) -> tuple[str, ...]:
    event = row.event
    by = row.actor_email or ("" if event.address else event.user_agent)
    return event.at.isoformat(timespec="seconds"), event.event, by, row.subject_email or ""


def _as_json(row: AuditRow) -> str:
    event = row.event
    names = ("at", "event", "actor", "profile", "about", "address", "request_id")
    values = (*_cells(row), event.about, event.address, event.request_id)
    return json.dumps(dict(zip(names, values, strict=True)))


@audit.command("purge", epilog="Example: flask audit purge --before 2020-01-01 --export /srv/archive/audit-2019.jsonl")
@click.option("--before", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The first day to keep, in UTC.")
@click.option("--export", "path", type=click.Path(path_type=Path), required=True, help="A new file for the events.")
def purge(before: datetime, path: Path) -> None:
    """Move the events from before a day to a file. Requires the database role that owns the tables."""
    count = retention.purge(retention.AUDIT, before.date(), path)
    record(Event.AUDIT_PURGED, cli_actor("flask audit purge"), before=before.date().isoformat(), events=count)
    db.session.commit()
    click.echo(f"{count} events are in {path} and no longer in the database.")
