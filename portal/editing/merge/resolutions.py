"""What a person has decided on the conflict page, field by field. Pure.

A decision is about the values that the page showed: it stands while the field has not changed again since.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.editing.merge.three_way import Conflict, Merge

CHOICES = ("both", "theirs", "yours", "third")


@dataclass(frozen=True)
class Resolution:
    """One of CHOICES for a field, `both` of a text alone; `value` is the third value where that is the choice."""

    choice: str
    value: Any = None


Resolutions = Mapping[str, Resolution]


@dataclass(frozen=True)
class Resolved:
    """`changes` are the values to write; `undecided` those of `conflicts` that are left; `choices` what was chosen."""

    changes: dict[str, Any]
    undecided: tuple[Conflict, ...]
    choices: dict[str, str]
    conflicts: tuple[Conflict, ...] = ()


def resolve(merged: Merge, decisions: Resolutions, changed_since: frozenset[str]) -> Resolved:
    """Apply the decisions to the conflicts, which are all the fields that were decided on (merge's `ask`).

    One about a field in `changed_since` no longer stands, unless what was decided is there by now: a second click sends
    the same again.
    """
    changes = dict(merged.changes)
    undecided: list[Conflict] = []
    choices: dict[str, str] = {}
    for conflict in merged.conflicts:
        decision = decisions.get(conflict.field)
        if decision is None or (decision.choice == "both" and conflict.both is None):
            undecided.append(conflict)
            continue
        values = {"both": conflict.both, "theirs": conflict.theirs, "yours": conflict.yours, "third": decision.value}
        value = values[decision.choice]
        is_there = value == conflict.theirs and decision.choice != "theirs"
        if conflict.field in changed_since and not is_there:
            undecided.append(conflict)
            continue
        choices[conflict.field] = decision.choice
        if value != conflict.theirs:
            changes[conflict.field] = value
    return Resolved(changes, tuple(undecided), choices, merged.conflicts)
