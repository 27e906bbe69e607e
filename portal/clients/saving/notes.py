"""Add, correct and redact dated notes. Operations flush and never commit.

Each of them is a version of the client with a revision, so that open pages and the history follow. The revision says
what was done, and never has the text (records/note_models.py).
"""

from datetime import timedelta

from sqlalchemy import func, select

from portal import clock
from portal.clients.records.entries import NOTE, Entry
from portal.clients.records.limits import MAX_NOTES
from portal.clients.records.models import Client
from portal.clients.records.note_models import ClientNote
from portal.clients.saving.edits import Edit, Saved, ValueRejected
from portal.clients.saving.operations import lock
from portal.clients.saving.versions import create_version
from portal.extensions import db

CORRECTION_PERIOD = timedelta(hours=24)


def add_note(client: Client, edit: Edit, submission: str = "") -> Saved:
    """Add a note with the edit's `kind`, `happened_on` and `text`. It collides with nothing.

    A request that is repeated with the same `submission` returns the first note. Raises ValueRejected (422) for a
    client with MAX_NOTES notes.
    """
    lock(client, edit)
    if (sent := _sent_before(client, edit, submission)) is not None:
        return Saved(client.version, entry=Entry(NOTE, sent), is_change=False)
    note = insert_note(client, edit, submission)
    entry = Entry(NOTE, note.id)
    return Saved(create_version(client, {entry.prefix: [None, note.summary]}, edit), entry=entry)


def insert_note(client: Client, edit: Edit, submission: str) -> ClientNote:
    """Insert the note of the client's next version. The client must be locked. Raises ValueRejected (422). Flushes."""
    count = db.session.scalar(select(func.count()).select_from(ClientNote).where(ClientNote.client_id == client.id))
    if (count or 0) >= MAX_NOTES:
        raise ValueRejected("text", f"A client has at most {MAX_NOTES:,} notes.")
    note = ClientNote(
        **edit.values,
        client_id=client.id,
        author_id=edit.context.actor.profile_id,
        written_at=clock.now(),
        version=client.version + 1,
        submission=submission,
    )
    db.session.add(note)
    db.session.flush()
    return note


def _sent_before(client: Client, edit: Edit, submission: str) -> int | None:
    if not submission:
        return None
    mine = (ClientNote.client_id == client.id, ClientNote.author_id == edit.context.actor.profile_id)
    return db.session.scalar(select(ClientNote.id).where(*mine, ClientNote.submission == submission))
