"""Apply the user's resolutions of conflicts, field by field. Pure.

A resolution refers to the values that the conflict page showed. It applies while the field has not changed since.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.editing.merge.three_way import Conflict, Merge

CHOICES = ("both", "theirs", "yours", "custom")


@dataclass(frozen=True)
class Resolution:
    """One of CHOICES for a field. "both" is for texts only; `value` is the custom value of "custom"."""

    choice: str
    value: object = None


Resolutions = Mapping[str, Resolution]


@dataclass(frozen=True)
class Resolved:
    """The values to write as `changes`, the remaining conflicts as `unresolved`, and the `choices` by field."""

    changes: dict[str, Any]
    unresolved: tuple[Conflict, ...]
    choices: dict[str, str]
    conflicts: tuple[Conflict, ...] = ()


def resolve(merged: Merge, resolutions: Resolutions, changed_since: frozenset[str]) -> Resolved:
    """Apply the resolutions. The conflicts contain every field that has one (the argument `ask` of `merge`).

    A resolution of a field in `changed_since` does not apply, unless the record has its value already: a second click
    sends the same request again.
    """
    changes = dict(merged.changes)
    unresolved: list[Conflict] = []
    choices: dict[str, str] = {}
    for conflict in merged.conflicts:
        resolution = resolutions.get(conflict.field)
        if resolution is None or (resolution.choice == "both" and conflict.both is None):
            unresolved.append(conflict)
            continue
        values = {"both": conflict.both, "theirs": conflict.theirs, "yours": conflict.yours, "custom": resolution.value}
        value = values[resolution.choice]
        is_saved_already = value == conflict.theirs and resolution.choice != "theirs"
        if conflict.field in changed_since and not is_saved_already:
            unresolved.append(conflict)
            continue
        choices[conflict.field] = resolution.choice
        if value != conflict.theirs:
            changes[conflict.field] = value
    return Resolved(changes, tuple(unresolved), choices, merged.conflicts)
