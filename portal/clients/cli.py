"""`flask clients …`: client records in and out of CSV files."""

import sys
from pathlib import Path

import click

from portal import audit
from portal.audit import Event
from portal.clients import exporter, importer
from portal.clients.exporter import ExportCounts
from portal.clients.import_changes import ImportCounts
from portal.commands import CommandGroup
from portal.extensions import db
from portal.whence import at_the_command_line

clients = CommandGroup("clients", help="Import and export the client records as CSV files.")


@clients.command("import", epilog="Example: flask clients import portal/demo_data")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def import_clients(folder: Path) -> None:
    """Import profiles, clients, people, products and valuations from the CSV files in DIR.

    What is there already is brought up to date, what the files do not name stays as it is. People are known again
    by National Insurance number, or else by names and date of birth. If anything is wrong with any file, every
    problem is printed and nothing is imported.
    """
    counts = importer.import_folder(folder, progress=_progress)
    audit.record(Event.IMPORTED, at_the_command_line("flask clients import"), **_numbers(counts))
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
    audit.record(Event.EXPORTED, at_the_command_line("flask clients export"), what="clients", **_numbers(counts))
    db.session.commit()
    click.echo(counts)


def _progress(line: str) -> None:
    """For somebody who waits and watches; in a log the result is enough."""
    if sys.stderr.isatty():
        click.echo(line, err=True)


def _numbers(counts: ImportCounts | ExportCounts) -> dict[str, int]:
    """How many of each were written, for the audit."""
    return {name: of if isinstance(of, int) else of.new + of.changed for name, of in counts._asdict().items()}
