"""Serve the editors of clients, people, products and valuations; add and remove parts.

All of them save through operations.py. A browser sends forms; a program may send the same fields as JSON.
"""

from dataclasses import replace

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.clients.editor import conflicts, drafts, responses
from portal.clients.editor.editor import Editor, editor_of
from portal.clients.editor.form_fields import EntryForm
from portal.clients.editor.forms import FORMS, confirmed_amount
from portal.clients.permissions import client_for
from portal.clients.presence import edit_warning_on_client, presence_on_client
from portal.clients.records import queries
from portal.clients.records.display import display_columns
from portal.clients.records.entries import CLIENT, KINDS, PRODUCT, VALUATION, Entry
from portal.clients.records.part_names import full_name, names_of
from portal.clients.saving import operations
from portal.clients.saving.edits import Edit, EditConflict, EntryChanged, EntryRemoved, ValueRejected
from portal.clients.saving.merging import merge_with_current
from portal.clients.saving.write_request import WriteRequest, write_request_from
from portal.clients.wording import sentences
from portal.clients.wording.names import names_in
from portal.editing.drafts import store
from portal.errors import NotAllowed, NotFound
from portal.extensions import db
from portal.web.error_handlers import error_response
from portal.web.request_body import is_json, reject_unknown_fields, request_fields

blueprint = Blueprint("client_editors", __name__, url_prefix="/clients/<id:client_id>")
PART = "/<any(person, product, valuation):kind>/<id:part_id>"
NEW_PART = "/<any(person, product):kind>/new"
NEW_VALUATION = "/product/<id:product_id>/valuation/new"


@blueprint.get("/edit")
def edit_client(client_id: int) -> ResponseReturnValue:
    """Show the editor with the current values. `card` restricts it to the fields of one card."""
    return _open(client_id, Entry(CLIENT), card=request.args.get("card", ""))


@blueprint.post("/edit")
def save_client(client_id: int) -> ResponseReturnValue:
    """Save the sent values, merged with other users' saves. Conflicting fields return the conflict page (409).

    `card` restricts the save to the fields of one card.
    """
    return _save(client_id, Entry(CLIENT), card=request.args.get("card", ""))


@blueprint.get(f"{PART}/edit")
def edit_part(client_id: int, kind: str, part_id: int) -> ResponseReturnValue:
    return _open(client_id, Entry(KINDS[kind], part_id))


@blueprint.post(f"{PART}/edit")
def save_part(client_id: int, kind: str, part_id: int) -> ResponseReturnValue:
    """Save a part as `save_client` saves the client."""
    return _save(client_id, Entry(KINDS[kind], part_id))


@blueprint.get(NEW_PART)
def new_part(client_id: int, kind: str) -> ResponseReturnValue:
    return _open(client_id, Entry(KINDS[kind]))


@blueprint.post(NEW_PART)
def add_part(client_id: int, kind: str) -> ResponseReturnValue:
    return _save(client_id, Entry(KINDS[kind]))


@blueprint.get(NEW_VALUATION)
def new_valuation(client_id: int, product_id: int) -> ResponseReturnValue:
    return _open(client_id, Entry(VALUATION), product_id)


@blueprint.post(NEW_VALUATION)
def add_valuation(client_id: int, product_id: int) -> ResponseReturnValue:
    return _save(client_id, Entry(VALUATION), product_id)


@blueprint.get(f"{PART}/remove")
def ask_to_remove(client_id: int, kind: str, part_id: int) -> ResponseReturnValue:
    """Show what a removal would delete."""
    return _render_removal(_editor(client_id, Entry(KINDS[kind], part_id)))


@blueprint.post(f"{PART}/remove")
def remove_part(client_id: int, kind: str, part_id: int) -> ResponseReturnValue:
    """Remove the part. Returns 409 if another user has changed it since the user was asked."""
    write_request = write_request_from(current_user)
    try:
        editor = _editor(client_id, Entry(KINDS[kind], part_id))
        name, owner_url = editor.full_name, editor.owner_url
        removed = operations.remove_part(editor.client, editor.entry, Edit(write_request.context))
    except EntryRemoved as error:
        base_version = write_request.context.base_version
        if error.revision.changed_by != current_user.id or error.revision.version <= base_version.version:
            raise
        db.session.rollback()
        return redirect(url_for("clients.show", client_id=client_id))  # the same user has removed it, by a second click
    except EntryChanged as conflict:
        db.session.rollback()
        return _render_removal(editor, conflict)
    store.discard_all(editor.draft_key)
    db.session.commit()
    if write_request.wants_json:
        return {"status": "removed", "version": removed.version, "key": editor.entry.prefix}
    flash(f"{name[0].upper()}{name[1:]} is removed.")
    return redirect(owner_url)


