"""Add notes to a client."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal import clock
from portal.clients.editor.responses import rejected_form
from portal.clients.notes import composer
from portal.clients.notes.forms import NoteForm
from portal.clients.permissions import client_for
from portal.clients.presence import presence_on_client
from portal.clients.records.entries import NOTE
from portal.clients.records.models import Client
from portal.clients.saving import notes
from portal.clients.saving.edits import AddedBefore, Edit, ValueRejected
from portal.clients.saving.mentions import mentionable
from portal.clients.saving.write_request import WriteRequest, write_request_from
from portal.editing.base_version import BaseVersion
from portal.editing.drafts import store
from portal.editing.drafts.payload import draft_id_from
from portal.errors import NotAllowed, NotFound
from portal.extensions import db
from portal.web.error_handlers import error_response
from portal.web.request_body import reject_unknown_fields, request_fields

blueprint = Blueprint("client_notes", __name__, url_prefix="/clients/<id:client_id>/notes")


@blueprint.get("/mentionable")
def list_mentionable(client_id: int) -> ResponseReturnValue:
    """Return the users whom a note about the client may mention, for the list that opens after an `@`."""
    client = client_for(current_user, client_id, write=True)
    return {"users": [{"name": name, "mention": mention} for name, mention in mentionable(client)]}


@blueprint.post("")
def add(client_id: int) -> ResponseReturnValue:
    """Add a note. It collides with nothing, so no base version is needed."""
    try:
        client = client_for(current_user, client_id, write=True)
        return _add(client, write_request_from(current_user, base_version=BaseVersion(client.version)))
    except (NotFound, NotAllowed) as error:
        error.typed = {NOTE.labels["text"]: text} if (text := request_fields().get("text")) else {}
        raise


def _add(client: Client, write_request: WriteRequest) -> ResponseReturnValue:
    form = composer.make_form(client, request_fields())
    reject_unknown_fields(form._fields)
    submission = draft_id_from(write_request.fields.get("draft", ""))
    if not form.validate():
        return _rejected(client, form, write_request)
    values = {name: form[name].data for name in form.field_names()}
    try:
        saved = notes.add_note(client, Edit(write_request.context, values), submission)
    except AddedBefore as earlier:
        db.session.rollback()
        if write_request.wants_json:
            return error_response(409, str(earlier), key=earlier.entry.prefix)
        return _page(client, composer.another(composer.sent_composer(current_user.id, client, form), earlier)), 409
    except ValueRejected as rejection:
        db.session.rollback()
        form[rejection.field].errors = (rejection.problem,)
        return _rejected(client, form, write_request)
    store.discard_after_save(composer.draft_key(current_user.id, client), write_request.fields)
    db.session.commit()
    if write_request.wants_json:
        return {"status": "added", "version": saved.version, "key": saved.entry.prefix if saved.entry else ""}
    flash("The note is added.")
    return redirect(url_for("clients.show", client_id=client.id))


def _rejected(client: Client, form: NoteForm, write_request: WriteRequest) -> ResponseReturnValue:
    """Return 422 with each error beside its field, and everything that was typed."""
    if write_request.wants_json:
        return rejected_form(form)
    return _page(client, composer.sent_composer(current_user.id, client, form)), 422


def _page(client: Client, sent: composer.Composer) -> str:
    return render_template(
        "clients/notes/new.html",
        client=client,
        composer=sent,
        now=clock.now(),
        presence=presence_on_client(client, "viewing"),
    )
