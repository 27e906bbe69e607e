"""What becomes of two people's changes to one record. Pure: three versions in, what to write and what to ask out.

Used by every save (see clients.operations). The rule: nothing that either has written disappears unless a person
has chosen so. Texts are merged line by line; two amounts that differ are never decided by a rule.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, NamedTuple

from portal.editing.merge.budget import Budget
from portal.editing.merge.texts import merge_texts, united

Values = Mapping[str, Any]


class _Unknown(Enum):
    UNKNOWN = "unknown"


# What a field was where nobody can tell any more. Not None: that is an empty date or number, which is known.
UNKNOWN: Final = _Unknown.UNKNOWN


class Conflict(NamedTuple):
    """A field that both have changed: what it was (UNKNOWN perhaps), what is there now, what was typed.

    Of a text `yours` has theirs too wherever lines do not touch, and `both` has all lines of both; else that is None.
    """

    field: str
    base: Any
    theirs: Any
    yours: Any
    both: str | None = None


@dataclass(frozen=True)
class Merge:
    """`changes` are the values to write over theirs; each of `conflicts` needs a person's decision first."""

    changes: dict[str, Any] = field(default_factory=dict)
    conflicts: tuple[Conflict, ...] = ()


def merge(
    base: Values,
    theirs: Values,
    yours: Values,
    by_lines: Mapping[str, int],
    budget: Budget,
    ask: Collection[str] = frozenset(),
) -> Merge:
    """Merge `yours` into `theirs`, both made from `base`. Fields that are not in `yours` stay as theirs are.

    `by_lines` are the texts that are merged line by line, with the most characters that each may hold; one that is too
    costly for the budget is asked about as a whole. Fields in `ask` are conflicts whatever their values: somebody has
    decided about them. Where the base is UNKNOWN, nobody can tell who has changed what: every value that differs is
    asked about.
    """
    changes: dict[str, Any] = {}
    conflicts: list[Conflict] = []
    for name, mine in yours.items():
        was, now = base[name], theirs[name]
        if name not in ask and mine in (was, now):
            continue
        if name not in ask and now == was:
            changes[name] = mine
            continue
        merged, conflict = None, Conflict(name, was, now, mine)
        if name in by_lines:
            merged, conflict = _merged_text(conflict, budget)
        if merged is None or len(merged) > by_lines[name] or name in ask:
            conflicts.append(conflict)
        else:
            changes[name] = merged
    return Merge({name: value for name, value in changes.items() if value != theirs[name]}, tuple(conflicts))


def _merged_text(conflict: Conflict, budget: Budget) -> tuple[str | None, Conflict]:
    """The text with both sides' changes, or None where they touch; and what to ask then."""
    _, was, now, mine, _ = conflict
    found = None if was is UNKNOWN else merge_texts(was, now, mine, budget)
    if found is None:
        return None, conflict._replace(both=united(now, mine, budget))
    return found.merged, conflict._replace(yours=found.yours, both=found.both)
