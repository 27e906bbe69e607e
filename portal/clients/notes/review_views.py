"""Mark the review of a client done: a note of the meeting and the day of the next review, in one save."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal import clock
from portal.clients.editor import conflicts
from portal.clients.editor.responses import rejected_form
from portal.clients.notes import composer
from portal.clients.notes.composer import Composer
from portal.clients.notes.forms import ReviewForm
from portal.clients.permissions import client_for
from portal.clients.presence import edit_warning_on_client, presence_on_client
from portal.clients.records.models import Client
from portal.clients.saving import reviews
from portal.clients.saving.edits import AddedBefore, Edit, EditConflict, ValueRejected
from portal.clients.saving.write_request import WriteRequest, write_request_from
from portal.clients.wording.sentences import author_name, capitalised
from portal.editing.drafts import store
from portal.editing.drafts.payload import draft_id_from
from portal.editing.merge.resolutions import Resolution
from portal.errors import NotAllowed, NotFound
from portal.extensions import db
from portal.formatting import day
from portal.presence.context import EditWarning
from portal.web.error_handlers import error_response
from portal.web.request_body import reject_unknown_fields, request_fields

blueprint = Blueprint("client_review", __name__, url_prefix="/clients/<id:client_id>/review")
DECIDE = f"decide-{reviews.FIELD}"


@dataclass(frozen=True)
class Question:
    """The next review that another user has saved since: whose it is, and on which day."""

    by: str
    theirs: date | None
    yours: date | None
    seen_version: int


@blueprint.get("")
def ask(client_id: int) -> ResponseReturnValue:
    """Show the form, with the newest draft of it."""
    client = client_for(current_user, client_id, write=True)
    back_url = url_for("clients.show", client_id=client.id)
    warning = edit_warning_on_client(client, current_user.id, back_url)
    return _page(client, composer.open_review(current_user.id, client), warning=warning)


@blueprint.post("")
def complete(client_id: int) -> ResponseReturnValue:
    """Save the note and the next review. Returns 409 with a question if another user has changed the next review."""
    try:
        return _complete(client_for(current_user, client_id, write=True))
    except (NotFound, NotAllowed) as error:
        sent = request_fields()
        error.typed = {ReviewForm.LABELS[name]: sent[name] for name in ReviewForm.field_names() if sent.get(name)}
        raise


def _complete(client: Client) -> ResponseReturnValue:
    write_request, form = write_request_from(current_user), composer.review_form(client, request_fields())
    reject_unknown_fields({*form._fields, "seen_version", DECIDE})
    submission = draft_id_from(write_request.fields.get("draft", ""))
    if not form.validate():
        return _rejected(client, form, write_request)
    note = {name: form[name].data for name in ReviewForm.NOTE_FIELDS}
    edit = Edit(
        write_request.context,
        {reviews.FIELD: form.next_review_on.data},
        _resolutions(write_request.fields),
        proceeded=bool(write_request.fields.get("proceeded")),
    )
    try:
        saved = reviews.complete_review(client, edit, note, submission)
    except (AddedBefore, EditConflict) as conflict:
        db.session.rollback()
        if isinstance(conflict, AddedBefore):
            response = _added_before(client, form, write_request, conflict)
        else:
            response = _conflict(client, form, write_request, conflict)
        return response
    except ValueRejected as rejection:
        db.session.rollback()
        form[rejection.field].errors = (rejection.problem,)
        return _rejected(client, form, write_request)
    store.discard_after_save(composer.review_key(current_user.id, client), write_request.fields)
    db.session.commit()
    if write_request.wants_json:
        return {"status": "saved", "version": saved.version, "key": saved.entry.prefix if saved.entry else ""}
    flash(f"The review is done. The next one is on {day(client.next_review_on)}.")
    return redirect(url_for("clients.show", client_id=client.id))


def _resolutions(fields: Mapping[str, str]) -> dict[str, Resolution]:
    choice = fields.get(DECIDE)
    return {reviews.FIELD: Resolution(choice)} if choice in ("theirs", "yours") else {}


def _rejected(client: Client, form: ReviewForm, write_request: WriteRequest) -> ResponseReturnValue:
    if write_request.wants_json:
        return rejected_form(form)
    return _page(client, composer.sent_review(current_user.id, client, form)), 422


def _added_before(
    client: Client, form: ReviewForm, write_request: WriteRequest, earlier: AddedBefore
) -> ResponseReturnValue:
    """Return 409 with a form that adds another note. The page contains everything that was typed."""
    if write_request.wants_json:
        return error_response(409, str(earlier), key=earlier.entry.prefix)
    return _page(client, composer.another(composer.sent_review(current_user.id, client, form), earlier)), 409


def _conflict(
    client: Client, form: ReviewForm, write_request: WriteRequest, conflict: EditConflict
) -> ResponseReturnValue:
    """Return 409 with the question. The page contains everything that was typed."""
    merged = conflict.merged
    if write_request.wants_json:
        detail = "Another user has changed the next review since. Decide, or start from the newest version."
        return error_response(409, detail, version=merged.version, conflicts=conflicts.conflict_to_dict(merged))
    revision = merged.last_change_of(reviews.FIELD)
    by = capitalised(author_name(revision)) if revision else "An import or a command"
    question = Question(by, client.next_review_on, form.next_review_on.data, merged.version)
    return _page(client, composer.sent_review(current_user.id, client, form), question), 409


def _page(
    client: Client, opened: Composer, question: Question | None = None, warning: EditWarning | None = None
) -> str:
    form = opened.form
    if "proceeded" in request.args:
        form.proceeded.data = "1"
    return render_template(
        "clients/notes/review.html",
        client=client,
        form=form,
        draft=opened.draft,
        question=question,
        added_before=opened.added_before,
        now=clock.now(),
        presence=presence_on_client(client, "editing", warning=warning),
    )
