"""Two texts as one that shows what was taken out and what was put in, for people to read. Pure.

Line by line first, and word by word inside lines that were changed, so that a long text takes no longer than it must.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from portal.editing.merge.budget import Budget, TooCostly
from portal.editing.merge.diff import changes_between

MIN_COMMON_SHARE = 0.5  # of the shorter line's words: with fewer in common the two cannot be read as one
MAX_PIECES = 1_000  # more can neither be read nor quickly drawn
LINES_AROUND = 3
MIN_CUT_LINES = 3
MAX_REPLACED_CHARACTERS = 400  # of two texts with nothing in common: longer ones are read better side by side
WORDS = re.compile(r"\S+|\s+")


class Segment(NamedTuple):
    """A stretch of text that is in both ("same"), only in the old one ("gone") or only in the new one ("new"); or how
    much of it is left out ("cut").
    """

    kind: str
    text: str


def inline_diff(old: str, new: str, budget: Budget) -> list[Segment] | None:
    """Return the pieces in their order; all but the "new" ones make up `old`, all but the "gone" ones make up `new`.

    Return None for texts that are too long or too different for the budget: they are to be shown whole, side by side.
    """
    try:
        pieces = list(_joined(_lines(old, new, budget)))
    except TooCostly:
        return None
    is_other_text = len(old) + len(new) > MAX_REPLACED_CHARACTERS and all(piece.kind != "same" for piece in pieces)
    return None if is_other_text or len(pieces) > MAX_PIECES else pieces


def abridged(pieces: Sequence[Segment]) -> list[Segment]:
    """Return the pieces with LINES_AROUND of the lines that are the same around each change; a "cut" piece says what
    stands between.
    """
    shown: list[Segment] = []
    for number, piece in enumerate(pieces):
        lines = piece.text.splitlines(keepends=True)
        before = LINES_AROUND if number else 0
        after = LINES_AROUND if number < len(pieces) - 1 else 0
        hidden = len(lines) - before - after
        if piece.kind != "same" or hidden < MIN_CUT_LINES:
            shown.append(piece)
            continue
        head, tail = "".join(lines[:before]), "".join(lines[before + hidden :])
        cut = Segment("cut", f"{hidden} lines")
        shown += [each for each in (Segment("same", head), cut, Segment("same", tail)) if each.text]
    return shown


def _lines(old: str, new: str, budget: Budget) -> Iterator[Segment]:
    for kind, was, now in _stretches(old.splitlines(keepends=True), new.splitlines(keepends=True), budget):
        yield from [Segment("same", was)] if kind == "same" else _words(was, now, budget)


def _words(old: str, new: str, budget: Budget) -> list[Segment]:
    """The pieces of lines that were changed; the old ones and the new ones whole where their words are too costly."""
    whole, pieces = [Segment("gone", old), Segment("new", new)], list[Segment]()
    try:
        for kind, was, now in _stretches(WORDS.findall(old), WORDS.findall(new), budget):
            pieces += [Segment("same", was)] if kind == "same" else [Segment("gone", was), Segment("new", now)]
    except TooCostly:
        return whole
    common = sum(len(piece.text.split()) for piece in pieces if piece.kind == "same")
    is_other_text = common < MIN_COMMON_SHARE * min(len(old.split()), len(new.split()))
    return whole if is_other_text else pieces


def _stretches(old: Sequence[str], new: Sequence[str], budget: Budget) -> Iterator[tuple[str, str, str]]:
    """("same" or "changed", what it was, what it is now), one after the other."""
    at = 0
    for start, end, first, last in changes_between(old, new, budget):
        yield "same", "".join(old[at:start]), ""
        yield "changed", "".join(old[start:end]), "".join(new[first:last])
        at = end
    yield "same", "".join(old[at:]), ""


def _joined(pieces: Iterable[Segment]) -> Iterator[Segment]:
    """Neighbours of one kind as one, and none that is empty."""
    there = (piece for piece in pieces if piece.text)
    for kind, group in groupby(there, key=lambda piece: piece.kind):
        yield Segment(kind, "".join(piece.text for piece in group))
