"""`flask clients …`: client records in and out of CSV files, and from one adviser to another."""

import sys
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy import select

from portal import audit
from portal.audit import Event
from portal.auth import profiles
from portal.cli import CommandGroup
from portal.clients.csv import export
from portal.clients.csv.export import ExportCounts
from portal.clients.csv.importing import importer
from portal.clients.csv.importing.changes import ImportCounts
from portal.clients.records.models import Client
from portal.clients.saving.edits import Edit
from portal.clients.sharing import grants
from portal.clients.sharing.reassign import reassign
from portal.database import retention
from portal.editing.base_version import BaseVersion
from portal.errors import NotFound
from portal.extensions import db
from portal.text_input import clean_line
from portal.web.actor import cli_actor

clients = CommandGroup("clients", help="Import and export the client records; give them to another adviser.")


@clients.command("import", epilog="Example: flask clients import portal/demo/data")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def import_clients(folder: Path) -> None:
    """Import profiles, clients, people, products and valuations from the CSV files in DIR.

    What is there already is brought up to date, what the files do not name stays as it is. People are known again
    by National Insurance number, or else by names and date of birth. If anything is wrong with any file, every
    problem is printed and nothing is imported. Amounts more than 75 % away from the valuation before are imported and
    named.
    """
    me = cli_actor("flask clients import")
    counts = importer.import_folder(folder, progress=_progress, warn=_warn, by=me)
    audit.record(Event.IMPORTED, me, **_summary(counts))
    db.session.commit()
    click.echo(counts)


@clients.command("export", epilog="Example: flask clients export /srv/backup/2026-12-08")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Write into a folder that is not empty, over earlier files.")
def export_clients(folder: Path, force: bool) -> None:
    """Write every profile, client, person, product and valuation to CSV files in DIR, as `import` reads them.

    Passwords are not among them. Cells that a spreadsheet would take for a formula begin with an apostrophe,
    which `import` takes away again.
    """
    counts = export.export_folder(folder, overwrite=force, progress=_progress)
    audit.record(Event.EXPORTED, cli_actor("flask clients export"), what="clients", **_summary(counts))
    db.session.commit()
    click.echo(counts)


@clients.command("hand-over", epilog="Example: flask clients hand-over daniel@firm.example amelia@firm.example")
@click.argument("giver", metavar="FROM")
@click.argument("taker", metavar="TO")
def reassign_clients(giver: str, taker: str) -> None:
    """Give every client of the adviser FROM to the adviser TO, both by email, all or none.

    For instance before `flask users deactivate`. Each client's history says so; whoever has one open is told.
    """
    people = (profiles.profile_by_email(giver), profiles.profile_by_email(taker))
    whence = cli_actor("flask clients hand-over").whence
    count = reassign(*people, lambda done, all_: _progress(f"{done:,} of {all_:,}"), whence)
    db.session.commit()
    click.echo(f"{count:,} clients were handed over.")


@clients.command("restrict", epilog="Example: flask clients restrict KG00012")
@click.argument("client_ref", metavar="REF")
@click.option("--off", is_flag=True, help="Show the client to everybody again.")
def restrict_client(client_ref: str, off: bool) -> None:
    """Hide the client REF from everybody but its adviser, those granted and administrators."""
    client = _client(client_ref)
    grants.restrict(client, _edit(client, "flask clients restrict"), is_restricted=not off)
    db.session.commit()
    click.echo(f"{client.client_ref} is seen by {'everybody' if off else 'those with access alone'}.")


@clients.command("grant", epilog="Example: flask clients grant KG00012 priya@firm.example")
@click.argument("client_ref", metavar="REF")
@click.argument("email")
@click.option("--off", is_flag=True, help="Take the access back.")
def grant_client(client_ref: str, email: str, off: bool) -> None:
    """Let the user with this email see the client REF although it is restricted."""
    client, profile = _client(client_ref), profiles.profile_by_email(email)
    edit = _edit(client, "flask clients grant")
    if off:
        grants.revoke(client, grants.grant_id_of(client, profile), edit)
    else:
        grants.grant(client, profile.id, edit)
    db.session.commit()
    click.echo(f"{profile.email} {'no longer has' if off else 'has'} access to {client.client_ref}.")


@clients.command(
    "purge-history", epilog="Example: flask clients purge-history --before 2020-01-01 --export /srv/archive/2019.jsonl"
)
@click.option("--before", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The first day that stays, in UTC.")
@click.option("--export", "path", type=click.Path(path_type=Path), required=True, help="A new file for what goes.")
def purge_history(before: datetime, path: Path) -> None:
    """Write the changes from before a day to a file, then delete them. Takes the role that owns the tables.

    The records themselves stay as they are. A change that is gone can no longer be undone, and whoever still has an
    editor open from before it is asked about every field that differs.
    """
    count = retention.purge(retention.HISTORY, before.date(), path)
    me = cli_actor("flask clients purge-history")
    audit.record(Event.HISTORY_PURGED, me, before=before.date().isoformat(), changes=count)
    db.session.commit()
    click.echo(f"{count} changes are in {path} and no longer in the database.")


def _client(client_ref: str) -> Client:
    client = db.session.scalar(select(Client).where(Client.client_ref == clean_line(client_ref)))
    if client is None:
        raise NotFound(f"No client has the reference {client_ref}.")
    return client


def _edit(client: Client, command: str) -> Edit:
    return Edit(BaseVersion(client.version), by=None, source="cli", whence=cli_actor(command).whence)


def _progress(line: str) -> None:
    """For somebody who waits and watches; in a log the result is enough."""
    if sys.stderr.isatty():
        click.echo(line, err=True)


def _warn(line: str) -> None:
    """What was imported, and may be wrong."""
    click.echo(f"Please check {line}", err=True)


def _summary(counts: ImportCounts | ExportCounts) -> dict[str, int]:
    """How many of each were written, for the audit."""
    return {name: of if isinstance(of, int) else of.new + of.changed for name, of in counts._asdict().items()}
