"""What a person has decided on the conflict page, field by field. Pure.

A decision stands while the field has not changed again since the page that showed it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.editing.merge import Conflict, Merge

CHOICES = ("theirs", "yours", "third")


@dataclass(frozen=True)
class Decision:
    """One of CHOICES for a field; `value` is the third value where that is the choice."""

    choice: str
    value: Any = None


Decisions = Mapping[str, Decision]


@dataclass(frozen=True)
class Decided:
    """`changes` are the values to write; `undecided` those of `conflicts` that are left; `choices` what was chosen."""

    changes: dict[str, Any]
    undecided: tuple[Conflict, ...]
    choices: dict[str, str]
    conflicts: tuple[Conflict, ...] = ()


def decide(merged: Merge, decisions: Decisions, changed_since: frozenset[str]) -> Decided:
    """Apply the decisions to the conflicts; those about a field in `changed_since` no longer stand."""
    changes = dict(merged.changes)
    undecided: list[Conflict] = []
    choices: dict[str, str] = {}
    for conflict in merged.conflicts:
        decision = decisions.get(conflict.field)
        if decision is None or conflict.field in changed_since:
            undecided.append(conflict)
            continue
        choices[conflict.field] = decision.choice
        value = {"theirs": conflict.theirs, "yours": conflict.yours, "third": decision.value}[decision.choice]
        if value != conflict.theirs:
            changes[conflict.field] = value
    return Decided(changes, tuple(undecided), choices, merged.conflicts)
