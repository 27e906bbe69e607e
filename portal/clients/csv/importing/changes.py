"""What an import has to do: rows against what the database holds, sorted into new, changed and unchanged. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Values = Mapping[Any, Any]  # column → value; what a row of a result is, too


class Counts(NamedTuple):
    new: int = 0
    changed: int = 0
    unchanged: int = 0

    def __str__(self) -> str:
        return f"{self.new:,} new, {self.changed:,} changed, {self.unchanged:,} unchanged"


class ImportCounts(NamedTuple):
    """What an import has done, file by file."""

    profiles: Counts
    clients: Counts
    people: Counts
    products: Counts
    valuations: Counts

    def __str__(self) -> str:
        return "\n".join(f"{name}: {counts}" for name, counts in self._asdict().items())


@dataclass
class RowChanges:
    """Rows to insert; the kept records to update, each with the columns that differ; how many are fine already."""

    new: list[Values] = field(default_factory=list)
    changed: list[tuple[Values, Values]] = field(default_factory=list)
    unchanged: int = 0

    @property
    def counts(self) -> Counts:
        return Counts(len(self.new), len(self.changed), self.unchanged)


def diff_rows(pairs: Iterable[tuple[Values, Values | None]]) -> RowChanges:
    """From pairs of wanted values and the record that is there, or None. Only wanted columns are compared."""
    changes = RowChanges()
    for wanted, kept in pairs:
        if kept is None:
            changes.new.append(wanted)
        elif differences := {name: value for name, value in wanted.items() if kept[name] != value}:
            changes.changed.append((kept, differences))
        else:
            changes.unchanged += 1
    return changes
