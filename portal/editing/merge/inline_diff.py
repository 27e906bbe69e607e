"""Combine two texts into one that marks deleted and inserted stretches. Pure.

Texts are compared by lines first, and by words within changed lines, so that long texts take little time.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from portal.editing.merge.budget import Budget, TooCostly
from portal.editing.merge.diff import changes_between

MIN_COMMON_SHARE = 0.5  # of the shorter line's words; with fewer in common the result is unreadable
MAX_SEGMENTS = 1_000  # more are unreadable and slow to render
LINES_AROUND = 3
MIN_CUT_LINES = 3
MAX_REPLACED_CHARACTERS = 400  # of two texts with nothing in common; longer ones are shown side by side
WORDS = re.compile(r"\S+|\s+")


class Segment(NamedTuple):
    """A stretch of text that is in both ("same"), in the old one only ("gone") or in the new one only ("new").

    "cut" represents an omitted stretch; its text is the number of lines.
    """

    kind: str
    text: str


def inline_diff(old: str, new: str, budget: Budget) -> list[Segment] | None:
    """Return the segments in order: all except "new" are the text `old`, all except "gone" the text `new`.

    Return None for texts that are too long or too different. The caller shows them whole, side by side.
    """
    try:
        segments = list(_joined(_lines(old, new, budget)))
    except TooCostly:
        return None
    is_other_text = len(old) + len(new) > MAX_REPLACED_CHARACTERS and all(
        segment.kind != "same" for segment in segments
    )
    return None if is_other_text or len(segments) > MAX_SEGMENTS else segments


def abridged_diff(old: str, new: str, budget: Budget) -> list[Segment] | None:
    """Return the result of `inline_diff` with only a few equal lines around each change."""
    segments = inline_diff(old, new, budget)
    return None if segments is None else _abridged(segments)


def _abridged(segments: Sequence[Segment]) -> list[Segment]:
    """Return the segments with at most LINES_AROUND equal lines around each change, and "cut" segments between."""
    shown: list[Segment] = []
    for number, segment in enumerate(segments):
        lines = segment.text.splitlines(keepends=True)
        before = LINES_AROUND if number else 0
        after = LINES_AROUND if number < len(segments) - 1 else 0
        hidden = len(lines) - before - after
        if segment.kind != "same" or hidden < MIN_CUT_LINES:
            shown.append(segment)
            continue
        head, tail = "".join(lines[:before]), "".join(lines[before + hidden :])
        cut = Segment("cut", f"{hidden} lines")
        shown += [each for each in (Segment("same", head), cut, Segment("same", tail)) if each.text]
    return shown


def _lines(old: str, new: str, budget: Budget) -> Iterator[Segment]:
    for kind, was, now in _stretches(old.splitlines(keepends=True), new.splitlines(keepends=True), budget):
        yield from [Segment("same", was)] if kind == "same" else _words(was, now, budget)


def _words(old: str, new: str, budget: Budget) -> list[Segment]:
    """Return the segments of changed lines: by words, or whole if their words are too costly or too different."""
    whole, segments = [Segment("gone", old), Segment("new", new)], list[Segment]()
    try:
        for kind, was, now in _stretches(WORDS.findall(old), WORDS.findall(new), budget):
            segments += [Segment("same", was)] if kind == "same" else [Segment("gone", was), Segment("new", now)]
    except TooCostly:
        return whole
    common = sum(len(segment.text.split()) for segment in segments if segment.kind == "same")
    is_other_text = common < MIN_COMMON_SHARE * min(len(old.split()), len(new.split()))
    return whole if is_other_text else segments


def _stretches(old: Sequence[str], new: Sequence[str], budget: Budget) -> Iterator[tuple[str, str, str]]:
    """Yield ("same" or "changed", old text, new text) in order."""
    at = 0
    for start, end, first, last in changes_between(old, new, budget):
        yield "same", "".join(old[at:start]), ""
        yield "changed", "".join(old[start:end]), "".join(new[first:last])
        at = end
    yield "same", "".join(old[at:]), ""


def _joined(segments: Iterable[Segment]) -> Iterator[Segment]:
    """Join neighbours of one kind, and drop empty segments."""
    there = (segment for segment in segments if segment.text)
    for kind, group in groupby(there, key=lambda segment: segment.kind):
        yield Segment(kind, "".join(segment.text for segment in group))
