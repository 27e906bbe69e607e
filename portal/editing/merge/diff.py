"""Find the changes between two sequences in bounded time. Pure."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from portal.editing.merge.budget import MAX_STEPS_PER_COMPARISON, Budget, TooCostly

MAX_TOKENS = 5_000  # of each sequence, without the equal items at both ends


class Change(NamedTuple):
    """`old[start:end]` was replaced by `new[first:last]`; one of the two may be empty."""

    start: int
    end: int
    first: int
    last: int


def changes_between(old: Sequence[str], new: Sequence[str], budget: Budget) -> list[Change]:
    """Return the fewest changes from `old` to `new`, in order. No two of them are adjacent.

    Raises TooCostly for sequences that are too long or too different.
    """
    budget.spend(len(old) + len(new))
    head = _common_prefix_length(old, new)
    tail = _common_prefix_length(old[head:][::-1], new[head:][::-1])
    inner_old, inner_new = old[head : len(old) - tail], new[head : len(new) - tail]
    return [
        Change(start + head, end + head, first + head, last + head)
        for start, end, first, last in _gaps(_matches(inner_old, inner_new, budget), len(inner_old), len(inner_new))
    ]


def _common_prefix_length(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the number of equal items at the start of both."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _gaps(matches: Sequence[tuple[int, int]], old_length: int, new_length: int) -> Iterator[Change]:
    """Return the stretches between the matches."""
    start = first = 0
    for end, last in [*matches, (old_length, new_length)]:
        if start < end or first < last:
            yield Change(start, end, first, last)
        start, first = end + 1, last + 1


def _matches(old: Sequence[str], new: Sequence[str], budget: Budget) -> list[tuple[int, int]]:
    """Return pairs of positions with equal items, in order and as many as possible.

    Items that only one sequence has are left out first, so a rewritten text costs little.
    """
    if max(len(old), len(new)) > MAX_TOKENS:
        raise TooCostly
    numbers = {item: number for number, item in enumerate(set(old) & set(new))}
    here = [position for position, item in enumerate(old) if item in numbers]
    there = [position for position, item in enumerate(new) if item in numbers]
    found = _shortest_path([numbers[old[i]] for i in here], [numbers[new[j]] for j in there], budget)
    return [(here[x], there[y]) for x, y in found]


def _shortest_path(old: Sequence[int], new: Sequence[int], budget: Budget) -> list[tuple[int, int]]:
    """Return the matches on the path with the fewest edits (Myers, An O(ND) Difference Algorithm, 1986).

    `rows[edits][i]` is the furthest position in `old` after `edits` insertions and deletions on diagonal 2 * i - edits.
    """
    rows: list[list[int]] = []
    spent = 0
    while spent <= MAX_STEPS_PER_COMPARISON:
        edits, row, before = len(rows), list[int](), spent
        for i in range(edits + 1):
            start = _start(rows, edits, i)
            x, y = start, start - (2 * i - edits)
            while x < len(old) and y < len(new) and old[x] == new[y]:
                x, y = x + 1, y + 1
            row.append(x)
            spent += 1 + x - start
            if x >= len(old) and y >= len(new):
                return _trace_back([*rows, row], i)
        rows.append(row)
        budget.spend(spent - before)
    raise TooCostly


def _start(rows: Sequence[Sequence[int]], edits: int, i: int) -> int:
    """Return where the diagonal starts in this row: a deletion starts one item further than an insertion."""
    if not edits:
        return 0
    previous = _previous_diagonal(rows[edits - 1], i)
    return rows[edits - 1][previous] + i - previous


def _previous_diagonal(row: Sequence[int], i: int) -> int:
    """Return the diagonal of the previous row that leads further: `i` by an insertion, `i - 1` by a deletion."""
    return i if i == 0 or (i < len(row) and row[i - 1] < row[i]) else i - 1


def _trace_back(rows: Sequence[Sequence[int]], i: int) -> list[tuple[int, int]]:
    """Return the matches on the path that ends on diagonal `i` of the last row."""
    matches: list[tuple[int, int]] = []
    for edits in range(len(rows) - 1, -1, -1):
        diagonal, start, end = 2 * i - edits, _start(rows, edits, i), rows[edits][i]
        matches += [(x, x - diagonal) for x in range(end - 1, start - 1, -1)]
        i = _previous_diagonal(rows[edits - 1], i) if edits else i
    return matches[::-1]
