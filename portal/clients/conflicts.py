"""The conflict page: what it shows of each field that collides, and what was decided on it.

Works for every kind of entry: it needs the entry's form, once as it was sent and once, prefixed, for third values. Must
not import views.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wtforms import Field, Form

from portal.auth import Profile
from portal.clients.asked import Asked
from portal.clients.edits import Merged
from portal.clients.entries import Entry
from portal.clients.queries import name_of
from portal.clients.readable import readable
from portal.clients.revisions import ClientRevision, last_change, to_json
from portal.editing.budget import Budget
from portal.editing.decisions import CHOICES, Decision
from portal.editing.differences import Piece, differences
from portal.editing.merge import UNKNOWN, Conflict

THIRD_PREFIX = "third-"
_BothChanges = tuple[Sequence[Piece] | None, Sequence[Piece] | None]
NOT_KNOWN = "not known: this was opened before the history began"


@dataclass(frozen=True)
class Question:
    """One field to decide on. `is_alike`: both have entered the same amount. `changes`: for a text the pieces of what
    each side did to it; None where comparing them is too costly, or there is nothing to compare.
    """

    name: str
    label: str
    base: str
    theirs: str
    yours: str
    whose: str
    at: datetime | None
    third: Field
    choice: str
    error: str
    moved_on: bool
    is_alike: bool
    is_text: bool
    changes: _BothChanges


def fields_of(form: Form) -> set[str]:
    """The names of all that can be sent with a form: its fields, and what the conflict page adds to each."""
    added = {f"{prefix}{name}" for name in form._fields for prefix in (THIRD_PREFIX, "decide-", "asked-")}
    return {"seen_version", *form._fields, *added}


def decisions_from(third: Form, sent: Mapping[str, str], names: Sequence[str]) -> dict[str, Decision]:
    """What was chosen on the page that was sent; a third value that is not valid decides nothing."""
    decisions: dict[str, Decision] = {}
    for name in names:
        choice = sent.get(f"decide-{name}", "")
        if choice in CHOICES and (choice != "third" or (third[name].raw_data and third[name].validate(third))):
            decisions[name] = Decision(choice, third[name].data if choice == "third" else None)
    return decisions


def questions(merged: Merged, third: Form, asked: Asked) -> list[Question]:
    """The fields of the page, in the order of the form; those decided already keep their choice.

    A third value begins as yours, so that both sides of a text can be put together.
    """
    for conflict in merged.decided.conflicts:
        if not third[conflict.field].raw_data:
            third[conflict.field].data = conflict.yours
    return [_question(conflict, merged, third, asked) for conflict in merged.decided.conflicts]


def told(merged: Merged) -> list[dict[str, Any]]:
    """What collides, for a program: each field with its three values as JSON, and whose change it was."""
    return [
        {
            "field": conflict.field,
            "label": merged.entry.kind.labels[conflict.field],
            "base": None if conflict.base is UNKNOWN else to_json(conflict.base),
            "theirs": to_json(conflict.theirs),
            "yours": to_json(conflict.yours),
            "version": revision.version if revision else None,
            "by": (name_of(revision.changed_by) or None) if revision else None,
            "at": revision.changed_at.isoformat() if revision else None,
        }
        for conflict, revision in (
            (conflict, last_change(merged.since, merged.entry.key(conflict.field)))
            for conflict in merged.decided.undecided
        )
    ]


def _question(conflict: Conflict, merged: Merged, third: Form, asked: Asked) -> Question:
    entry, name = merged.entry, conflict.field
    shown_version = asked.origin.seen_version
    revision = last_change(merged.since, entry.key(name))
    was_asked = shown_version is not None and f"asked-{name}" in asked.sent
    moved_on = was_asked and revision is not None and revision.version > (shown_version or 0)
    is_text = name in entry.kind.rules.by_lines
    chosen = asked.sent.get(f"decide-{name}", "")
    return Question(
        name=name,
        label=entry.kind.labels[name],
        base=NOT_KNOWN if conflict.base is UNKNOWN else _shown(entry, name, conflict.base),
        theirs=_shown(entry, name, conflict.theirs),
        yours=_shown(entry, name, conflict.yours),
        whose=_whose(revision, asked.by) if revision else "Theirs",
        at=revision.changed_at if revision else None,
        third=third[name],
        choice="" if moved_on else chosen,
        error=_error(third[name], chosen) if was_asked and not moved_on else "",
        moved_on=moved_on,
        is_alike=conflict.theirs == conflict.yours,
        is_text=is_text,
        changes=_changes(conflict, asked.budget) if is_text else (None, None),
    )


def _error(third: Field, chosen: str) -> str:
    if chosen not in CHOICES:
        return "Choose one of the three."
    return " ".join(third.errors) if chosen == "third" else ""


def _changes(conflict: Conflict, budget: Budget) -> _BothChanges:
    if conflict.base is UNKNOWN or not conflict.base:
        return None, None
    theirs, yours = (differences(conflict.base, text, budget) for text in (conflict.theirs, conflict.yours))
    return theirs, yours


def _whose(revision: ClientRevision, reader: Profile) -> str:
    profile_id = revision.changed_by
    if profile_id is None:
        return "The import’s" if revision.source == "import" else "A command’s"
    return "Yours, saved elsewhere" if profile_id == reader.id else f"{name_of(profile_id)}’s"


def _shown(entry: Entry, name: str, value: Any) -> str:
    return readable(entry.kind, name, to_json(value))
