"""What becomes of two people's changes to one record. Pure: three versions in, what to write and what to ask out.

Used by every save (see clients.operations). The rule: nothing that either has written disappears unless a person
has chosen so. Texts may be merged line by line, money is never decided by a rule.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, NamedTuple

from portal.editing.budget import Budget, TooCostly
from portal.editing.comparing import changes_between

Values = Mapping[str, Any]


class _Unknown(Enum):
    UNKNOWN = "unknown"


# What a field was where nobody can tell any more. Not None: that is an empty date or number, which is known.
UNKNOWN: Final = _Unknown.UNKNOWN


class Conflict(NamedTuple):
    """A field that both have changed: what it was (UNKNOWN perhaps), what is there now, what was typed."""

    field: str
    base: Any
    theirs: Any
    yours: Any


@dataclass(frozen=True)
class Merge:
    """`changes` are the values to write over theirs; each of `conflicts` needs a person's decision first."""

    changes: dict[str, Any] = field(default_factory=dict)
    conflicts: tuple[Conflict, ...] = ()


@dataclass(frozen=True)
class MergeRules:
    """`always_ask`: fields that are asked about when both changed them, even alike: two who enter the same fee may
    mean it once or twice. `by_lines`: texts merged line by line, each with the most characters that it may hold.
    """

    always_ask: frozenset[str] = frozenset()
    by_lines: Mapping[str, int] = field(default_factory=dict)


def merge(
    base: Values,
    theirs: Values,
    yours: Values,
    rules: MergeRules,
    budget: Budget,
    ask: Collection[str] = frozenset(),
) -> Merge:
    """Merge `yours` into `theirs`, both made from `base`. Fields that are not in `yours` stay as theirs are.

    Fields in `ask` are conflicts whatever their values: somebody has decided about them. Where the base is UNKNOWN,
    nobody can tell who has changed what: every value that differs is asked about. So is a text that is too costly for
    the budget.
    """
    changes: dict[str, Any] = {}
    conflicts: list[Conflict] = []
    for name, mine in yours.items():
        was, now = base[name], theirs[name]
        if name in ask:
            conflicts.append(Conflict(name, was, now, mine))
        elif mine == was:
            continue
        elif now == was:
            changes[name] = mine
        elif now == mine and (was is UNKNOWN or name not in rules.always_ask):
            continue
        elif (merged := _merged_text(name, was, now, mine, rules, budget)) is not None:
            changes[name] = merged
        else:
            conflicts.append(Conflict(name, was, now, mine))
    return Merge({name: value for name, value in changes.items() if value != theirs[name]}, tuple(conflicts))


def is_contained(base: str, theirs: str, yours: str, budget: Budget) -> bool:
    """Whether `yours` has all that `theirs` changed of `base`: as a text has whose lines have been merged already."""
    return merge_lines(base, theirs, yours, budget) == yours


def _merged_text(name: str, base: Any, theirs: str, yours: str, rules: MergeRules, budget: Budget) -> str | None:
    if name not in rules.by_lines or base is UNKNOWN:
        return None
    merged = merge_lines(base, theirs, yours, budget)
    return merged if merged is not None and len(merged) <= rules.by_lines[name] else None


class _Hunk(NamedTuple):
    """Lines start to end of the base that one side has replaced by `lines`; start == end: inserted before start."""

    start: int
    end: int
    lines: list[str]


def merge_lines(base: str, theirs: str, yours: str, budget: Budget) -> str | None:
    """Both sides' changes to a text, line by line, or None where they touch: change or border the same lines.

    What both did alike is done once. Two insertions at one place touch: which comes first is a person's to say. None
    too for texts that are too costly to compare.
    """
    lines = base.split("\n")
    try:
        ours, others = (_hunks(lines, text.split("\n"), budget) for text in (yours, theirs))
    except TooCostly:
        return None
    shared = [hunk for hunk in ours if hunk in others]
    mine = [hunk for hunk in ours if hunk not in shared]
    if any(_touch(hunk, other) for hunk in mine for other in others):
        return None
    for hunk in sorted(mine + others, reverse=True):
        lines[hunk.start : hunk.end] = hunk.lines
    return "\n".join(lines)


def _hunks(base: list[str], changed: list[str], budget: Budget) -> list[_Hunk]:
    found = changes_between(base, changed, budget)
    return [_Hunk(start, end, changed[first:last]) for start, end, first, last in found]


def _touch(one: _Hunk, other: _Hunk) -> bool:
    return one.start <= other.end and other.start <= one.end
