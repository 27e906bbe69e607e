"""Describe problems of the files to import, with file, line and column."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from portal.errors import PortalError

MAX_PROBLEMS_SHOWN = 200


class Problem(NamedTuple):
    """One problem. Its text is, for example, `clients.csv:17: risk_profile: 9 is not 1 to 7`."""

    file: str
    line: int | None
    column: str | None
    text: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return ": ".join(part for part in (place, self.column, self.text) if part)


class ImportProblems(PortalError):
    """The files cannot be imported, and nothing was. `problems` has all problems, the message the first 200."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__(_listed(self.problems))


def first_of(problems: Sequence[Problem]) -> list[str]:
    """Return the first MAX_PROBLEMS_SHOWN problems as lines, and the number of the others as a line."""
    more = len(problems) - MAX_PROBLEMS_SHOWN
    return [*map(str, problems[:MAX_PROBLEMS_SHOWN]), *([f"and {more:,} more"] if more > 0 else [])]


def _listed(problems: Sequence[Problem]) -> str:
    noun = "problem" if len(problems) == 1 else "problems"
    return "\n".join([f"nothing was imported, because of {len(problems):,} {noun}:", *first_of(problems)])
