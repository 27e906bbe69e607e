"""Write the rows of a log as CSV for administrators and compliance."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from portal.auth.models import Profile
from portal.auth.sessions.store import active_profile
from portal.extensions import db
from portal.web.csv_escaping import csv_line
from portal.web.session_cookie import Identity

RowOfLog = TypeVar("RowOfLog")
MAX_CSV_ROWS = 100_000


def csv_lines(
    columns: Sequence[str],
    batches: Iterable[list[RowOfLog]],
    identity: Identity,
    cells_of: Callable[[list[RowOfLog], Profile], Iterable[Sequence[Any]]],
) -> Iterator[str]:
    """Yield the lines until the reader's session ends or the reader loses oversight.

    `cells_of` may read what the lines of a batch need. No transaction is open while the browser reads.
    """
    yield csv_line(columns)
    for rows in batches:
        reader = active_profile(identity)
        lines = list(cells_of(rows, reader)) if reader is not None and reader.has_oversight else None
        db.session.rollback()
        if lines is None:
            return
        yield from map(csv_line, lines)
