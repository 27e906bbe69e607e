"""Read the notes of a client for display. Must not import Flask."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, ScalarSelect, cast, column, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased

from portal.auth import Profile
from portal.clients.notes.filters import NoteFilters
from portal.clients.records.models import Client
from portal.clients.records.note_models import ClientNote, ClientNoteVersion
from portal.clients.saving.mentions import names_of, with_names
from portal.clients.saving.notes import is_correctable, note_of
from portal.extensions import db
from portal.web.pagination import Paging

NOTES_PER_PAGE = 10
SHORT_LENGTH = 700  # characters of a text that a page shows unfolded
PREVIEW_LENGTH = 500
AN_IMPORT = "An import"
# Made once: a new alias takes 0.5 ms of the time of each page.
Author, Redactor = aliased(Profile), aliased(Profile)


@dataclass(frozen=True)
class ShownNote:
    """A note with the names of its author and of the administrator who redacted it.

    `text` has the present names of mentioned users. `preview` and `rest` are the two parts of a long text, of which a
    page shows the second one on demand.
    """

    note: ClientNote
    text: str
    author: str
    redactor: str
    may_correct: bool

    @property
    def preview(self) -> str:
        return self.text[: self._cut]

    @property
    def rest(self) -> str:
        return self.text[self._cut :].strip()

    @property
    def _cut(self) -> int:
        """Return where the text is divided: after a line or a word, or at its end if it is short."""
        text = self.text
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
    query = (
        select(ClientNote, Author, Redactor, _mentioned_names(), total.label("total"))
        .outerjoin(Author, Author.id == ClientNote.author_id)
        .outerjoin(Redactor, Redactor.id == ClientNote.redacted_by)
        .where(*conditions)
        .order_by(ClientNote.happened_on.desc(), ClientNote.id.desc())
        .limit(NOTES_PER_PAGE)
        .offset(NOTES_PER_PAGE * func.least(filters.note_page - 1, last_page))
    )
    rows = db.session.execute(query.execution_options(populate_existing=True)).all()
    found = [
        shown(note, by, redacted_by, reader, now, {int(id_): name for id_, name in (names or {}).items()})
        for note, by, redacted_by, names, _ in rows
    ]
    return found, Paging.near(filters.note_page, rows[0].total if rows else 0, NOTES_PER_PAGE)


def shown(
    note: ClientNote,
    author: Profile | None,
    redactor: Profile | None,
    reader: Profile,
    now: datetime,
    names: Mapping[int, str],
) -> ShownNote:
    return ShownNote(
        note,
        with_names(note.text, note.mentions, names),
        author.full_name if author else AN_IMPORT,
        redactor.full_name if redactor else AN_IMPORT,
        may_correct=is_correctable(note, reader, now),
    )


def one_note(client: Client, note_id: int, reader: Profile, now: datetime) -> ShownNote:
    """Return one note of the client. Raises NotFound (404)."""
    note = note_of(client, note_id)
    author, redactor = (db.session.get(Profile, id_) if id_ else None for id_ in (note.author_id, note.redacted_by))
    return shown(note, author, redactor, reader, now, names_of(note.mentions))


def versions_of(note_id: int) -> Sequence[ClientNoteVersion]:
    """Return what the note said before its corrections, the newest first."""
    versions = select(ClientNoteVersion).where(ClientNoteVersion.note_id == note_id)
    return db.session.scalars(versions.order_by(ClientNoteVersion.edits.desc())).all()


def texts_of(note_ids: Sequence[int]) -> dict[int, str]:
    """Return the texts of notes by id with the present names of mentioned users, '' for a redacted one."""
    found = db.session.scalars(select(ClientNote).where(ClientNote.id.in_(note_ids))).all() if note_ids else ()
    names = names_of(mention for note in found for mention in note.mentions)
    return {note.id: with_names(note.text, note.mentions, names) for note in found}


@cache
def _mentioned_names() -> ScalarSelect[Any]:
    """Return a SQL column with the names of the users whom a note mentions, as {id: name}."""
    mention = func.jsonb_array_elements(ClientNote.mentions).table_valued(column("value", JSONB)).render_derived()
    is_mentioned = cast(mention.c.value[2].astext, Integer) == Profile.id
    names = func.json_object_agg(Profile.id, Profile.first_name + " " + Profile.last_name)
    return select(names).select_from(mention).join(Profile, is_mentioned).correlate(ClientNote).scalar_subquery()


def _conditions(filters: NoteFilters) -> Iterator[ColumnElement[bool]]:
    if filters.note_kind:
        yield ClientNote.kind == filters.note_kind
    for word in filters.note_text.split():
        yield ClientNote.text.icontains(word, autoescape=True)
