"""Read the notes of a client for display. Must not import Flask."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased

from portal.auth import Profile
from portal.clients.notes.filters import NoteFilters
from portal.clients.records.models import Client
from portal.clients.records.note_models import ClientNote, ClientNoteVersion
from portal.clients.saving.notes import is_correctable, note_of
from portal.extensions import db
from portal.web.pagination import Paging

NOTES_PER_PAGE = 10
SHORT_LENGTH = 700  # characters of a text that a page shows unfolded
PREVIEW_LENGTH = 500
AN_IMPORT = "An import"


@dataclass(frozen=True)
class ShownNote:
    """A note with the names of its author and of the administrator who redacted it.

    `preview` and `rest` are the two parts of a long text, of which a page shows the second one on demand.
    """

    note: ClientNote
    author: str
    redactor: str
    may_correct: bool

    @property
    def preview(self) -> str:
        return self.note.text[: self._cut]

    @property
    def rest(self) -> str:
        return self.note.text[self._cut :].strip()

    @property
    def _cut(self) -> int:
        """Return where the text is divided: after a line or a word, or at its end if it is short."""
        text = self.note.text
        if len(text) <= SHORT_LENGTH:
            return len(text)
        end = max(text.rfind("\n", 0, PREVIEW_LENGTH), text.rfind(" ", 0, PREVIEW_LENGTH))
        return end if end > PREVIEW_LENGTH // 2 else PREVIEW_LENGTH


def page_of_notes(
    client: Client, filters: NoteFilters, reader: Profile, now: datetime
) -> tuple[list[ShownNote], Paging]:
    """Return one page of the notes, the newest day first, by one statement. A page past the end becomes the last."""
    conditions = (ClientNote.client_id == client.id, *_conditions(filters))
    total = select(func.count()).select_from(ClientNote).where(*conditions).scalar_subquery()
    last_page = func.greatest(0, (total - 1) // NOTES_PER_PAGE)
    author, redactor = aliased(Profile), aliased(Profile)
    query = (
        select(ClientNote, author, redactor, total.label("total"))
        .outerjoin(author, author.id == ClientNote.author_id)
        .outerjoin(redactor, redactor.id == ClientNote.redacted_by)
        .where(*conditions)
        .order_by(ClientNote.happened_on.desc(), ClientNote.id.desc())
        .limit(NOTES_PER_PAGE)
        .offset(NOTES_PER_PAGE * func.least(filters.note_page - 1, last_page))
    )
    rows = db.session.execute(query.execution_options(populate_existing=True)).all()
    found = [shown(note, by, redacted_by, reader, now) for note, by, redacted_by, _ in rows]
    return found, Paging.near(filters.note_page, rows[0].total if rows else 0, NOTES_PER_PAGE)


def shown(
    note: ClientNote, author: Profile | None, redactor: Profile | None, reader: Profile, now: datetime
) -> ShownNote:
    return ShownNote(
        note,
        author.full_name if author else AN_IMPORT,
        redactor.full_name if redactor else AN_IMPORT,
        may_correct=is_correctable(note, reader, now),
    )


def one_note(client: Client, note_id: int, reader: Profile, now: datetime) -> ShownNote:
    """Return one note of the client. Raises NotFound (404)."""
    note = note_of(client, note_id)
    author, redactor = (db.session.get(Profile, id_) if id_ else None for id_ in (note.author_id, note.redacted_by))
    return shown(note, author, redactor, reader, now)


def versions_of(note_id: int) -> Sequence[ClientNoteVersion]:
    """Return what the note said before its corrections, the newest first."""
    versions = select(ClientNoteVersion).where(ClientNoteVersion.note_id == note_id)
    return db.session.scalars(versions.order_by(ClientNoteVersion.edits.desc())).all()


def texts_of(note_ids: Sequence[int]) -> dict[int, str]:
    """Return the texts of notes by id, '' for a redacted one."""
    if not note_ids:
        return {}
    rows = db.session.execute(select(ClientNote.id, ClientNote.text).where(ClientNote.id.in_(note_ids)))
    return {row.id: row.text for row in rows}


def _conditions(filters: NoteFilters) -> Iterator[ColumnElement[bool]]:
    if filters.note_kind:
        yield ClientNote.kind == filters.note_kind
    for word in filters.note_text.split():
        yield ClientNote.text.icontains(word, autoescape=True)
