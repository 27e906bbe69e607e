"""Fill an empty database with the demo data. Flushes, never commits."""

from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from portal.clients.csv.importing.importer import import_folder
from portal.demo.activity import add_drafts, add_notifications, add_sign_ins, add_visits
from portal.demo.files import write_current_files
from portal.demo.history import Records, write_history


def add_records(today: date) -> None:
    """Import the records with dates relative to today, and add what the users have done in the last weeks."""
    with TemporaryDirectory() as folder:
        write_current_files(Path(folder), today)
        import_folder(Path(folder))
    records = Records()
    acts = write_history(records, today, partial(add_notifications, today=today))
    add_visits(acts)
    add_sign_ins(acts)
    add_drafts(records, today)
