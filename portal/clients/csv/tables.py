"""Read the six files into rows, and collect all problems that can be found without the database."""

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Generic

from portal.clients.csv import schema
from portal.clients.csv.files import MissingFile, Record, UnreadableFile, read_records
from portal.clients.csv.problems import Problem
from portal.clients.csv.schema import (
    ClientRow,
    NoteKey,
    NoteRow,
    PersonRow,
    ProductRow,
    ProfileRow,
    Row,
    TableSchema,
    ValuationRow,
)
from portal.clients.records.parsers import InvalidCell, Parser, quote_for_message

OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
USE_COMMAS = "save it with commas, in Excel as “CSV UTF-8 (Comma delimited)”"
MAX_PROBLEMS_PER_FILE = 10_000
OnProgress = Callable[[str], None]
ContentOf = Callable[[str], bytes]


@dataclass
class Table(Generic[Row]):
    """The rows of one file. An invalid cell is None in its row, so rows of a file with problems must not be written.

    `is_complete` is False if a part of the file could not be read, so a missing row may exist. `unmatched_cells` are
    those of rows with too few or too many cells; some of them are keys.
    """

    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    is_complete: bool = True
    unmatched_cells: set[str] = field(default_factory=set)

    def may_contain(self, key: str) -> bool:
        """Return whether the unread part of the file may define `key`."""
        return not self.is_complete or key in self.unmatched_cells


@dataclass(frozen=True)
class Tables:
    profiles: Table[ProfileRow]
    clients: Table[ClientRow]
    people: Table[PersonRow]
    products: Table[ProductRow]
    valuations: Table[ValuationRow]
    notes: Table[NoteRow]

    @property
    def problems(self) -> list[Problem]:
        tables = (self.profiles, self.clients, self.people, self.products, self.valuations, self.notes)
        return [problem for table in tables for problem in table.problems]

    @property
    def client_refs(self) -> set[str]:
        """Return the client_ref of every client that the files name."""
        return {
            row.client_ref for table in (self.clients, self.people, self.products, self.notes) for row in table.rows
        }


def read_tables(content_of: ContentOf, on_progress: OnProgress) -> Tables:
    """Read the six files; notes.csv may be missing. Problems are part of the result: this raises nothing.

    `content_of(name)` returns the content of a file, or raises UnreadableFile.
    """

    def read(table_schema: TableSchema[Row]) -> Table[Row]:
        table = read_table(table_schema, content_of)
        on_progress(f"{table_schema.file}: {len(table.rows):,} rows read, {len(table.problems):,} problems")
        return table

    return Tables(
        read(schema.PROFILES),
        read(schema.CLIENTS),
        read(schema.PEOPLE),
        read(schema.PRODUCTS),
        read(schema.VALUATIONS),
        read(schema.NOTES),
    )


def read_table(table_schema: TableSchema[Row], content_of: ContentOf) -> Table[Row]:
    reader = _TableReader(table_schema)
    try:
        reader.read(content_of(table_schema.file))
    except UnreadableFile as error:
        if table_schema.is_optional and isinstance(error, MissingFile):
            return Table()
        reader.add_fatal(error.line, error.problem)
    return reader.table


class _TableReader(Generic[Row]):
    """Reads one file once."""

    def __init__(self, table_schema: TableSchema[Row]) -> None:
        self.schema = table_schema
        self.table: Table[Row] = Table()
        self.width = 0
        self.columns: list[tuple[int | None, str, Parser]] = []
        self.lines_of_keys: dict[Hashable, int] = {}

    def read(self, content: bytes) -> None:
        records = read_records(content)
        header = next(records, None)
        if header is None:
            raise UnreadableFile("is empty: its first line must name the columns")
        if header.flaw:
            raise UnreadableFile(header.flaw, header.line)
        self._read_header(header)
        for record in records:
            self._read_record(record)
            if len(self.table.problems) >= MAX_PROBLEMS_PER_FILE:
                raise UnreadableFile("too many problems; what follows was not read", record.line)

    def add_fatal(self, line: int | None, problem: str) -> None:
        self._add(line, None, problem)
        self.table.is_complete = False

    def _read_header(self, header: Record) -> None:
        headings = [heading.strip() for heading in header.cells]
        if not set(headings) & set(self.schema.columns):
            for separator, name in OTHER_SEPARATORS.items():
                cells = {cell.strip(' "') for heading in headings for cell in heading.split(separator)}
                if cells & set(self.schema.columns):
                    raise UnreadableFile(f"its cells are separated by {name}: {USE_COMMAS}", header.line)
            columns = ",".join(self.schema.columns)
            raise UnreadableFile(f"the first line must name the columns: {columns}", header.line)
        self.width = len(headings)
        self._check_headings(headings, header.line)
        self.columns = [
            (headings.index(column) if column in headings else None, column, parse)
            for column, parse in self.schema.columns.items()
        ]

    def _check_headings(self, headings: list[str], line: int) -> None:
        for heading, count in Counter(headings).items():
            if heading not in self.schema.columns:
                self._add(line, quote_for_message(heading), "is not a column of this file")
            elif count > 1:
                self._add(line, heading, "the column is there more than once")
        for column in self.schema.columns:
            if column not in headings:
                self._add(line, column, "the column is missing")
                self.table.is_complete = False

    def _read_record(self, record: Record) -> None:
        if record.flaw:
            self.add_fatal(record.line, record.flaw)
        elif len(record.cells) != self.width:
            self._add(record.line, None, f"has {len(record.cells):,} cells instead of {self.width}")
            self.table.unmatched_cells.update(record.cells)
        else:
            row = self.schema.make_row(record.line, *self._values(record))
            self.table.rows.append(row)
            self._check_key(row)

    def _values(self, record: Record) -> list[Any]:
        values: list[Any] = []
        for position, column, parse in self.columns:
            value = None
            if position is not None:
                try:
                    value = parse(record.cells[position])
                except InvalidCell as problem:
                    self._add(record.line, column, str(problem))
            values.append(value)
        return values

    def _check_key(self, row: Row) -> None:
        key = row.key
        if key is None:
            return
        first_line = self.lines_of_keys.setdefault(key, row.line)
        if first_line != row.line:
            self._add(row.line, self.schema.key_column, f"{_display_key(key)} is already on line {first_line}")

    def _add(self, line: int | None, column: str | None, problem: str) -> None:
        self.table.problems.append(Problem(self.schema.file, line, column, problem))


def _display_key(key: Hashable) -> str:
    if isinstance(key, NoteKey):
        return f"a note about {quote_for_message(key.client_ref)} by this author at this time"
    if isinstance(key, tuple):
        plan_number, valued_on = key
        return f"{valued_on} of {quote_for_message(plan_number)}"
    return quote_for_message(str(key))
