"""Define `flask clients reads`, with which operators list who has read which client."""

import json
from datetime import datetime

import click
from flask.cli import with_appcontext

from portal.audit import Event
from portal.clients.reads import queries
from portal.clients.reads.filters import parse_read_filters
from portal.clients.reads.queries import COLUMNS
from portal.extensions import db
from portal.web.actor import cli_actor


@click.command("reads", epilog="Example: flask clients reads KG00012 --since 2026-11-01")
@click.argument("client_ref", metavar="[REF]", default="")
@click.option("--user", "who", default="", help="Only reads of users with this text in their name or email.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Only reads from this day on, in London time.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Only reads up to the end of this day.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="The maximum of lines.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each line.")
@with_appcontext
def list_reads(
    client_ref: str, who: str, since: datetime | None, until: datetime | None, limit: int, as_json: bool
) -> None:
    """List who has read the client REF, or all clients, newest first: hour, user, email, reference, client.

    The command itself is recorded in the audit log.
    """
    days = {name: day.date().isoformat() for name, day in (("since", since), ("until", until)) if day}
    selection = queries.select_by(parse_read_filters({"client": client_ref, "who": who, **days}))
    queries.record_look(cli_actor("flask clients reads"), Event.READS_VIEWED, selection)
    db.session.commit()  # before the first line: `| head -1` ends the command at a line
    count = 0
    for rows in queries.all_reads(selection, limit):
        for row in rows:
            cells = dict(zip(COLUMNS, row.cells(), strict=True))
            click.echo(json.dumps(cells) if as_json else "\t".join(cells.values()))
        count += len(rows)
    click.echo(f"{count} reads", err=True)
