"""Merge two users' changes to one record: base, theirs and yours in, changes and conflicts out. Pure.

No input of either user disappears unless a user decides so. Texts are merged line by line. Two amounts that differ are
always a conflict.
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


# The base of a field whose history does not reach back far enough. None is an empty date or number, which is known.
UNKNOWN: Final = _Unknown.UNKNOWN


class Conflict(NamedTuple):
    """A field that both users have changed: its base (or UNKNOWN), the saved value and the typed one.

    For a text, `yours` and `both` are those of TextMerge; otherwise `both` is None.
    """

    field: str
    base: Any
    theirs: Any
    yours: Any
    both: str | None = None


@dataclass(frozen=True)
class Merge:
    """The values to write over theirs as `changes`, and the `conflicts` that need a user's resolution first."""

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
    """Merge `yours` into `theirs`, both derived from `base`. Fields that are not in `yours` keep their saved value.

    `by_lines` names the texts to merge line by line, with the maximum length of each. A text that is too costly for the
    budget becomes one conflict. Fields in `ask` are conflicts in any case, because they have a resolution. Where the
    base is UNKNOWN, every value that differs is a conflict.
    """
    changes: dict[str, Any] = {}
    conflicts: list[Conflict] = []
    for name, typed in yours.items():
        was, now = base[name], theirs[name]
        if name not in ask and typed in (was, now):
            continue
        if name not in ask and now == was:
            changes[name] = typed
            continue
        merged, conflict = None, Conflict(name, was, now, typed)
        if name in by_lines:
            merged, conflict = _merged_text(conflict, budget)
        if merged is None or len(merged) > by_lines[name] or name in ask:
            conflicts.append(conflict)
        else:
            changes[name] = merged
    return Merge({name: value for name, value in changes.items() if value != theirs[name]}, tuple(conflicts))


def _merged_text(conflict: Conflict, budget: Budget) -> tuple[str | None, Conflict]:
    """Return the text with the changes of both sides, or None if they touch, and the conflict in that case."""
    _, was, now, typed, _ = conflict
    result = None if was is UNKNOWN else merge_texts(was, now, typed, budget)
    if result is None:
        return None, conflict._replace(both=united(now, typed, budget))
    return result.merged, conflict._replace(yours=result.yours, both=result.both)
