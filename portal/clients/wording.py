"""The sentences about changes to client records: what was saved, with whose changes it was merged. Pure but for names.

Used by the pages that tell somebody of a change. Names come from profiles that are loaded anyway.
"""

from collections.abc import Iterable, Sequence

from portal.auth import Profile
from portal.clients.edits import Merged, Saved
from portal.clients.entries import CLIENT, split_key
from portal.clients.queries import name_of
from portal.clients.revisions import ClientRevision

MOST_NAMED = 3


def saved(result: Saved, by: Profile) -> str:
    """ "Saved together with Daniel's change to Phone", or that the changes are saved."""
    if not result.merged_with:
        return "Your changes are saved."
    return f"Saved together with {in_words(_changes_by(result.merged_with, by))}."


def merged_quietly(merged: Merged, reader: Profile) -> list[str]:
    """What a save will put together without a question: "Town (yours)", "Phone (Daniel’s)"."""
    labels, asked = merged.entry.kind.labels, {conflict.field for conflict in merged.decided.conflicts}
    yours = [f"{labels[name]} (yours)" for name in merged.decided.changes if name not in asked]
    theirs = {
        name: f"{labels[name]} ({_owner(revision.changed_by, reader)})"
        for revision in merged.since
        for name in labels
        if name not in asked and merged.entry.key(name) in revision.changes and name not in merged.decided.changes
    }
    return [*yours, *theirs.values()]


def labels_of(changes: Iterable[str]) -> list[str]:
    """What people call the fields with these keys, each once: Phone, Notes; of a part its own label: product."""
    return list(dict.fromkeys(_label(key) for key in changes))


def in_words(names: Sequence[str], most: int = MOST_NAMED) -> str:
    """Phone; Phone and Email; Phone, Email and 2 more."""
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def first_name_of(profile_id: int | None, by: Profile) -> str:
    """Daniel's first name, "you" for whoever reads, "an import" for nobody."""
    if profile_id is None:
        return "an import"
    return "you" if profile_id == by.id else name_of(profile_id).split(" ")[0]


def _changes_by(revisions: Sequence[ClientRevision], by: Profile) -> list[str]:
    keys: dict[int | None, dict[str, None]] = {}
    for revision in revisions:
        keys.setdefault(revision.changed_by, {}).update(dict.fromkeys(revision.changes))
    return [f"{_whose(who, by)} to {in_words(labels_of(changed))}" for who, changed in keys.items()]


def _whose(profile_id: int | None, by: Profile) -> str:
    if profile_id is None:
        return "an import’s change"
    return "your earlier change" if profile_id == by.id else f"{first_name_of(profile_id, by)}’s change"


def _owner(profile_id: int | None, by: Profile) -> str:
    if profile_id is None:
        return "imported"
    return "yours" if profile_id == by.id else f"{first_name_of(profile_id, by)}’s"


def _label(key: str) -> str:
    entry, column = split_key(key)
    if entry.kind is CLIENT:
        return entry.kind.labels[column]
    return f"{entry.kind.labels[column]} of a {entry.kind.label}" if column else f"a {entry.kind.label}"
