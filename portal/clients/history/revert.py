"""Undo one accepted change of a client record. The undo is itself a change with a version check.

It is merged as if the user had opened the record just after that change and typed the old values. Fields without later
changes get their old values, and merged texts lose only the lines of that change. Fields with later changes are
conflicts. Must not import Flask.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from portal.clients.records.entries import NOTE, Entry, entries_in, has_known_columns, split_key
from portal.clients.records.models import Client
from portal.clients.records.revisions import MAX_REASON_LENGTH, ClientRevision
from portal.clients.saving.edits import Edit, Saved, ValueRejected
from portal.clients.saving.merging import reject_future_version
from portal.clients.saving.operations import remove_part, restore_parts, save_entry
from portal.clients.sharing.grants import affects_access
from portal.errors import InvalidInput, NotFound
from portal.extensions import db
from portal.text_input import clean_line, control_character_problem

IS_A_NOTE = "is a note, which cannot be undone: its author corrects it, or an administrator redacts it"
IS_OF_A_NEWER_RELEASE = "was changed by a newer release, which can undo it"
TOO_LONG = f"has more than {MAX_REASON_LENGTH} characters"


def revision_of(client: Client, version: int) -> ClientRevision:
    """Return the change that led to this version. Raises NotFound (404)."""
    revision = db.session.scalar(
        select(ClientRevision).where(ClientRevision.client_id == client.id, ClientRevision.version == version)
    )
    if revision is None:
        raise NotFound("There is no such change in the history of this client.")
    return revision


def entry_in(revision: ClientRevision, prefix: str) -> Entry:
    """Return the entry with this key: "person/12", or "" for the client.

    Raises InvalidInput (422) if the revision did not change it, if it is a note, or if only a newer release knows all
    that was changed.
    """
    for entry in entries_in(revision.changes):
        if entry.prefix != prefix:
            continue
        if entry.kind is NOTE:
            raise InvalidInput("entry", IS_A_NOTE)
        changed = (split_key(key) for key in revision.changes)
        if not has_known_columns(entry, [column for other, column in changed if other == entry and column]):
            raise InvalidInput("entry", IS_OF_A_NEWER_RELEASE)
        return entry
    raise InvalidInput("entry", "must be what this change touched, such as person/12, or empty for the client itself")


def reason_from(sent: Mapping[str, str]) -> str:
    """Return the reason for the undo, in one line. Raises ValueRejected (422)."""
    reason = clean_line(sent.get("reason", ""))
    problem = control_character_problem(reason)
    if problem or len(reason) > MAX_REASON_LENGTH:
        raise ValueRejected("reason", f"The reason {f'has {problem}' if problem else TOO_LONG}.")
    return reason


def revert(client: Client, revision: ClientRevision, entry: Entry, edit: Edit, only: Collection[str] = ()) -> Saved:
    """Undo what the revision did to the entry. A removed part is restored with everything removed together with it.

    `only` limits the undo to these columns. `edit` has the author and, from the conflict page, the resolutions; the
    values come from the history. Raises EditConflict, EntryChanged or EntryRemoved (409), or ValueRejected (422).
    """
    reject_future_version(client, edit.context.base_version)
    edit = as_undo(revision, entry, edit, only)
    if entry.prefix not in revision.changes:
        return save_entry(client, entry, edit)
    old, _ = revision.changes[entry.prefix]
    if old is None:
        return remove_part(client, entry, edit)
    return restore_parts(client, removed_by(revision), edit)


def as_undo(revision: ClientRevision, entry: Entry, edit: Edit, only: Collection[str] = ()) -> Edit:
    """Return the edit that types the values from before the revision just after it; a whole part has no such values."""
    is_part = entry.prefix in revision.changes
    base_version = replace(edit.context.base_version, version=revision.version)
    return replace(
        edit,
        context=replace(edit.context, base_version=base_version, source="revert"),
        reverts=revision.version,
        to_grant=affects_access(entry, revision),
        values={} if is_part else values_before(revision, entry, only),
    )


def values_before(revision: ClientRevision, entry: Entry, only: Collection[str] = ()) -> dict[str, Any]:
    """Return the values from before the change by column, of all columns that it changed or of those in `only`.

    Raises InvalidInput (422) for a column that it did not change.
    """
    values = {
        name: entry.kind.parsed(name, revision.changes[entry.key(name)][0])
        for name in entry.kind.labels
        if entry.key(name) in revision.changes
    }
    if not values.keys() >= set(only):
        raise InvalidInput("only", "must be names of fields that this change touched, such as phone")
    return {name: value for name, value in values.items() if not only or name in only}


def removed_by(revision: ClientRevision) -> list[tuple[Entry, Any]]:
    """Return the parts that the change removed, each with its columns as the history stores them."""
    return [
        (entry, revision.changes[entry.prefix][0])
        for entry in entries_in(revision.changes)
        if revision.changes.get(entry.prefix, [None, None])[0] is not None
    ]
