"""Show one note with its earlier texts, correct it and redact it."""

from collections.abc import Sequence
from dataclasses import replace

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal import clock
from portal.clients.editor.responses import rejected_form, rejected_values
from portal.clients.notes import composer, queries
from portal.clients.notes.forms import NoteForm, RedactionForm
from portal.clients.permissions import can_redact_notes, client_for
from portal.clients.presence import presence_on_client
from portal.clients.records import choices
from portal.clients.records.entries import NOTE
from portal.clients.records.models import Client
from portal.clients.saving import notes
from portal.clients.saving.edits import Edit, Saved, ValueRejected
from portal.clients.saving.notes import NoteChanged
from portal.clients.saving.write_request import WriteRequest, write_request_from
from portal.editing.drafts import store
from portal.editing.drafts.context import Offer
from portal.errors import NotAllowed, NotFound
from portal.extensions import db
from portal.web.error_handlers import error_response
from portal.web.request_body import reject_unknown_fields, request_fields

blueprint = Blueprint("client_note", __name__, url_prefix="/clients/<id:client_id>/notes/<id:note_id>")


@blueprint.get("")
def show(client_id: int, note_id: int) -> ResponseReturnValue:
    """Show the note, and what it said before its corrections."""
    client = client_for(current_user, client_id)
    return render_template(
        "clients/notes/note.html",
        client=client,
        shown=queries.one_note(client, note_id, current_user, clock.now()),
        versions=queries.versions_of(note_id),
        kinds=choices.NOTE_KINDS,
        may_redact=can_redact_notes(current_user),
        now=clock.now(),
        presence=presence_on_client(client, "viewing"),
    )


@blueprint.get("/edit")
def edit(client_id: int, note_id: int) -> ResponseReturnValue:
    """Show the form of a correction, with the newest draft of it. When it is too late, show its drafts (403)."""
    client = client_for(current_user, client_id, write=True)
    note = notes.note_of(client, note_id)
    if not notes.is_correctable(note, current_user, clock.now()):
        if offers := composer.drafts_of_correction(current_user.id, client, note_id):
            return _too_late_page(client, offers), 403
        raise NotAllowed(notes.NOT_CORRECTABLE)
    return _correction_page(client, note_id, composer.open_correction(current_user.id, client, note))


@blueprint.post("/edit")
def correct(client_id: int, note_id: int) -> ResponseReturnValue:
    """Correct the note. Returns 409 if it was changed since it was opened, for example in another tab."""
    try:
        return _correct(client_for(current_user, client_id, write=True), note_id)
    except (NotFound, NotAllowed) as error:
        error.typed = {NOTE.labels["text"]: text} if (text := request_fields().get("text")) else {}
        raise


def _correct(client: Client, note_id: int) -> ResponseReturnValue:
    write_request = write_request_from(current_user)
    note = notes.note_of(client, note_id)
    form = composer.correction_form(client, note, request_fields())
    reject_unknown_fields(form._fields)
    if not form.validate():
        return _rejected(client, note_id, form, write_request)
    values = {name: form[name].data for name in form.field_names()}
    try:
        saved = notes.correct_note(client, note_id, current_user, Edit(write_request.context, values))
    except NoteChanged as conflict:
        db.session.rollback()
        return _conflict(client, note_id, form, write_request, conflict)
    except ValueRejected as rejection:
        db.session.rollback()
        form[rejection.field].errors = (rejection.problem,)
        return _rejected(client, note_id, form, write_request)
    store.discard_after_save(composer.draft_key(current_user.id, client, note_id), write_request.fields)
    return _saved(client, saved, write_request, "The note is corrected.")


@blueprint.get("/redact")
def ask_to_redact(client_id: int, note_id: int) -> ResponseReturnValue:
    """Ask for the reason of a redaction."""
    client = _client_to_redact(client_id)
    return _redaction_page(client, note_id, RedactionForm(None, data={"version": client.version}))


@blueprint.post("/redact")
def redact(client_id: int, note_id: int) -> ResponseReturnValue:
    """Delete the text of the note. Returns 409 if it was changed since the administrator read it."""
    client, write_request = _client_to_redact(client_id), write_request_from(current_user)
    form = RedactionForm(request_fields())
    reject_unknown_fields(form._fields)
    if not form.validate():
        if write_request.wants_json:
            return rejected_values({"reason": " ".join(map(str, form.reason.errors))})
        return _redaction_page(client, note_id, form), 422
    try:
        edit = Edit(write_request.context, reason=form.reason.data or "")
        saved = notes.redact_note(client, note_id, current_user, edit)
    except NoteChanged as conflict:
        db.session.rollback()
        if write_request.wants_json:
            return error_response(409, str(conflict), version=client.version)
        form.version.data = str(client.version)
        return _redaction_page(client, note_id, form, failure=f"{conflict} Review it before redacting."), 409
    return _saved(client, saved, write_request, "The text of the note is deleted.")


def _client_to_redact(client_id: int) -> Client:
    client = client_for(current_user, client_id, write=True)
    if not can_redact_notes(current_user):
        raise NotAllowed("Only administrators may redact a note.")
    return client


def _saved(client: Client, saved: Saved, write_request: WriteRequest, message: str) -> ResponseReturnValue:
    db.session.commit()
    if write_request.wants_json:
        return {"status": "saved", "version": saved.version}
    flash(message)
    return redirect(url_for("clients.show", client_id=client.id))


def _rejected(client: Client, note_id: int, form: NoteForm, write_request: WriteRequest) -> ResponseReturnValue:
    if write_request.wants_json:
        return rejected_form(form)
    return _correction_page(client, note_id, composer.sent_correction(current_user.id, client, note_id, form)), 422


def _conflict(
    client: Client, note_id: int, form: NoteForm, write_request: WriteRequest, conflict: NoteChanged
) -> ResponseReturnValue:
    """Return 409 with the saved note above the form, which keeps what was typed and can be sent again."""
    if write_request.wants_json:
        return error_response(409, str(conflict), version=client.version)
    form.version.data = str(client.version)
    sent = composer.sent_correction(current_user.id, client, note_id, form)
    return _correction_page(client, note_id, replace(sent, is_conflict=True)), 409


def _correction_page(client: Client, note_id: int, opened: composer.Composer) -> str:
    return render_template(
        "clients/notes/correct.html",
        client=client,
        composer=opened,
        shown=queries.one_note(client, note_id, current_user, clock.now()),
        kinds=choices.NOTE_KINDS,
        may_redact=False,
        now=clock.now(),
        presence=presence_on_client(client, "viewing"),
    )


def _too_late_page(client: Client, offers: Sequence[Offer]) -> str:
    return render_template(
        "clients/notes/too_late.html",
        client=client,
        detail=notes.NOT_CORRECTABLE,
        offers=offers,
        labels=NOTE.labels,
        kinds=choices.NOTE_KINDS,
        now=clock.now(),
        presence=presence_on_client(client, "viewing"),
    )


def _redaction_page(client: Client, note_id: int, form: RedactionForm, failure: str = "") -> str:
    return render_template(
        "clients/notes/redact.html",
        client=client,
        form=form,
        failure=failure,
        shown=queries.one_note(client, note_id, current_user, clock.now()),
        kinds=choices.NOTE_KINDS,
        may_redact=False,
        now=clock.now(),
        presence=presence_on_client(client, "viewing"),
    )
