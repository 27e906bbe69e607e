"""Read and write CSV files as text, without knowledge of clients.

Reads UTF-8 with or without BOM and any line ending. Writes UTF-8 without BOM, with line feeds and only necessary
quotes.
"""

import csv
import io
import os
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple, TextIO

from portal.driver.turns import in_turns
from portal.web.csv_escaping import csv_writer, unescape_formula

MAX_FILE_BYTES = 256 * 2**20
# Less than the csv module's own limit of a cell, so that a missing quotation mark is detected here.
MAX_RECORD_CHARACTERS = 100_000


class Record(NamedTuple):
    """One row of a file. `line` is the physical line on which it starts. `flaw` says why it has no cells."""

    line: int
    cells: list[str]
    flaw: str = ""


class UnreadableFile(Exception):
    """The file cannot be read. `line` is the position of the problem, if it has one."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line


class MissingFile(UnreadableFile):
    """There is no such file."""

    def __init__(self) -> None:
        super().__init__("the file is missing")


def read_file(path: Path) -> bytes:
    """Return the content of a file. Raises UnreadableFile."""
    if not path.exists():
        raise MissingFile
    if not path.is_file():
        raise UnreadableFile("is not a file")
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UnreadableFile(f"is larger than {MAX_FILE_BYTES // 2**20} MB")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"cannot be read: {error.strerror}") from error


def read_records(content: bytes) -> Iterator[Record]:
    """Yield the rows that are not empty, with unescaped cells. Raises UnreadableFile before the first one.

    A worker of the server reads a large file in between other requests.
    """
    _reject_other_encodings(content)
    lines = _Lines(content)
    reader = csv.reader(lines, strict=True)
    for _ in in_turns(count()):
        line = reader.line_num + 1
        lines.room = MAX_RECORD_CHARACTERS
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Record(line, [], _flaw(error))
            continue
        if any(cells):
            yield Record(line, [unescape_formula(cell) for cell in cells])


def write_records(path: Path, rows: Iterable[Iterable[str]]) -> int:
    """Write the rows and flush them to the disk. Return their number.

    Only the owner can read the file, because it contains client data.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8", newline="") as file:
        written = write_rows(file, rows)
        file.flush()
        os.fsync(descriptor)
    return written


def write_rows(file: TextIO, rows: Iterable[Iterable[str]]) -> int:
    """Write the rows to an open file. Return their number."""
    writer, written = csv_writer(file, line_end="\n"), 0
    for row in rows:
        writer.writerow(row)
        written += 1
    return written


def _reject_other_encodings(content: bytes) -> None:
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]  # without a BOM
        newlines = before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n")
        column = error.start - max(before.rfind(b"\n"), before.rfind(b"\r"))
        raise UnreadableFile(
            f"byte {column} of the line, 0x{error.object[error.start]:02X}, is not UTF-8: "
            "save the file with the encoding UTF-8",
            newlines + 1,
        ) from error


class _Lines:
    """Iterate over physical lines with their endings. Raises csv.Error and ends if a record exceeds `room`."""

    def __init__(self, content: bytes) -> None:
        # Decoded while it is read; io.StringIO would need four bytes for each character.
        self._file: TextIO = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
        self.room = MAX_RECORD_CHARACTERS

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(self.room + 1)
        if not line:
            raise StopIteration
        self.room -= len(line)
        if self.room < 0:
            self._file = io.StringIO()
            raise csv.Error("too long")
        return line


def _flaw(error: csv.Error) -> str:
    if "too long" in str(error):
        return (
            f"the row is longer than {MAX_RECORD_CHARACTERS:,} characters (is a quotation mark never closed?); "
            "what follows was not read"
        )
    if "unexpected end" in str(error):
        return "a quotation mark is opened here and never closed"
    return "after a closing quotation mark there must be a comma; write a quotation mark in a cell twice"
