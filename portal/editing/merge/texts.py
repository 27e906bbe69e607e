"""Merge two users' changes to a text, line by line. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from portal.editing.merge.budget import Budget, TooCostly
from portal.editing.merge.diff import Change, changes_between

Lines = list[str]


class Region(NamedTuple):
    """A stretch of lines in the base and in both sides."""

    base: Lines
    theirs: Lines
    yours: Lines

    @property
    def merged(self) -> Lines | None:
        """Return the changes of both sides, or None if they touch: change or border the same lines.

        Two insertions at one place do not touch. Theirs comes first, because it was saved first.
        """
        if self.yours in (self.base, self.theirs):
            return self.theirs
        if self.theirs == self.base:
            return self.yours
        return None if self.base else _inserted(self.theirs, self.yours)

    def united(self, budget: Budget) -> Lines:
        """Return the lines of both sides, theirs first where they differ."""
        return _united(self.theirs, self.yours, budget)


@dataclass(frozen=True)
class TextMerge:
    """The result of a merge. `merged` is None if changed lines touch; then the user decides.

    Where lines touch, `yours` contains only the user's, and `both` contains theirs before yours. Elsewhere both contain
    the changes of both sides.
    """

    merged: str | None
    yours: str
    both: str


def merge_texts(base: str, theirs: str, yours: str, budget: Budget) -> TextMerge | None:
    """Merge `yours` into `theirs`, both derived from `base`; return None for texts that are too costly to compare."""
    try:
        regions = [(each, each.merged) for each in _regions(_lines(base), _lines(theirs), _lines(yours), budget)]
        kept = _text([region.yours if merged is None else merged for region, merged in regions])
        both = _text([region.united(budget) if merged is None else merged for region, merged in regions])
    except TooCostly:
        return None
    return TextMerge(None if any(merged is None for _, merged in regions) else kept, kept, both)


def united(theirs: str, yours: str, budget: Budget) -> str:
    """Combine two texts without a known base. Lines of both occur once."""
    try:
        return _text([_united(_lines(theirs), _lines(yours), budget)])
    except TooCostly:
        return f"{theirs}\n{yours}"


def is_contained(base: str, theirs: str, yours: str, budget: Budget) -> bool:
    """Return whether `yours` contains all changes of `theirs`, as a text does whose lines were merged before."""
    result = merge_texts(base, theirs, yours, budget)
    return result is not None and result.merged == yours


def _lines(text: str) -> Lines:
    """Return the lines; an empty text has none, so two users cannot change the same one."""
    return text.split("\n") if text else []


def _text(parts: Sequence[Lines]) -> str:
    return "\n".join(line for part in parts for line in part)


def _regions(base: Lines, theirs: Lines, yours: Lines, budget: Budget) -> Iterator[Region]:
    """Yield the whole base in stretches, alternately unchanged and changed by one or both sides."""
    at = 0
    for group in _groups(changes_between(base, theirs, budget), changes_between(base, yours, budget)):
        start, end = min(change.start for _, change in group), max(change.end for _, change in group)
        unchanged = base[at:start]
        yield Region(unchanged, unchanged, unchanged)
        yield Region(
            base[start:end],
            _applied(base, start, end, theirs, [change for is_theirs, change in group if is_theirs]),
            _applied(base, start, end, yours, [change for is_theirs, change in group if not is_theirs]),
        )
        at = end
    yield Region(base[at:], base[at:], base[at:])


def _groups(theirs: Sequence[Change], yours: Sequence[Change]) -> Iterator[list[tuple[bool, Change]]]:
    """Yield the changes of both sides in order, grouped if they touch each other. Theirs are marked True."""
    group: list[tuple[bool, Change]] = []
    end = -1
    for each in sorted([*((True, change) for change in theirs), *((False, change) for change in yours)], key=_start_of):
        change = each[1]
        if group and change.start > end:
            yield group
            group = []
        group.append(each)
        end = max(change.end, end)
    if group:
        yield group


def _start_of(marked: tuple[bool, Change]) -> tuple[int, int]:
    return marked[1].start, marked[1].end


def _applied(base: Lines, start: int, end: int, new: Lines, changes: Sequence[Change]) -> Lines:
    """Return one side's version of the base from `start` to `end`."""
    result: Lines = []
    for change in changes:
        result += [*base[start : change.start], *new[change.first : change.last]]
        start = change.end
    return result + base[start:end]


def _inserted(theirs: Lines, yours: Lines) -> Lines:
    """Return two insertions at one place. If one contains the other, as after an earlier merge, it is the result."""
    for one, other in ((theirs, yours), (yours, theirs)):
        if f"\n{_text([other])}\n" in f"\n{_text([one])}\n":
            return one
    return theirs + yours


def _united(theirs: Lines, yours: Lines, budget: Budget) -> Lines:
    result: Lines = []
    at = 0
    for change in changes_between(theirs, yours, budget):
        result += [*theirs[at : change.end], *yours[change.first : change.last]]
        at = change.end
    return result + theirs[at:]
