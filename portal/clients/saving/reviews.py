"""Mark the review of a client done: a note of the meeting and the day of the next review, in one change.

Flushes, never commits.
"""

from collections.abc import Mapping
from dataclasses import replace

from portal.clients.records.entries import CLIENT, NOTE, Entry
from portal.clients.records.models import Client
from portal.clients.records.revisions import ClientRevision, FieldChanges, last_change_of_part, to_json
from portal.clients.saving.edits import AddedBefore, Edit, EditConflict, Saved
from portal.clients.saving.merging import merge_with_current, prefixes_in
from portal.clients.saving.notes import had_values, insert_note, sent_before
from portal.clients.saving.operations import lock
from portal.clients.saving.versions import create_version
from portal.editing.merge.resolutions import Resolution

FIELD = "next_review_on"


def complete_review(client: Client, edit: Edit, note: Mapping[str, object], submission: str) -> Saved:
    """Add the note, and set the next review to that of the edit, merged with other users' saves since.

    A request that is repeated with the same `submission` changes nothing. Raises AddedBefore (409) if it has other
    values, EditConflict (409) if another user has changed the next review, and ValueRejected (422) for a client with
    MAX_NOTES notes.
    """
    lock(client, edit)
    if (sent := sent_before(client, edit, submission)) is not None:
        entry = Entry(NOTE, sent.id)
        revision = last_change_of_part(client.id, entry.prefix)
        if not (revision and had_values(sent, note) and _had_day(client, revision, edit)):
            raise AddedBefore(entry, sent.written_at, revision.version if revision else client.version)
        return Saved(client.version, entry=entry, is_change=False)
    record = Entry(CLIENT)
    merged = merge_with_current(client, record, edit)
    if merged.resolved.unresolved:
        raise EditConflict(merged)
    others = [revision for revision in merged.newer_revisions if record.prefix in prefixes_in(revision)]
    changed, choices = merged.resolved.changes, merged.resolved.choices
    changes: FieldChanges = {name: [to_json(getattr(client, name)), to_json(value)] for name, value in changed.items()}
    added = insert_note(client, replace(edit, values=note), submission)
    entry = Entry(NOTE, added.id)
    changes[entry.prefix] = [None, added.summary]
    version = create_version(client, changes, edit, columns=changed, resolutions=choices, merged_with=others)
    return Saved(version, others, frozenset(choices), entry=entry)


def _had_day(client: Client, revision: ClientRevision, edit: Edit) -> bool:
    """Return whether the revision was sent with the next review of the edit, or kept the other user's as the edit."""
    if (revision.resolutions or {}).get(FIELD) == "theirs":
        return edit.resolutions.get(FIELD) == Resolution("theirs")
    _, saved = revision.changes.get(FIELD, (None, to_json(client.next_review_on)))
    return bool(saved == to_json(edit.values[FIELD]))
