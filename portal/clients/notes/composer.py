"""Open the forms of new notes, of corrections and of reviews, with their drafts, and name them for drafts."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from flask import url_for
from werkzeug.datastructures import MultiDict

from portal import clock
from portal.clients.notes.forms import NoteForm, ReviewForm
from portal.clients.records.entries import NOTE
from portal.clients.records.models import Client
from portal.clients.records.note_models import ClientNote
from portal.clients.saving.edits import AddedBefore
from portal.clients.saving.mentions import spellings_of, with_names
from portal.editing.drafts import store
from portal.editing.drafts.context import EditorDraft, Offer, base_of
from portal.editing.drafts.store import DraftKey

NEW_NOTE, REVIEW = "note/new", "review"
FORM_NAME = re.compile(rf"{NEW_NOTE}|{REVIEW}|note/(?P<id>[1-9][0-9]{{0,9}})", re.ASCII)


@dataclass(frozen=True)
class Composer:
    """The form of a note and the draft that the page writes.

    `action` is the address of the form. `is_conflict`: the note was changed since the form was opened. `added_before`:
    the form has added a note already.
    """

    form: NoteForm
    draft: EditorDraft
    action: str
    is_new: bool = True
    is_conflict: bool = False
    added_before: AddedBefore | None = None


def fields_of(form_name: str) -> Collection[str]:
    """Return the fields that a draft of this form may contain, none for a form that is not of a note."""
    if form_name == REVIEW:
        return ReviewForm.field_names()
    return NoteForm.field_names() if FORM_NAME.fullmatch(form_name) else ()


def draft_key(profile_id: int, client: Client, note_id: int | None = None) -> DraftKey:
    return DraftKey(profile_id, f"client-{client.id}", f"note/{note_id}" if note_id else NEW_NOTE)


def open_composer(profile_id: int, client: Client, restore: str | None) -> Composer:
    """Return an empty form, or one with the values of the draft with the id `restore`."""
    key, empty = draft_key(profile_id, client), make_form(client, None)
    own = EditorDraft(key, store.new_id())
    chosen = next((draft for draft in store.drafts_of(key) if draft.draft_id == restore), None) if restore else None
    if chosen is None:
        return Composer(empty, own, _add_url(client))
    form = make_form(client, MultiDict(chosen.values))
    form.restored.data = str(chosen.mark)
    draft = EditorDraft(key, own.draft_id, base=base_of(form, empty), is_restored=True)
    return Composer(form, draft, _add_url(client))


def sent_composer(profile_id: int, client: Client, form: NoteForm) -> Composer:
    """Return a form that was sent and rejected, with its draft."""
    draft_id = form.draft.data or store.new_id()
    base = base_of(form, make_form(client, None))
    return Composer(form, EditorDraft(draft_key(profile_id, client), draft_id, base=base), _add_url(client))


def another(sent: Composer, earlier: AddedBefore) -> Composer:
    """Return a form that has added `earlier`, as one that adds another note. Its draft replaces the one so far."""
    form, draft = sent.form, sent.draft
    stored = next((each for each in store.drafts_of(draft.key) if each.draft_id == draft.draft_id), None)
    if stored:
        form.restored.data = str(stored.mark)
    form.version.data, form.draft.data = str(earlier.version), store.new_id()
    return replace(sent, draft=replace(draft, draft_id=form.draft.data, is_restored=True), added_before=earlier)


def open_correction(profile_id: int, client: Client, note: ClientNote) -> Composer:
    """Return the form of a correction with the newest draft of it, or with the note's values."""
    key, untouched = draft_key(profile_id, client, note.id), correction_form(client, note, None)
    own = EditorDraft(key, store.new_id())
    found = next(iter(store.drafts_of(key)), None)
    if found is None:
        return Composer(untouched, own, _correction_url(client, note.id), is_new=False)
    form = correction_form(client, note, MultiDict(found.values))
    form.version.data, form.restored.data = str(found.base_version), str(found.mark)
    draft = EditorDraft(key, own.draft_id, base=base_of(form, untouched), is_restored=True)
    return Composer(form, draft, _correction_url(client, note.id), is_new=False)


def drafts_of_correction(profile_id: int, client: Client, note_id: int) -> list[Offer]:
    """Return the drafts of a correction that can no longer be made, to copy or discard."""
    key = draft_key(profile_id, client, note_id)
    return [Offer(key, draft, [NOTE.labels.get(name, name) for name in draft.values]) for draft in store.drafts_of(key)]


def sent_correction(profile_id: int, client: Client, note_id: int, form: NoteForm) -> Composer:
    """Return a correction that was sent and rejected, with its draft."""
    draft = EditorDraft(draft_key(profile_id, client, note_id), form.draft.data or store.new_id())
    return Composer(form, draft, _correction_url(client, note_id), is_new=False)


def correction_form(client: Client, note: ClientNote, sent: MultiDict[str, str] | None) -> NoteForm:
    """Return the form of a correction with the sent values. Others are those of the note."""
    text = with_names(note.text, note.mentions, spellings_of(note.mentions))
    values = {"text": text, "kind": note.kind, "happened_on": note.happened_on}
    return NoteForm(sent, data={"version": client.version, **values})


def make_form(client: Client, sent: MultiDict[str, str] | None) -> NoteForm:
    """Return the form of a new note with the sent values. Others have their defaults: a note of today."""
    return NoteForm(sent, data={"version": client.version, "kind": "note", "happened_on": clock.today()})


def review_key(profile_id: int, client: Client) -> DraftKey:
    return DraftKey(profile_id, f"client-{client.id}", REVIEW)


def open_review(profile_id: int, client: Client) -> Composer:
    """Return the form of a review with the newest draft of it, or with a next review in a year."""
    key, untouched = review_key(profile_id, client), review_form(client, None)
    own, url = EditorDraft(key, store.new_id()), url_for("client_review.complete", client_id=client.id)
    found = next(iter(store.drafts_of(key)), None)
    if found is None:
        untouched.draft.data = own.draft_id
        return Composer(untouched, own, url)
    form = review_form(client, MultiDict(found.values))
    form.version.data, form.seen.data, form.restored.data = str(found.base_version), found.seen, str(found.mark)
    form.draft.data = own.draft_id
    return Composer(form, replace(own, base=base_of(form, untouched), is_restored=True), url)


def sent_review(profile_id: int, client: Client, form: ReviewForm) -> Composer:
    """Return a review that was sent and rejected, with its draft."""
    form.draft.data = form.draft.data or store.new_id()
    base = base_of(form, review_form(client, None))
    draft = EditorDraft(review_key(profile_id, client), form.draft.data, base=base)
    return Composer(form, draft, url_for("client_review.complete", client_id=client.id))


def review_form(client: Client, sent: MultiDict[str, str] | None) -> ReviewForm:
    """Return the form of a review with the sent values. Others have defaults: a meeting today, again in a year."""
    today = clock.today()
    in_a_year = today.replace(year=today.year + 1, day=min(today.day, 28))
    note = {"kind": "meeting", "happened_on": today, "next_review_on": in_a_year}
    return ReviewForm(sent, data={"version": client.version, **note})


def _add_url(client: Client) -> str:
    return url_for("client_notes.add", client_id=client.id)


def _correction_url(client: Client, note_id: int) -> str:
    return url_for("client_note.correct", client_id=client.id, note_id=note_id)
