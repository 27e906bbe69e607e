"""Build the sentences about changes: what was saved, and with which changes it was merged. Pure except for names."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from portal.auth import Profile
from portal.auth.directory import name_of
from portal.clients.records.entries import CLIENT, GRANT, NOTE, EntryKind, sort_key, split_key
from portal.clients.records.revisions import Author, ClientRevision, FieldChanges
from portal.clients.saving.edits import Saved
from portal.clients.wording.names import Names

MAX_NAMES_SHOWN = 3


class Sourced(Protocol):
    """A revision, as far as its source goes."""

    @property
    def source(self) -> str: ...


# The resolution of a conflict, as the history describes it.
RESOLUTION_SENTENCES = {
    "both": "Kept together with what was saved meanwhile",
    "yours": "Kept over what was saved meanwhile",
    "custom": "Custom value",
    "theirs": "Left as it was saved meanwhile",
}


def saved_message(result: Saved, by: Profile, names: Names) -> str:
    """Return "Saved together with Daniel's change to Phone", or that changes are saved. Omits resolved conflicts."""
    others = changes_by(result.merged_with, by, names, excluded_keys=result.resolved_keys)
    return f"Saved together with {join_words(others)}." if others else "Your changes are saved."


def describe_revision(revision: ClientRevision, names: Names) -> dict[str, Any]:
    """Return the author and the changes of a revision, for a program."""
    return {
        "version": revision.version,
        "by": name_of(revision.changed_by) or None,
        "fields": labels_of(revision.changes, names),
    }


def describe_changes(revision: ClientRevision, names: Names) -> str:
    """Return what a change did, after its author's name: changed Phone and Notes; added Ruth Whitmore."""
    if revision.version == 1 and not revision.changes:
        return "added this client"
    if clauses := clauses_of(revision.changes, names):
        return join_words(clauses)
    return f"left {join_words(labels_of(revision.resolutions, names))} as it was saved meanwhile"


def clauses_of(changes: FieldChanges, names: Names) -> list[str]:
    """Return the clauses of `describe_changes`: changed Phone and Notes; gave Olga Petrova access."""
    done: dict[str, list[str]] = {}
    access: list[str] = []
    for key in sorted(changes, key=sort_key):
        old, new = changes[key]
        entry, column = split_key(key)
        if entry.kind is GRANT and not column:
            access.append(_access_sentence(old, new))
        elif key == "is_restricted":
            access.append("restricted the client" if new else "showed the client to all users")
        elif entry.kind is NOTE and column == "redacted_by":
            access.append(f"redacted {names.get(entry, 'a note')}")
        else:
            verb = "changed" if column else "removed" if new is None else "added"
            done.setdefault(verb, []).append(key)
    return [*(f"{verb} {join_words(labels_of(keys, names))}" for verb, keys in done.items()), *access]


def without_fields_of_whole_parts(changes: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    """Leave out the fields of parts that were added or removed as well."""
    return {
        key: change
        for key, change in changes.items()
        if (prefix := split_key(key)[0].prefix) == key or prefix not in changes
    }


def labels_of(changes: Iterable[str], names: Names) -> list[str]:
    """Return the labels of the fields with these keys, each once: Phone, Provider of ISA A0001.

    One whole part of a kind is named; several are counted.
    """
    labels: dict[str, None] = {}
    parts: dict[EntryKind, list[str]] = {}
    for key in sorted(changes, key=sort_key):
        entry, column = split_key(key)
        name = names.get(entry, f"a {entry.kind.label}")
        if not column:
            parts.setdefault(entry.kind, []).append(name)
        elif entry.kind is CLIENT:
            labels["who sees the client" if key == "is_restricted" else entry.kind.label_of(column)] = None
        else:
            labels[f"{entry.kind.label_of(column)} of {name}"] = None
    return [*labels, *(named[0] if len(named) == 1 else f"{len(named)} {kind.plural}" for kind, named in parts.items())]


def join_words(names: Sequence[str], maximum: int = MAX_NAMES_SHOWN) -> str:
    """Join words: Phone; Phone and Email; Phone, Email and 2 more."""
    if len(names) > maximum:
        return f"{', '.join(names[: maximum - 1])} and {len(names) - maximum + 1} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def capitalised(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def author_name(revision: ClientRevision) -> str:
    """Return the author's name: Daniel Okafor; an import; a command."""
    return name_of(revision.changed_by) or system_author(revision)


def changes_by(
    revisions: Sequence[ClientRevision | Author], by: Profile, names: Names, excluded_keys: Collection[str] = ()
) -> list[str]:
    """Return "Daniel’s change to Phone and Notes" and the like, each user once, without the keys in `excluded_keys`."""
    changed: dict[str, dict[str, None]] = {}
    for revision in revisions:
        keys = [key for key in revision.changes if key not in excluded_keys]
        if keys:
            changed.setdefault(_whose_change(revision, by), {}).update(dict.fromkeys(keys))
    return [f"{whose} to {join_words(labels_of(keys, names))}" for whose, keys in changed.items()]


def _access_sentence(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> str:
    if new is not None:
        return f"gave {name_of(new['profile_id'])} access"
    return f"took access from {name_of(old['profile_id'])}" if old else "changed access"


def _whose_change(revision: ClientRevision | Author, by: Profile) -> str:
    return "your earlier change" if revision.changed_by == by.id else f"{_first_name_or_source(revision)}’s change"


def _first_name_or_source(revision: ClientRevision | Author) -> str:
    return name_of(revision.changed_by).split(" ")[0] if revision.changed_by else system_author(revision)


def system_author(revision: Sourced) -> str:
    """Return what made a change that has no author: an import; a command."""
    return "an import" if revision.source == "import" else "a command"
