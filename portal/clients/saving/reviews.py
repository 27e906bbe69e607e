"""Mark the review of a client done: a note of the meeting and the day of the next review, in one change.

Flushes, never commits.
"""

from collections.abc import Mapping
from dataclasses import replace

from portal.clients.records.entries import CLIENT, NOTE, Entry
from portal.clients.records.models import Client
from portal.clients.records.revisions import FieldChanges, to_json
from portal.clients.saving.edits import Edit, EditConflict, Saved
from portal.clients.saving.merging import merge_with_current, prefixes_in
from portal.clients.saving.notes import insert_note, sent_before
from portal.clients.saving.operations import lock
from portal.clients.saving.versions import create_version

FIELD = "next_review_on"


def complete_review(client: Client, edit: Edit, note: Mapping[str, object], submission: str) -> Saved:
    """Add the note, and set the next review to that of the edit, merged with other users' saves since.

    A request that is repeated with the same `submission` changes nothing. Raises EditConflict (409) if another user has
    changed the next review, and ValueRejected (422) for a client with MAX_NOTES notes.
    """
    lock(client, edit)
    if (sent := sent_before(client, edit, submission)) is not None:
        return Saved(client.version, entry=Entry(NOTE, sent), is_change=False)
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
