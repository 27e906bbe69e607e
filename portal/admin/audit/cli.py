"""`flask audit …`: what has been done that security depends on, for operators."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Row

from portal.admin.audit import queries
from portal.admin.audit.details import describe_events
from portal.admin.audit.filters import parse_filters
from portal.audit import Event, record
from portal.cli import CommandGroup
from portal.database import retention
from portal.extensions import db
from portal.web.actor import cli_actor

audit = CommandGroup("audit", help="See who did what, when and from where.")


@audit.command("list", epilog="Example: flask audit list --event sign_in_failed --since 2026-12-01")
@click.option("--event", type=click.Choice([event.value for event in Event]), help="Only this kind of event.")
@click.option("--user", "who", help="Only what these words of a name or email did, or was done to them.")
@click.option("--address", help="Only from this address.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="From this day on, in London.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Up to and with this day.")
@click.option("--most", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for other programs.")
def list_events(as_json: bool, most: int, **wanted: object) -> None:
    """List events, newest first: when, what, who, whom, about what, from where."""
    days = {name: wanted[name].date().isoformat() for name in ("since", "until") if wanted[name]}  # type: ignore[attr-defined]
    filters = parse_filters({name: str(value) for name, value in {**wanted, **days}.items() if value})
    count = 0
    for rows in queries.all_events(filters, most):
        details = describe_events([row.AuditEvent for row in rows], None)
        for row, about in zip(rows, details, strict=True):
            click.echo(_as_json(row) if as_json else "\t".join((*_cells(row), about, row.AuditEvent.address)))
        count += len(rows)
    click.echo(f"{count} events", err=True)


def _cells(row: Row[Any]) -> tuple[str, ...]:
    event = row.AuditEvent
    by = row.actor_email or ("" if event.address else event.user_agent)
    return event.at.isoformat(timespec="seconds"), event.event, by, row.subject_email or ""


def _as_json(row: Row[Any]) -> str:
    event = row.AuditEvent
    names = ("at", "event", "actor", "profile", "about", "address", "request_id")
    values = (*_cells(row), event.about, event.address, event.request_id)
    return json.dumps(dict(zip(names, values, strict=True)))


@audit.command("purge", epilog="Example: flask audit purge --before 2020-01-01 --export /srv/archive/audit-2019.jsonl")
@click.option("--before", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The first day that stays, in UTC.")
@click.option("--export", "path", type=click.Path(path_type=Path), required=True, help="A new file for what goes.")
def purge(before: datetime, path: Path) -> None:
    """Write the events from before a day to a file, then delete them. Takes the role that owns the tables."""
    count = retention.purge(retention.AUDIT, before.date(), path)
    record(Event.AUDIT_PURGED, cli_actor("flask audit purge"), before=before.date().isoformat(), events=count)
    db.session.commit()
    click.echo(f"{count} events are in {path} and no longer in the database.")
