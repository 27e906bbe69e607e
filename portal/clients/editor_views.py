"""The editors of a client record: the client's own fields, its people, products and valuations; adding and removing.

All save the same way: see operations.py. A browser sends forms, a program may send JSON with the same fields.
"""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal import clock
from portal.auth.access import require_sign_in
from portal.clients import answers, conflicts, draft_forms, operations, wording
from portal.clients.access import client_for, forbidden_columns
from portal.clients.answers import Asked
from portal.clients.editors import Editor, editor_of
from portal.clients.edits import Edit, EditConflict, EntryGone, EntryMoved, ValueRefused
from portal.clients.entries import CLIENT, KINDS, VALUATION, Entry
from portal.clients.models import Client
from portal.clients.readable import readable_columns
from portal.editing import drafts
from portal.editing.decisions import Decisions
from portal.error_handlers import answer
from portal.extensions import db
from portal.sent_forms import is_json, sent_form

blueprint = Blueprint("client_editors", __name__, url_prefix="/clients/<int(min=1, max=2147483647):client_id>")
blueprint.before_request(require_sign_in)
PART = "/<any(person, product, valuation):kind>/<int(min=1, max=2147483647):part_id>"
NEW_PART = "/<any(person, product):kind>/new"
NEW_VALUATION = "/product/<int(min=1, max=2147483647):product_id>/valuation/new"


@blueprint.get("/edit")
def edit_client(client_id: int) -> ResponseReturnValue:
    """The editor, on the record as it is now."""
    return _open(client_id, Entry(CLIENT))


@blueprint.post("/edit")
def save_client(client_id: int) -> ResponseReturnValue:
    """Save what was typed, merged with what others have saved since; what collides is asked about (409)."""
    return _save(client_id, Entry(CLIENT))


@blueprint.get(f"{PART}/edit")
def edit_part(client_id: int, kind: str, part_id: int) -> ResponseReturnValue:
    return _open(client_id, Entry(KINDS[kind], part_id))


@blueprint.post(f"{PART}/edit")
def save_part(client_id: int, kind: str, part_id: int) -> ResponseReturnValue:
    """As `save_client`."""
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
    """What would go, before it goes."""
    return _removal(_editor(client_id, Entry(KINDS[kind], part_id)))


@blueprint.post(f"{PART}/remove")
def remove_part(client_id: int, kind: str, part_id: int) -> ResponseReturnValue:
    """Remove the part, unless somebody has changed it since the page that asked (409)."""
    editor, asked = _editor(client_id, Entry(KINDS[kind], part_id)), answers.asked_by(current_user)
    name, owner_url = editor.name, editor.owner_url
    try:
        removed = operations.remove_part(editor.client, editor.entry, _edit(asked, editor.client, {}, {}))
    except EntryMoved as moved:
        db.session.rollback()
        return _removal(editor, moved)
    drafts.discard(editor.place)
    db.session.commit()
    if asked.speaks_json:
        return {"status": "removed", "version": removed.version, "key": editor.entry.prefix}
    flash(f"{name[0].upper()}{name[1:]} is removed.")
    return redirect(owner_url)


@blueprint.app_errorhandler(EntryGone)
def gone(error: EntryGone) -> ResponseReturnValue:
    """Somebody has removed the part. What was typed into its editor is shown, to be kept elsewhere."""
    db.session.rollback()
    if is_json():
        return answer(409, str(error))
    client = client_for(current_user, error.revision.client_id)
    page = render_template(
        "clients/gone.html",
        client=client,
        error=error,
        by=wording.name_or_source(error.revision),
        typed={label: request.form[name] for name, label in error.entry.kind.labels.items() if request.form.get(name)},
        now=clock.now(),
        presence=answers.presence_on(client, "viewing"),
    )
    return page, 409 if request.method == "POST" else 410


def _open(client_id: int, entry: Entry, product_id: int | None = None) -> str:
    editor = _editor(client_id, entry, product_id)
    form, draft = draft_forms.opened(editor, restore="draft" in request.args)
    form.proceeded.data = "1" if "proceeded" in request.args else ""
    return answers.editor_page(editor, form, draft)


def _save(client_id: int, entry: Entry, product_id: int | None = None) -> ResponseReturnValue:
    editor, asked = _editor(client_id, entry, product_id), answers.asked_by(current_user)
    form = editor.make_form(sent_form())
    if not form.validate():
        return answers.refused(editor, form, asked)
    third = editor.make_form(sent_form(), prefix=conflicts.THIRD_PREFIX)
    decisions = conflicts.decisions_from(third, asked.sent, form.field_names)
    edit = _edit(asked, editor.client, editor.values(form), decisions)
    try:
        if editor.is_new:
            result = operations.add_part(editor.client, entry.kind, edit, product_id)
        else:
            result = operations.save_entry(editor.client, entry, edit)
    except EditConflict as conflict:
        db.session.rollback()
        return answers.conflict(editor, conflict.merged, third, asked, typed=form)
    except ValueRefused as refused:
        db.session.rollback()
        form[refused.field].errors = (refused.problem,)
        return answers.refused(editor, form, asked)
    drafts.settle(editor.place, asked.sent)
    db.session.commit()
    return answers.saved(editor, result, asked)


def _editor(client_id: int, entry: Entry, product_id: int | None = None) -> Editor:
    return editor_of(client_for(current_user, client_id, write=True), entry, current_user.id, product_id)


def _edit(asked: Asked, client: Client, values: dict[str, Any], decisions: Decisions) -> Edit:
    return Edit(
        asked.origin,
        asked.by.id,
        values,
        forbidden=forbidden_columns(asked.by, client),
        decisions=decisions,
        source=asked.source,
        proceeded=bool(asked.sent.get("proceeded")),
    )


def _removal(editor: Editor, moved: EntryMoved | None = None) -> ResponseReturnValue:
    if moved and is_json():
        return answer(409, str(moved), version=editor.client.version)
    page = render_template(
        "clients/remove.html",
        client=editor.client,
        editor=editor,
        values=readable_columns(editor.entry.kind, editor.row),
        changed=wording.changes_by(moved.since, current_user) if moved else [],
        presence=answers.presence_on(editor.client, "viewing"),
    )
    return page, 409 if moved else 200
