"""Exports the client records as the five CSV files that the importer reads. Called by `flask clients`.

Rows stand in the order in which they were stored, so that two exports compare line by line, and the export of a
fresh import has the order of its files.
"""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select

from portal.auth import Profile
from portal.clients.csv.files import write_records
from portal.clients.csv.schema import CLIENTS, PEOPLE, PRODUCTS, PROFILES, VALUATIONS, TableSchema
from portal.clients.records.models import Client, Person, Product, Valuation
from portal.errors import PortalError
from portal.extensions import db
from portal.web.csv_escaping import escape_formula

ROWS_AT_A_TIME = 5_000


class FolderNotUsable(PortalError):
    """The export cannot be written there; the text says why."""


class ExportCounts(NamedTuple):
    """How many of each were written."""

    profiles: int
    clients: int
    people: int
    products: int
    valuations: int

    def __str__(self) -> str:
        return "\n".join(f"{name}: {count:,}" for name, count in self._asdict().items())


def export_folder(
    folder: Path, *, overwrite: bool = False, progress: Callable[[str], None] | None = None
) -> ExportCounts:
    """Write all that is committed, as of one moment, to five files in `folder`, which is made if need be.

    Each file appears whole, and none before all are written. Raises FolderNotUsable for a folder that has anything
    in it, unless told to overwrite, and for one that cannot be written to.
    """
    try:
        _prepare(folder, overwrite=overwrite)
        # A connection of its own: the snapshot must be asked for before a transaction's first statement.
        with db.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            return _write_all(connection, folder, progress)
    except OSError as error:
        raise FolderNotUsable(f"{folder} cannot be written to: {error.strerror}") from error


def _prepare(folder: Path, *, overwrite: bool) -> None:
    # Only the owner can look into a new folder: it will hold clients.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not overwrite and any(folder.iterdir()):
        raise FolderNotUsable(f"{folder} is not empty. Name another folder, or use --force to write over it.")


def _write_all(connection: Connection, folder: Path, progress: Callable[[str], None] | None) -> ExportCounts:
    fresh: list[tuple[Path, Path]] = []
    counts: list[int] = []
    try:
        for shape, query in _queries():
            target = folder / shape.file
            partial = folder / f".{shape.file}.partial"
            partial.unlink(missing_ok=True)
            fresh.append((partial, target))
            counts.append(_write(connection, shape, query, partial))
            if progress:
                progress(f"{shape.file}: {counts[-1]:,} rows written")
        for partial, target in fresh:
            partial.replace(target)
    finally:
        for partial, _ in fresh:
            partial.unlink(missing_ok=True)
    return ExportCounts(*counts)


def _write(connection: Connection, shape: TableSchema[Any], query: Select[Any], path: Path) -> int:
    count = 0

    def lines() -> Iterator[list[str]]:
        nonlocal count
        yield list(shape.columns)
        for row in connection.execution_options(yield_per=ROWS_AT_A_TIME).execute(query):
            count += 1
            yield [_cell(value) for value in row]

    write_records(path, lines())
    return count


def _cell(value: Any) -> str:
    """Only what people have typed can be a formula: a number stays one, also below 0."""
    if value is None:
        return ""
    if isinstance(value, str):
        return escape_formula(value)
    return value.isoformat() if isinstance(value, date) else f"{value}"


def _queries() -> tuple[tuple[TableSchema[Any], Select[Any]], ...]:
    """Each file with what its rows hold, in the order of its columns."""
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
    )


def _columns(shape: TableSchema[Any], model: type[Any], **elsewhere: Any) -> Select[Any]:
    """The file's columns from `model`, but for those that stand `elsewhere`."""
    columns = [elsewhere[name] if name in elsewhere else getattr(model, name) for name in shape.fields]
    return select(*columns).select_from(model)
