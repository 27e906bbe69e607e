"""Export the client records as one ZIP file with the six CSV files, for a download."""

import io
import tempfile
import zipfile
from collections.abc import Iterator
from typing import IO

from sqlalchemy import func, select

from portal.clients.csv.export import ExportCounts, rows_of, snapshot, tables
from portal.clients.csv.files import write_rows
from portal.database import advisory_locks
from portal.errors import ServiceBusy


def export_archive() -> tuple[IO[bytes], ExportCounts]:
    """Write a snapshot of all committed records to an unnamed temporary file. Return it, and the numbers of records.

    The file has no name, so it is gone when it is closed or the process ends. The snapshot has ended before anything
    is sent: a slow download holds no transaction. Raises ServiceBusy (503) while another archive is being written.
    """
    archive = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    try:
        with snapshot() as connection:
            if not connection.scalar(select(func.pg_try_advisory_xact_lock(advisory_locks.EXPORT))):
                raise ServiceBusy("Another export is running. Try again in a minute.")
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
                counts = [_write(files, schema.file, rows_of(connection, schema, query)) for schema, query in tables()]
    except BaseException:
        archive.close()
        raise
    archive.seek(0)
    return archive, ExportCounts(*counts)


def _write(files: zipfile.ZipFile, name: str, rows: Iterator[list[str]]) -> int:
    """Write the headings and the rows. Return the number of the rows."""
    with files.open(name, "w", force_zip64=True) as raw, io.TextIOWrapper(raw, "utf-8", newline="") as text:
        return write_rows(text, rows) - 1
