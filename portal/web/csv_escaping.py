"""Text that no spreadsheet takes for a formula, and back; CSV that quotes every cell. Used by whatever writes CSV."""

import csv
import re
from typing import Any, TextIO

# What makes a spreadsheet take a cell for a formula (owasp.org/www-community/attacks/CSV_Injection).
_FORMULA_STARTS = r"[=+\-@\t\r\n\0\uff1d\uff0b\uff0d\uff20]"
_LOOKS_LIKE_FORMULA = re.compile(f"'*{_FORMULA_STARTS}")
_ESCAPED_FORMULA = re.compile(f"'+{_FORMULA_STARTS}")


def escape_formula(text: str) -> str:
    """`text` such that no spreadsheet takes it for a formula; `restored` is the exact way back for any text.

    Texts that merely look defused get one more apostrophe, so that they are not restored to something else.
    """
    return f"'{text}" if _LOOKS_LIKE_FORMULA.match(text) else text


def unescape_formula(cell: str) -> str:
    return cell[1:] if _ESCAPED_FORMULA.match(cell) else cell


def csv_writer(file: TextIO, *, line_end: str = "\r\n") -> Any:
    """A writer that quotes every cell, as the exporter and the audit want it.

    A spreadsheet that separates by semicolons would split an unquoted `x;=1+1` and run the rest.
    """
    return csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator=line_end)
