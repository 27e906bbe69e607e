"""Define `flask clients …`, which imports, exports, reassigns and shares client records."""

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
from portal.clients.csv.auditing import record_export, record_import
from portal.clients.csv.importing import importer
from portal.clients.reads.cli import list_reads
from portal.clients.records.models import Client
from portal.clients.saving.edits import Edit
from portal.clients.saving.write_context import command_context
from portal.clients.sharing import grants
from portal.clients.sharing.reassign import reassign
from portal.database import retention
from portal.errors import NotFound
from portal.extensions import db
from portal.text_input import clean_line
from portal.web.actor import cli_actor

clients = CommandGroup("clients", help="Import, export, reassign and share client records.")


@clients.command("import", epilog="Example: flask clients import portal/demo/data")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def import_clients(folder: Path) -> None:
    """Import profiles, clients, people, products and valuations from the CSV files in DIR.

    Existing records are updated; records that the files do not contain stay unchanged. People are matched by National
    Insurance number, or else by names and date of birth. If a file has a problem, all problems are printed and nothing
    is imported. Valuations more than 75 % away from the previous one are imported and listed.
    """
    actor = cli_actor("flask clients import")
    counts = importer.import_folder(folder, progress=_progress, warn=_warn, by=actor)
    record_import(counts, actor)
    db.session.commit()
    click.echo(counts)


@clients.command("export", epilog="Example: flask clients export /srv/backup/2026-12-08")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Write into a folder that is not empty, and overwrite earlier files.")
def export_clients(folder: Path, force: bool) -> None:
    """Write all profiles, clients, people, products and valuations to CSV files in DIR, in the format of `import`.

    Passwords are not exported. Cells that a spreadsheet would evaluate as a formula begin with an apostrophe, which
    `import` removes.
    """
    counts = export.export_folder(folder, overwrite=force, progress=_progress)
    record_export(counts, cli_actor("flask clients export"))
    db.session.commit()
    click.echo(counts)


@clients.command("reassign", epilog="Example: flask clients reassign daniel@firm.example amelia@firm.example")
@click.argument("from_email", metavar="FROM")
@click.argument("to_email", metavar="TO")
def reassign_clients(from_email: str, to_email: str) -> None:
    """Reassign all clients of the adviser FROM to the adviser TO, both given by email. All change, or none.

    Use it for instance before `flask users deactivate`. The change appears in each client's history and on open pages.
    """
    advisers = (profiles.profile_by_email(from_email), profiles.profile_by_email(to_email))
    actor = cli_actor("flask clients reassign")
    count = reassign(*advisers, lambda done, total: _progress(f"{done:,} of {total:,}"), actor)
    db.session.commit()
    click.echo(f"{count:,} clients were reassigned.")


clients.add_old_name("hand-over", reassign_clients)
clients.add_command(list_reads)


@clients.command("restrict", epilog="Example: flask clients restrict KG00012")
@click.argument("client_ref", metavar="REF")
@click.option("--off", is_flag=True, hidden=True, deprecated="Use flask clients unrestrict.")
def restrict_client(client_ref: str, off: bool) -> None:
    """Hide the client REF from all users except its adviser, users with a grant, compliance and administrators."""
    _set_restricted(client_ref, is_restricted=not off)


@clients.command("unrestrict", epilog="Example: flask clients unrestrict KG00012")
@click.argument("client_ref", metavar="REF")
def unrestrict_client(client_ref: str) -> None:
    """Show the client REF to all users again."""
    _set_restricted(client_ref, is_restricted=False)


@clients.command("grant", epilog="Example: flask clients grant KG00012 priya@firm.example")
@click.argument("client_ref", metavar="REF")
@click.argument("email")
@click.option("--off", is_flag=True, hidden=True, deprecated="Use flask clients revoke.")
def grant_client(client_ref: str, email: str, off: bool) -> None:
    """Grant the user with this email access to the restricted client REF."""
    _set_granted(client_ref, email, is_granted=not off)


@clients.command("revoke", epilog="Example: flask clients revoke KG00012 priya@firm.example")
@click.argument("client_ref", metavar="REF")
@click.argument("email")
def revoke_client(client_ref: str, email: str) -> None:
    """Revoke the access of the user with this email to the restricted client REF."""
    _set_granted(client_ref, email, is_granted=False)


@clients.command(
    "purge-history", epilog="Example: flask clients purge-history --before 2020-01-01 --export /srv/archive/2019.jsonl"
)
@click.option("--before", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The first day to keep, in UTC.")
@click.option("--export", "path", type=click.Path(path_type=Path), required=True, help="A new file for the changes.")
def purge_history(before: datetime, path: Path) -> None:
    """Move the changes from before a day to a file. Requires the database role that owns the tables.

    The records themselves stay unchanged. A purged change can no longer be undone. An editor that was opened before it
    asks about each field that differs.
    """
    count = retention.purge(retention.HISTORY, before.date(), path)
    actor = cli_actor("flask clients purge-history")
    audit.record(Event.HISTORY_PURGED, actor, before=before.date().isoformat(), changes=count)
    db.session.commit()
    click.echo(f"{count} changes are in {path} and no longer in the database.")


def _set_restricted(client_ref: str, *, is_restricted: bool) -> None:
    client = _client(client_ref)
    command = "flask clients restrict" if is_restricted else "flask clients unrestrict"
    grants.restrict(client, _edit(client, command), is_restricted=is_restricted)
    db.session.commit()
    click.echo(f"{client.client_ref} is visible to {'users with access only' if is_restricted else 'all users'}.")


def _set_granted(client_ref: str, email: str, *, is_granted: bool) -> None:
    client, profile = _client(client_ref), profiles.profile_by_email(email)
    if is_granted:
        grants.grant(client, profile.id, _edit(client, "flask clients grant"))
    else:
        grants.revoke(client, grants.grant_id_of(client, profile), _edit(client, "flask clients revoke"))
    db.session.commit()
    click.echo(f"{profile.email} {'has' if is_granted else 'no longer has'} access to {client.client_ref}.")


def _client(client_ref: str) -> Client:
    client = db.session.scalar(select(Client).where(Client.client_ref == clean_line(client_ref)))
    if client is None:
        raise NotFound(f"No client has the reference {client_ref}.")
    return client


def _edit(client: Client, command: str) -> Edit:
    return Edit(command_context(client, cli_actor(command)))


def _progress(line: str) -> None:
    """Print progress on a terminal only. A log needs only the result."""
    if sys.stderr.isatty():
        click.echo(line, err=True)


def _warn(line: str) -> None:
    """Print a value that was imported but may be wrong."""
    click.echo(f"Please check {line}", err=True)
