"""Write the demo data with the dates of the present day, as files that an import reads."""

import csv
from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import cache
from pathlib import Path

from portal.clients.csv.schema import FILES
from portal.clock import LONDON
from portal.demo.dates import move_by_quarters, move_by_working_days

DATA = Path(__file__).parent / "data"


def write_current_files(folder: Path, today: date) -> None:
    """Write the files of an import into the folder."""
    for name in FILES:
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            rows = list(read(name, today))
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)


def read(name: str, today: date) -> Iterator[dict[str, str]]:
    """Yield the rows of a file of the demo data, with the dates of the present day."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row | {column: move(row[column], today) for column, move in _MOVES.items() if row.get(column)}


@cache
def _moved_day(value: str, today: date) -> str:
    return move_by_working_days(date.fromisoformat(value), today).isoformat()


@cache
def _moved_quarters(value: str, today: date) -> str:
    return move_by_quarters(date.fromisoformat(value), today).isoformat()


@cache
def _moved_time(value: str, today: date) -> str:
    """Return the same time of day in London, of another day."""
    at = datetime.fromisoformat(value).astimezone(LONDON)
    day = move_by_working_days(at.date(), today)
    return datetime.combine(day, at.time(), LONDON).isoformat()


_MOVES: dict[str, Callable[[str, date], str]] = {
    "next_review_on": _moved_day,
    "happened_on": _moved_day,
    "written_at": _moved_time,
    "client_since": _moved_quarters,
    "date_of_birth": _moved_quarters,
    "start_on": _moved_quarters,
    "valued_on": _moved_quarters,
}
