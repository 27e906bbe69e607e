"""The sentences about changes to client records: what was saved, with whose changes it was merged. Pure but for names.

Used by the pages that tell somebody of a change. Names come from profiles that are loaded anyway.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from portal.auth import Profile
from portal.auth.directory import name_of
from portal.clients.records.entries import CLIENT, EntryKind, sort_key, split_key
from portal.clients.records.revisions import Author, ClientRevision
from portal.clients.saving.edits import Saved

MAX_NAMES_SHOWN = 3
# What was chosen where two changes collided, as the history tells it.
RESOLUTION_SENTENCES = {
    "both": "Kept together with what was saved meanwhile",
    "yours": "Kept over what was saved meanwhile",
    "third": "Decided anew",
    "theirs": "Left as it was saved meanwhile",
}


def saved_message(result: Saved, by: Profile) -> str:
    """ "Saved together with Daniel's change to Phone", or that they are saved. What was decided on is no news."""
    others = changes_by(result.merged_with, by, but=result.decided)
    return f"Saved together with {join_words(others)}." if others else "Your changes are saved."


def describe_revision(revision: ClientRevision) -> dict[str, Any]:
    """Whose change it was and to what, for a program."""
    return {
        "version": revision.version,
        "by": name_of(revision.changed_by) or None,
        "fields": labels_of(revision.changes),
    }


def describe_changes(revision: ClientRevision) -> str:
    """ "changed Phone and Notes", "added a person": what a change did, after its author's name."""
    done: dict[str, list[str]] = {}
    for key, (old, _) in revision.changes.items():
        is_whole_part = not split_key(key)[1]
        verb = ("added" if old is None else "removed") if is_whole_part else "changed"
        done.setdefault(verb, []).append(key)
    said = [f"{verb} {join_words(labels_of(keys))}" for verb, keys in done.items()]
    return join_words(said) if said else f"left {join_words(labels_of(revision.decisions))} as it was saved meanwhile"


def labels_of(changes: Iterable[str]) -> list[str]:
    """What people call the fields with these keys, each once: Phone, Provider of a product; whole parts are counted."""
    labels: dict[str, None] = {}
    parts: dict[EntryKind, int] = {}
    for key in sorted(changes, key=sort_key):
        entry, column = split_key(key)
        if not column:
            parts[entry.kind] = parts.get(entry.kind, 0) + 1
        elif entry.kind is CLIENT:
            labels[entry.kind.labels[column]] = None
        else:
            labels[f"{entry.kind.labels[column]} of a {entry.kind.label}"] = None
    return [*labels, *(f"a {kind.label}" if n == 1 else f"{n} {kind.plural}" for kind, n in parts.items())]


def join_words(names: Sequence[str], most: int = MAX_NAMES_SHOWN) -> str:
    """Phone; Phone and Email; Phone, Email and 2 more."""
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def author_name(revision: ClientRevision) -> str:
    """Daniel Okafor; an import; a command."""
    return name_of(revision.changed_by) or _system_author(revision)


def changes_by(revisions: Sequence[ClientRevision | Author], by: Profile, but: Collection[str] = ()) -> list[str]:
    """ "Daniel’s change to Phone and Notes" and the like, each person once, without the keys in `but`."""
    changed: dict[str, dict[str, None]] = {}
    for revision in revisions:
        keys = [key for key in revision.changes if key not in but]
        if keys:
            changed.setdefault(_whose_change(revision, by), {}).update(dict.fromkeys(keys))
    return [f"{whose} to {join_words(labels_of(keys))}" for whose, keys in changed.items()]


def _whose_change(revision: ClientRevision | Author, by: Profile) -> str:
    return "your earlier change" if revision.changed_by == by.id else f"{_first_name_or_source(revision)}’s change"


def _first_name_or_source(revision: ClientRevision | Author) -> str:
    return name_of(revision.changed_by).split(" ")[0] if revision.changed_by else _system_author(revision)


def _system_author(revision: ClientRevision | Author) -> str:
    return "an import" if revision.source == "import" else "a command"
