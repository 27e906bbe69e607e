"""What makes one sequence of lines or words of another, in bounded time. Pure; for merges and for people to read."""

from collections.abc import Sequence
from difflib import SequenceMatcher

MOST_PAIRS = 250_000


def compared(old: Sequence[str], new: Sequence[str]) -> list[tuple[str, int, int, int, int]] | None:
    """The opcodes of difflib that make `new` of `old`; None where comparing them would take too long.

    SequenceMatcher takes a time that grows with the product of both lengths, and more where the same lines come again:
    9,990 blank lines took 43 s, MOST_PAIRS take 0.1 s. What is the same at both ends is left out before.
    """
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    middle = (old[head : len(old) - tail], new[head : len(new) - tail])
    if len(middle[0]) * len(middle[1]) > MOST_PAIRS:
        return None
    between = SequenceMatcher(None, *middle, autojunk=False).get_opcodes()
    blocks = [(tag, start + head, end + head, first + head, last + head) for tag, start, end, first, last in between]
    opening = [("equal", 0, head, 0, head)] if head else []
    closing = [("equal", len(old) - tail, len(old), len(new) - tail, len(new))] if tail else []
    return [*opening, *blocks, *closing]


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many items are the same at the beginning of both."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
