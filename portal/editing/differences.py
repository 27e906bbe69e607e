"""Two texts as one that shows what was taken out and what was put in, for people to read. Pure.

Line by line first, and word by word inside lines that were changed, so that a long text takes no longer than it must.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from portal.editing.comparing import compared

LEAST_COMMON = 0.5  # of the shorter line's words: with fewer in common the two cannot be read as one
WORDS = re.compile(r"\S+|\s+")


class Piece(NamedTuple):
    """A stretch of text that is in both ("same"), only in the old one ("gone") or only in the new one ("new")."""

    kind: str
    text: str


def differences(old: str, new: str) -> list[Piece]:
    """The pieces in their order; those that are not "new" make up `old`, those that are not "gone" make up `new`."""
    pieces: list[Piece] = []
    for kind, was, now in _blocks(old.splitlines(keepends=True), new.splitlines(keepends=True)):
        pieces += [Piece("same", was)] if kind == "equal" else _words(was, now)
    return list(_joined(pieces))


def _words(old: str, new: str) -> list[Piece]:
    pieces: list[Piece] = []
    for kind, out, put in _blocks(WORDS.findall(old), WORDS.findall(new)):
        pieces += [Piece("same", out)] if kind == "equal" else [Piece("gone", out), Piece("new", put)]
    common = sum(len(piece.text.split()) for piece in pieces if piece.kind == "same")
    is_other_text = common < LEAST_COMMON * min(len(old.split()), len(new.split()))
    return [Piece("gone", old), Piece("new", new)] if is_other_text else pieces


def _blocks(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """All of one in place of all of the other where they are too long to be compared."""
    for kind, start, end, first, last in compared(old, new) or [("replace", 0, len(old), 0, len(new))]:
        yield kind, "".join(old[start:end]), "".join(new[first:last])


def _joined(pieces: list[Piece]) -> Iterator[Piece]:
    """Neighbours of one kind as one, and none that is empty."""
    kept: Piece | None = None
    for piece in pieces:
        if not piece.text:
            continue
        if kept and kept.kind == piece.kind:
            kept = Piece(kept.kind, kept.text + piece.text)
            continue
        if kept:
            yield kept
        kept = piece
    if kept:
        yield kept
