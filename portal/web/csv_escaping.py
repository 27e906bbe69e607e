"""Escape formulas in CSV cells, and write CSV with every cell quoted."""

import csv
import io
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _csv import Writer

# Characters with which a formula begins in a spreadsheet (owasp.org/www-community/attacks/CSV_Injection).
_FORMULA_STARTS = r"[=+\-@\t\r\n\0\uff1d\uff0b\uff0d\uff20]"
_LOOKS_LIKE_FORMULA = re.compile(f"'*{_FORMULA_STARTS}")
_ESCAPED_FORMULA = re.compile(f"'+{_FORMULA_STARTS}")


def escape_formula(text: str) -> str:
    """Return text that no spreadsheet evaluates as a formula. `unescape_formula` reverses it exactly.

    A text that looks escaped already gets another apostrophe, so that unescaping does not change it.
    """
    return f"'{text}" if _LOOKS_LIKE_FORMULA.match(text) else text


def unescape_formula(cell: str) -> str:
    return cell[1:] if _ESCAPED_FORMULA.match(cell) else cell


def csv_line(cells: Iterable[str | None]) -> str:
    """Return one line of CSV in which no cell is a formula."""
    text = io.StringIO()
    csv_writer(text).writerow([escape_formula(cell or "") for cell in cells])
    return text.getvalue()


def csv_writer(file: TextIO, *, line_end: str = "\r\n") -> "Writer":
    """Return a writer that quotes every cell.

    A spreadsheet that separates cells by semicolons would split an unquoted `x;=1+1` and evaluate the rest.
    """
    return csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator=line_end)
