"""Merging two people's changes to a text, line by line. Pure; used by merge.py."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from portal.editing.merge.budget import Budget, TooCostly
from portal.editing.merge.diff import Change, changes_between

Lines = list[str]


class Region(NamedTuple):
    """A stretch of lines and what either side made of it."""

    base: Lines
    theirs: Lines
    yours: Lines

    @property
    def merged(self) -> Lines | None:
        """Both sides' changes, or None where they touch: change or border the same lines.

        Two insertions at one place do not touch: theirs was saved first and stands first.
        """
        if self.yours in (self.base, self.theirs):
            return self.theirs
        if self.theirs == self.base:
            return self.yours
        return None if self.base else _inserted(self.theirs, self.yours)

    def united(self, budget: Budget) -> Lines:
        """The lines of both, theirs first where they differ."""
        return _united(self.theirs, self.yours, budget)


@dataclass(frozen=True)
class TextMerge:
    """`merged` is None where lines touch. Then a person decides between `yours`, which has theirs wherever they do not
    touch, and `both`, which has theirs before yours where they do. What is saved already is a third way.
    """

    merged: str | None
    yours: str
    both: str


def merge_texts(base: str, theirs: str, yours: str, budget: Budget) -> TextMerge | None:
    """Merge `yours` into `theirs`, both made from `base`; None for texts that are too costly to compare."""
    try:
        regions = [(each, each.merged) for each in _regions(_lines(base), _lines(theirs), _lines(yours), budget)]
        kept = _text([region.yours if merged is None else merged for region, merged in regions])
        both = _text([region.united(budget) if merged is None else merged for region, merged in regions])
    except TooCostly:
        return None
    return TextMerge(None if any(merged is None for _, merged in regions) else kept, kept, both)


def united(theirs: str, yours: str, budget: Budget) -> str:
    """Both texts as one where nobody knows what they were made from: what is in both stands once."""
    try:
        return _text([_united(_lines(theirs), _lines(yours), budget)])
    except TooCostly:
        return f"{theirs}\n{yours}"


def is_contained(base: str, theirs: str, yours: str, budget: Budget) -> bool:
    """Whether `yours` has all that `theirs` changed of `base`: as a text has whose lines have been merged already."""
    found = merge_texts(base, theirs, yours, budget)
    return found is not None and found.merged == yours


def _lines(text: str) -> Lines:
    """An empty text has no line that two people could both have changed."""
    return text.split("\n") if text else []


def _text(parts: Sequence[Lines]) -> str:
    return "\n".join(line for part in parts for line in part)


def _regions(base: Lines, theirs: Lines, yours: Lines, budget: Budget) -> Iterator[Region]:
    """All of the base, in stretches that nobody, one or both have changed."""
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
    """The changes of both sides in their order; those that touch each other together. Theirs are marked True."""
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
    """What one side made of the base from `start` to `end`."""
    made: Lines = []
    for change in changes:
        made += [*base[start : change.start], *new[change.first : change.last]]
        start = change.end
    return made + base[start:end]


def _inserted(theirs: Lines, yours: Lines) -> Lines:
    """Two insertions at one place. One that has the other in it, as a text has that was merged before, is both."""
    for one, other in ((theirs, yours), (yours, theirs)):
        if f"\n{_text([other])}\n" in f"\n{_text([one])}\n":
            return one
    return theirs + yours


def _united(theirs: Lines, yours: Lines, budget: Budget) -> Lines:
    made: Lines = []
    at = 0
    for change in changes_between(theirs, yours, budget):
        made += [*theirs[at : change.end], *yours[change.first : change.last]]
        at = change.end
    return made + theirs[at:]
