"""Export the client records as the six CSV files that the importer reads.

Rows are in the order in which they were stored. Two exports can therefore be compared line by line, and the export
after a first import has the order of the imported files.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select

from portal.auth import Profile
from portal.clients.csv.files import write_records
from portal.clients.csv.schema import CLIENTS, NOTES, PEOPLE, PRODUCTS, PROFILES, VALUATIONS, TableSchema
from portal.clients.records.models import Client, Person, Product, Valuation
from portal.clients.records.note_models import ClientNote
from portal.errors import PortalError
from portal.extensions import db
from portal.web.csv_escaping import escape_formula

ROWS_AT_A_TIME = 5_000


class FolderNotUsable(PortalError):
    """The folder cannot be written to. The message gives the reason."""


class ExportCounts(NamedTuple):
    """The numbers of exported records."""

    profiles: int
    clients: int
    people: int
    products: int
    valuations: int
    notes: int

    def __str__(self) -> str:
        return "\n".join(f"{name}: {count:,}" for name, count in self._asdict().items())


def export_folder(
    folder: Path, *, overwrite: bool = False, progress: Callable[[str], None] | None = None
) -> ExportCounts:
    """Write a snapshot of all committed records to six files in `folder`, which is created if it does not exist.

    Each file appears complete, and no file before all are written. Raises FolderNotUsable for a folder that cannot be
    written to, and for one that is not empty unless `overwrite` is set.
    """
    try:
        _prepare(folder, overwrite=overwrite)
        with snapshot() as connection:
            return _write_all(connection, folder, progress)
    except OSError as error:
        raise FolderNotUsable(f"{folder} cannot be written to: {error.strerror}") from error


def snapshot() -> Connection:
    """Return a connection whose statements all see the same committed records.

    It is a separate one, because the isolation level must be set before a transaction's first statement.
    """
    return db.engine.connect().execution_options(isolation_level="REPEATABLE READ")


def _prepare(folder: Path, *, overwrite: bool) -> None:
    # Only the owner can read a new folder, because it will contain client data.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not overwrite and any(folder.iterdir()):
        raise FolderNotUsable(f"{folder} is not empty. Name another folder, or use --force to write over it.")


def _write_all(connection: Connection, folder: Path, progress: Callable[[str], None] | None) -> ExportCounts:
    written: list[tuple[Path, Path]] = []
    counts: list[int] = []
    try:
        for schema, query in tables():
            target = folder / schema.file
            partial = folder / f".{schema.file}.partial"
            partial.unlink(missing_ok=True)
            written.append((partial, target))
            counts.append(_write(connection, schema, query, partial))
            if progress:
                progress(f"{schema.file}: {counts[-1]:,} rows written")
        for partial, target in written:
            partial.replace(target)
    finally:
        for partial, _ in written:
            partial.unlink(missing_ok=True)
    return ExportCounts(*counts)


def _write(connection: Connection, schema: TableSchema[Any], query: Select[Any], path: Path) -> int:
    return write_records(path, rows_of(connection, schema, query)) - 1


def rows_of(connection: Connection, schema: TableSchema[Any], query: Select[Any]) -> Iterator[list[str]]:
    """Yield the headings of the file, then its rows as text. Memory does not grow with their number."""
    yield list(schema.columns)
    for row in connection.execution_options(yield_per=ROWS_AT_A_TIME).execute(query):
        yield [_cell(value) for value in row]


def _cell(value: object) -> str:
    """Return a cell. Only text is escaped against formulas, so a negative number stays a number."""
    if value is None:
        return ""
    if isinstance(value, str):
        return escape_formula(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else f"{value}"


def tables() -> tuple[tuple[TableSchema[Any], Select[Any]], ...]:
    """Return each file with the query for its rows, in the order of its columns."""
    of_client = {"client_ref": Client.client_ref}
    return (
        (PROFILES, _columns(PROFILES, Profile).order_by(Profile.id)),
        (
            CLIENTS,
            _columns(CLIENTS, Client, adviser_email=Profile.email)
            .join(Profile, Profile.id == Client.adviser_id, isouter=True)
            .order_by(Client.id),
        ),
        (PEOPLE, _columns(PEOPLE, Person, **of_client).join(Client).order_by(Person.id)),
        (PRODUCTS, _columns(PRODUCTS, Product, **of_client).join(Client).order_by(Product.id)),
        (
            VALUATIONS,
            _columns(VALUATIONS, Valuation, plan_number=Product.plan_number).join(Product).order_by(Valuation.id),
        ),
        (
            NOTES,
            _columns(NOTES, ClientNote, **of_client, author_email=Profile.email)
            .join(Client, Client.id == ClientNote.client_id)
            .join(Profile, Profile.id == ClientNote.author_id, isouter=True)
            .order_by(ClientNote.id),
        ),
    )


def _columns(schema: TableSchema[Any], model: type[Any], **others: Any) -> Select[Any]:
    """Select the file's columns from `model`, except those in `others`."""
    columns = [others[name] if name in others else getattr(model, name) for name in schema.fields]
    return select(*columns).select_from(model)
