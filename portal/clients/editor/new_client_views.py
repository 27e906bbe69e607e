"""Serve the form of a new client: the fields, checks and drafts of the client's editor."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal import clock
from portal.clients.editor import conflicts, drafts
from portal.clients.editor.form_fields import EntryForm
from portal.clients.editor.new_client import NewClientEditor, new_client_editor
from portal.clients.editor.responses import rejected_form
from portal.clients.permissions import Caller, check_may_add
from portal.clients.records.models import Client
from portal.clients.saving.adding import add_client
from portal.clients.saving.edits import AddedBefore, ValueRejected
from portal.clients.saving.write_context import WriteContext
from portal.clients.saving.write_request import WriteRequest
from portal.editing.base_version import BaseVersion
from portal.editing.drafts import store
from portal.editing.drafts.context import EditorDraft
from portal.editing.drafts.payload import draft_id_from
from portal.extensions import db
from portal.presence.context import presence_of
from portal.web.actor import current_actor
from portal.web.error_handlers import error_response
from portal.web.request_body import is_json, reject_unknown_fields, request_fields
from portal.web.session_cookie import identity

blueprint = Blueprint("new_client", __name__, url_prefix="/clients/new")


@blueprint.get("")
def show() -> ResponseReturnValue:
    """Show the empty form, or a draft of it."""
    check_may_add(current_user)
    return _page(*drafts.open_form(new_client_editor(current_user), restore=request.args.get("draft")))


@blueprint.post("")
def add() -> ResponseReturnValue:
    """Add the client. The same form sent twice, by a second click, leads to the one client."""
    check_may_add(current_user)
    editor, write_request = new_client_editor(current_user), _write_request()
    form = editor.make_form(request_fields())
    reject_unknown_fields(conflicts.fields_of(form))
    submission = draft_id_from(write_request.fields.get("draft", ""))
    if not form.validate():
        return _rejected(editor, form, write_request)
    try:
        client = add_client(write_request.context, editor.values(form), submission)
    except AddedBefore as earlier:
        db.session.rollback()
        return _added_before(editor, form, write_request, earlier)
    except ValueRejected as rejection:
        db.session.rollback()
        form[rejection.field].errors = (rejection.problem,)
        return _rejected(editor, form, write_request)
    store.discard_after_save(editor.draft_key, write_request.fields)
    db.session.commit()
    return _added(client)


def _write_request() -> WriteRequest:
    """Return what was sent. There is no version to start from before the client exists."""
    source = "json" if is_json() else "form"
    context = WriteContext(BaseVersion(1), current_actor(), Caller(current_user, identity()), source)
    return WriteRequest(current_user, request_fields(), context)


def _added(client: Client) -> ResponseReturnValue:
    if is_json():
        return {"status": "added", "id": client.id, "client_ref": client.client_ref, "version": client.version}
    flash(f"{client.name} is added as {client.client_ref}. Add the people and products now.")
    return redirect(url_for("clients.show", client_id=client.id))


def _rejected(editor: NewClientEditor, form: EntryForm, write_request: WriteRequest) -> ResponseReturnValue:
    if write_request.wants_json:
        return rejected_form(form)
    return _page(*drafts.resubmitted_form(editor, form, write_request)), 422


def _added_before(
    editor: NewClientEditor, form: EntryForm, write_request: WriteRequest, earlier: AddedBefore
) -> ResponseReturnValue:
    """Return 409 with a form that adds another client. Its draft replaces the one so far."""
    if write_request.wants_json:
        return error_response(409, str(earlier), id=earlier.entry.id)
    if stored := drafts.unchanged_draft(editor.draft_key, form.draft.data or "").stored:
        form.restored.data = str(stored.mark)
    form.draft.data = store.new_id()
    return _page(*drafts.resubmitted_form(editor, form, write_request), added_before=earlier), 409


def _page(form: EntryForm, draft: EditorDraft, added_before: AddedBefore | None = None) -> str:
    editor = new_client_editor(current_user)
    return render_template(
        "clients/editor/new_client.html",
        editor=editor,
        form=form,
        draft=draft,
        added_before=added_before,
        now=clock.now(),
        presence=presence_of(editor.page_identifier, "editing", "a new client"),
    )
