"""Open the form of a new note, empty or with a draft, and name the forms of notes for drafts."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from portal import clock
from portal.clients.notes.forms import NoteForm
from portal.clients.records.models import Client
from portal.editing.drafts import store
from portal.editing.drafts.context import EditorDraft, base_of
from portal.editing.drafts.store import DraftKey

NEW_NOTE = "note/new"
FORM_NAME = re.compile(rf"{NEW_NOTE}|note/(?P<id>[1-9][0-9]{{0,9}})", re.ASCII)


@dataclass(frozen=True)
class Composer:
    """The form of a new note and the draft that the page writes."""

    form: NoteForm
    draft: EditorDraft


def fields_of(form_name: str) -> Collection[str]:
    """Return the fields that a draft of this form may contain, none for a form that is not of a note."""
    return NoteForm.field_names() if FORM_NAME.fullmatch(form_name) else ()


def draft_key(profile_id: int, client: Client) -> DraftKey:
    return DraftKey(profile_id, f"client-{client.id}", NEW_NOTE)


def open_composer(profile_id: int, client: Client, restore: str | None) -> Composer:
    """Return an empty form, or one with the values of the draft with the id `restore`."""
    key, empty = draft_key(profile_id, client), make_form(client, None)
    own = EditorDraft(key, store.new_id())
    chosen = next((draft for draft in store.drafts_of(key) if draft.draft_id == restore), None) if restore else None
    if chosen is None:
        return Composer(empty, own)
    form = make_form(client, MultiDict(chosen.values))
    form.restored.data = str(chosen.mark)
    return Composer(form, EditorDraft(key, own.draft_id, base=base_of(form, empty), is_restored=True))


def sent_composer(profile_id: int, client: Client, form: NoteForm) -> Composer:
    """Return a form that was sent and rejected, with its draft."""
    draft_id = form.draft.data or store.new_id()
    base = base_of(form, make_form(client, None))
    return Composer(form, EditorDraft(draft_key(profile_id, client), draft_id, base=base))


def make_form(client: Client, sent: MultiDict[str, str] | None) -> NoteForm:
    """Return the form of a new note with the sent values. Others have their defaults: a note of today."""
    return NoteForm(sent, data={"version": client.version, "kind": "note", "happened_on": clock.today()})
