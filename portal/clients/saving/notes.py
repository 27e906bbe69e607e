"""Add, correct and redact dated notes. Operations flush and never commit.

Each of them is a version of the client with a revision, so that open pages and the history follow. The revision says
what was done, and never has the text (records/note_models.py).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select

from portal import audit, clock
from portal.audit import Event
from portal.auth import Profile
from portal.clients import permissions
from portal.clients.records.entries import NOTE, Entry
from portal.clients.records.limits import MAX_NOTES
from portal.clients.records.models import Client
from portal.clients.records.note_models import ClientNote, ClientNoteVersion
from portal.clients.records.revisions import to_json
from portal.clients.saving.edits import AddedBefore, Edit, Saved, ValueRejected
from portal.clients.saving.mentions import notify_mentioned, parse_mentions
from portal.clients.saving.merging import reject_future_version
from portal.clients.saving.operations import lock
from portal.clients.saving.versions import create_version
from portal.editing.drafts.store import EditDraft
from portal.errors import NotAllowed, NotFound, StaleVersion
from portal.extensions import db

CORRECTION_PERIOD = timedelta(hours=24)
MAX_CORRECTIONS = 50
NOT_CORRECTABLE = "Only its author can correct a note, for 24 hours after writing it. Add another note instead."


def add_note(client: Client, edit: Edit, submission: str = "") -> Saved:
    """Add a note with the edit's `kind`, `happened_on` and `text`. It collides with nothing.

    A request that is repeated with the same `submission` returns the first note. Raises AddedBefore (409) if it has
    other values, and ValueRejected (422) for a client with MAX_NOTES notes.
    """
    lock(client, edit)
    if (sent := sent_before(client, edit, submission)) is not None:
        if not had_values(sent, edit.values):
            raise AddedBefore(Entry(NOTE, sent.id), sent.written_at, client.version)
        return Saved(client.version, entry=Entry(NOTE, sent.id), is_change=False)
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
        mentions=parse_mentions(client, edit.values["text"]),
        client_id=client.id,
        author_id=edit.context.actor.profile_id,
        written_at=clock.now(),
        version=client.version + 1,
        submission=submission,
    )
    db.session.add(note)
    db.session.flush()
    notify_mentioned(note, note.version, note.author_id)
    return note


def sent_before(client: Client, edit: Edit, submission: str) -> ClientNote | None:
    """Return the note that the same form has added before."""
    if not submission:
        return None
    mine = (ClientNote.client_id == client.id, ClientNote.author_id == edit.context.actor.profile_id)
    return db.session.scalar(select(ClientNote).where(*mine, ClientNote.submission == submission))


def had_values(note: ClientNote, values: Mapping[str, object]) -> bool:
    """Return whether the note had these values when it was added."""
    first = db.session.get(ClientNoteVersion, {"note_id": note.id, "edits": 0}) or note
    return all(getattr(first, name) == value for name, value in values.items())


class NoteChanged(StaleVersion):
    """The note was corrected or redacted since it was opened (409). Nothing was changed."""

    def __init__(self) -> None:
        super().__init__("This note has been changed since you opened it.")


def note_of(client: Client, note_id: int) -> ClientNote:
    """Return the note from the database. Raises NotFound (404)."""
    note = db.session.get(ClientNote, note_id, populate_existing=True)
    if note is None or note.client_id != client.id:
        raise NotFound("There is no such note, or you do not have access to it.")
    return note


def is_correctable(note: ClientNote, profile: Profile, now: datetime) -> bool:
    """Return whether the profile may correct the note now: its author may for CORRECTION_PERIOD."""
    is_author = profile.may_write and note.author_id == profile.id
    return is_author and not note.is_redacted and now < note.written_at + CORRECTION_PERIOD


def correct_note(client: Client, note_id: int, profile: Profile, edit: Edit) -> Saved:
    """Replace the note's values by those of the edit, and keep the earlier ones as a version of the note.

    A request that is repeated changes nothing. Raises NotAllowed (403), NoteChanged (409) or ValueRejected (422).
    """
    lock(client, edit)
    note = note_of(client, note_id)
    if not is_correctable(note, profile, clock.now()):
        raise NotAllowed(NOT_CORRECTABLE)
    changed = {name: value for name, value in edit.values.items() if getattr(note, name) != value}
    if not changed:
        return Saved(client.version, is_change=False)
    _reject_changed(client, note, edit)
    if note.edits >= MAX_CORRECTIONS:
        raise ValueRejected("text", f"A note can be corrected {MAX_CORRECTIONS} times. Add another note.")
    kept = {name: getattr(note, name) for name in ("edits", "kind", "happened_on", "text", "mentions")}
    db.session.add(ClientNoteVersion(**kept, note_id=note.id, written_at=note.edited_at or note.written_at))
    entry = Entry(NOTE, note.id)
    changes = {
        entry.key(name): [to_json(getattr(note, name)), to_json(value)]
        for name, value in changed.items()
        if name in ("kind", "happened_on")
    }
    if "text" in changed:
        changes[entry.key("edits")] = [note.edits, note.edits + 1]
    known = note.mentions
    if "text" in changed:
        changed["mentions"] = parse_mentions(client, changed["text"], {profile_id for *_, profile_id in known})
    stamp = {"edits": note.edits + 1, "edited_at": clock.now(), "version": client.version + 1}
    for name, value in {**changed, **stamp}.items():
        setattr(note, name, value)
    notify_mentioned(note, note.version, profile.id, known)
    return Saved(create_version(client, changes, edit), entry=entry)


def redact_note(client: Client, note_id: int, profile: Profile, edit: Edit) -> Saved:
    """Delete the note's text, its earlier texts and their drafts, and keep the edit's `reason`.

    Records the event in the audit log. Raises NotAllowed (403) or NoteChanged (409).
    """
    lock(client, edit)
    note = note_of(client, note_id)
    if not permissions.can_redact_notes(profile):
        raise NotAllowed("Only administrators may redact a note.")
    if note.is_redacted:
        return Saved(client.version, is_change=False)
    _reject_changed(client, note, edit)
    db.session.execute(delete(ClientNoteVersion).where(ClientNoteVersion.note_id == note.id))
    of_note = (EditDraft.page_identifier == f"client-{client.id}", EditDraft.form == f"note/{note.id}")
    db.session.execute(delete(EditDraft).where(*of_note).execution_options(synchronize_session=False))
    note.text, note.mentions, note.version = "", [], client.version + 1
    note.redacted_by, note.redacted_at, note.redaction_reason = profile.id, clock.now(), edit.reason
    key = Entry(NOTE, note.id).key("redacted_by")
    version = create_version(client, {key: [None, profile.id]}, edit)
    audit.record(Event.NOTE_REDACTED, edit.context.actor, client_id=client.id, version=version, fields=[key])
    return Saved(version)


def _reject_changed(client: Client, note: ClientNote, edit: Edit) -> None:
    """Raise NoteChanged (409) if the note was written since the base version, InvalidInput (422) for a future one."""
    reject_future_version(client, edit.context.base_version)
    if note.version > edit.context.base_version.version:
        raise NoteChanged
