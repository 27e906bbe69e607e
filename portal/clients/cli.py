"""`flask clients …`: client records in and out of CSV files, and from one adviser to another."""

import sys
from pathlib import Path

import click

from portal.auth import operations
from portal.clients import exporter, importer
from portal.clients.handing_over import hand_over
from portal.commands import CommandGroup
from portal.extensions import db

clients = CommandGroup("clients", help="Import and export the client records; give them to another adviser.")


@clients.command("import", epilog="Example: flask clients import portal/demo_data")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def import_clients(folder: Path) -> None:
    """Import profiles, clients, people, products and valuations from the CSV files in DIR.

    What is there already is brought up to date, what the files do not name stays as it is. People are known again
    by National Insurance number, or else by names and date of birth. If anything is wrong with any file, every
    problem is printed and nothing is imported.
    """
    counts = importer.import_folder(folder, progress=_progress)
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
    counts = exporter.export_folder(folder, overwrite=force, progress=_progress)
    click.echo(counts)


@clients.command("hand-over", epilog="Example: flask clients hand-over daniel@firm.example amelia@firm.example")
@click.argument("giver", metavar="FROM")
@click.argument("taker", metavar="TO")
def hand_over_clients(giver: str, taker: str) -> None:
    """Give every client of the adviser FROM to the adviser TO, both by e-mail, all or none.

    For instance before `flask users deactivate`. Each client's history says so; whoever has one open is told.
    """
    people = (operations.profile_by_email(giver), operations.profile_by_email(taker))
    count = hand_over(*people, lambda done, all_: _progress(f"{done:,} of {all_:,}"))
    db.session.commit()
    click.echo(f"{count:,} clients were handed over.")


def _progress(line: str) -> None:
    """For somebody who waits and watches; in a log the result is enough."""
    if sys.stderr.isatty():
        click.echo(line, err=True)