@blueprint.app_errorhandler(EntryRemoved)
def handle_entry_removed(error: EntryRemoved) -> ResponseReturnValue:
    """Show that another user has removed the part, with the values typed into its editor for copying."""
    db.session.rollback()
    if is_json():
        return error_response(409, str(error))
    client = client_for(current_user, error.revision.client_id)
    found = store.drafts_of(store.DraftKey(current_user.id, f"client-{client.id}", error.entry.prefix))
    typed = {**{name: value for draft in reversed(found) for name, value in draft.values.items()}, **request.form}
    labels = error.entry.kind.labels if error.entry.kind.name in FORMS else {}
    page = render_template(
        "clients/editor/gone.html",
        client=client,
        error=error,
        name=names_of({error.entry: client.id}, {}, full_name)[error.entry],
        by=sentences.author_name(error.revision),
        typed={label: typed[name] for name, label in labels.items() if typed.get(name)},
        presence=presence_on_client(client, "viewing"),
    )
    return page, 409 if request.method == "POST" else 410


def _open(client_id: int, entry: Entry, product_id: int | None = None, card: str = "") -> str:
    editor = _editor(client_id, entry, product_id, card)
    form, draft = drafts.open_form(editor, restore=request.args.get("draft"))
    form.proceeded.data = "1" if "proceeded" in request.args else ""
    warning = None if editor.is_new else edit_warning_on_client(editor.client, editor.profile_id, editor.back_url)
    return responses.editor_page(editor, form, draft, warning=warning)


def _save(client_id: int, entry: Entry, product_id: int | None = None, card: str = "") -> ResponseReturnValue:
    try:
        return _saved(client_id, entry, product_id, card)
    except (NotFound, NotAllowed) as error:
        error.typed = {label: request.form[name] for name, label in entry.kind.labels.items() if request.form.get(name)}
        raise


def _saved(client_id: int, entry: Entry, product_id: int | None, card: str) -> ResponseReturnValue:
    editor, write_request = _editor(client_id, entry, product_id, card), write_request_from(current_user)
    form = editor.make_form(request_fields())
    reject_unknown_fields(conflicts.fields_of(form))
    if not form.validate():
        return responses.rejected_response(editor, form, write_request)
    custom_form = conflicts.make_custom_form(editor, request_fields())
    resolutions = conflicts.parse_resolutions(custom_form, write_request.fields, form.field_names())
    edit = Edit(
        write_request.context,
        editor.values(form),
        resolutions,
        proceeded=bool(write_request.fields.get("proceeded")),
        confirmed_amount=confirmed_amount(form),
        confirmed_another=write_request.fields.get("confirm_another", ""),
    )
    try:
        if editor.is_new:
            result = operations.add_part(editor.client, entry.kind, edit, product_id)
        else:
            result = operations.save_entry(editor.client, entry, edit)
    except EditConflict as conflict:
        db.session.rollback()
        return responses.conflict_response(editor, conflict.merged, custom_form, write_request, typed=form)
    except ValueRejected as rejection:
        db.session.rollback()
        if resolutions and not write_request.wants_json:
            return _conflict_page(editor, form, custom_form, write_request, edit, rejection)
        form[rejection.field].errors = (rejection.problem,)
        return responses.rejected_response(editor, form, write_request, rejection)
    store.discard_after_save(editor.draft_key, write_request.fields)
    db.session.commit()
    return responses.saved_response(editor, result, write_request)


def _conflict_page(
    editor: Editor,
    form: EntryForm,
    custom_form: EntryForm,
    write_request: WriteRequest,
    edit: Edit,
    rejection: ValueRejected,
) -> ResponseReturnValue:
    """Show the conflict page again for a resolution that was rejected. The other resolutions are kept."""
    custom_form[rejection.field].errors = (rejection.problem,)
    resolutions = {name: resolution for name, resolution in edit.resolutions.items() if name != rejection.field}
    merged = merge_with_current(editor.client, editor.entry, replace(edit, resolutions=resolutions))
    return responses.conflict_response(
        editor, merged, custom_form, write_request, typed=form, confirmations=responses.confirmations_of(rejection)
    )


def _editor(client_id: int, entry: Entry, product_id: int | None = None, card: str = "") -> Editor:
    return editor_of(client_for(current_user, client_id, write=True), entry, current_user.id, product_id, card)


def _render_removal(editor: Editor, conflict: EntryChanged | None = None) -> ResponseReturnValue:
    if conflict and is_json():
        return error_response(409, str(conflict), version=editor.client.version)
    names = names_in(editor.client.id, conflict.newer_revisions) if conflict else {}
    page = render_template(
        "clients/editor/remove.html",
        client=editor.client,
        editor=editor,
        values=display_columns(editor.entry.kind, editor.row),
        valuation_count=queries.valuation_count(editor.row) if editor.entry.kind is PRODUCT else 0,
        changed=sentences.changes_by(conflict.newer_revisions, current_user, names) if conflict else [],
        presence=presence_on_client(editor.client, "viewing"),
    )
    return page, 409 if conflict else 200
