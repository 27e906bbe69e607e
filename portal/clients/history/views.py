"""Serve the history of a client record, and undo its changes."""

from dataclasses import replace
from functools import partial

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal import clock
from portal.clients.editor import conflicts, responses
from portal.clients.editor.editor import editor_of
from portal.clients.editor.forms import confirmed_amount
from portal.clients.history import revert as reverting
from portal.clients.history import timeline, undo_preview
from portal.clients.history.day_undo import WHOLE_DAY, undo_of_day
from portal.clients.history.day_undo_responses import revert_day
from portal.clients.history.filters import FIELDS, parse_history_filters
from portal.clients.history.revert import reason_from
from portal.clients.history.undo_preview import Preview
from portal.clients.history.undo_views import rejected_response, undo_page, undone_response
from portal.clients.permissions import client_for, client_for_access_management
from portal.clients.presence import presence_on_client
from portal.clients.records.entries import Entry
from portal.clients.records.models import Client
from portal.clients.records.revisions import ClientRevision
from portal.clients.saving.edits import Edit, EditConflict, EntryChanged, Saved, ValueRejected
from portal.clients.saving.merging import merge_with_current
from portal.clients.saving.write_request import WriteRequest, write_request_from
from portal.clients.sharing.grants import affects_access
from portal.clients.wording import sentences
from portal.editing.drafts import store
from portal.editing.merge.budget import Budget
from portal.extensions import db
from portal.web.request_body import request_fields

blueprint = Blueprint("client_history", __name__, url_prefix="/clients/<id:client_id>/history")
REVERT = "/<id:version>/revert"


@blueprint.get("")
def show(client_id: int) -> ResponseReturnValue:
    """Show the accepted changes, newest first, filtered by field and person."""
    return _render_history(client_for(current_user, client_id))


@blueprint.get(REVERT)
def ask_to_revert(client_id: int, version: int) -> ResponseReturnValue:
    """Show what undoing one change of one entry, or of all valuations that it entered, would do now."""
    client = client_for(current_user, client_id, write=True)
    if request.args.get("entry") == WHOLE_DAY:
        revision = reverting.revision_of(client, version)
        return undo_page(client, revision, undo_preview.preview_of_day(undo_of_day(client, revision), Budget()))
    revision, entry = _undoable(client, version, request.args.get("entry", ""))
    return undo_page(client, revision, _preview(client, revision, entry))


@blueprint.post(REVERT)
def revert(client_id: int, version: int) -> ResponseReturnValue:
    """Undo what one change did to one entry, or all valuations that it entered.

    Fields that other users have changed since are conflicts (409).
    """
    client = client_for(current_user, client_id, write=True)
    write_request = write_request_from(current_user)
    if write_request.fields.get("entry") == WHOLE_DAY:
        return revert_day(undo_of_day(client, reverting.revision_of(client, version)), write_request)
    revision, entry = _undoable(client, version, write_request.fields.get("entry", ""))
    try:
        edit = Edit(write_request.context, reason=reason_from(write_request.fields))
    except ValueRejected as error:
        return _rejected_response(client, revision, entry, error)
    if entry.prefix in revision.changes:
        return _revert_part(client, revision, entry, edit, write_request)
    return _revert_values(client, revision, entry, edit, write_request)


def _undoable(client: Client, version: int, prefix: str) -> tuple[ClientRevision, Entry]:
    """Return the revision and the entry to undo.

    Raises NotFound (404), InvalidInput (422), or NotAllowed (403) for a change of access without that permission.
    """
    revision = reverting.revision_of(client, version)
    entry = reverting.entry_in(revision, prefix)
    if affects_access(entry, revision):
        client_for_access_management(current_user, client.id)
    return revision, entry


def _revert_part(
    client: Client, revision: ClientRevision, entry: Entry, edit: Edit, write_request: WriteRequest
) -> ResponseReturnValue:
    """Remove a part that the change added, or restore one that it removed."""
    try:
        saved = reverting.revert(client, revision, entry, edit)
    except (EntryChanged, ValueRejected) as error:
        db.session.rollback()
        return _rejected_response(client, revision, entry, error)
    return _undone_response(client, revision, entry, saved, write_request)


def _revert_values(
    client: Client, revision: ClientRevision, entry: Entry, edit: Edit, write_request: WriteRequest
) -> ResponseReturnValue:
    editor = editor_of(client, entry, current_user.id)
    custom_form = conflicts.make_custom_form(editor, request_fields())
    resolutions = conflicts.parse_resolutions(custom_form, write_request.fields, custom_form.field_names())
    amount = confirmed_amount(editor.make_form(request_fields()))
    edit = replace(edit, resolutions=resolutions, confirmed_amount=amount)
    try:
        saved = reverting.revert(client, revision, entry, edit, _only(write_request))
    except EditConflict as conflict:
        db.session.rollback()
        return responses.conflict_response(
            editor, conflict.merged, custom_form, write_request, undoing=revision.version
        )
    except ValueRejected as error:
        db.session.rollback()
        if error.field not in resolutions or write_request.wants_json:
            return _rejected_response(client, revision, entry, error)
        # A rejected resolution: show the conflict page again and keep the other resolutions.
        custom_form[error.field].errors = (error.problem,)
        others = {name: resolution for name, resolution in resolutions.items() if name != error.field}
        undo = reverting.as_undo(revision, entry, replace(edit, resolutions=others), _only(write_request))
        merged = merge_with_current(client, entry, undo)
        return responses.conflict_response(
            editor,
            merged,
            custom_form,
            write_request,
            undoing=revision.version,
            confirmations=responses.confirmations_of(error),
        )
    store.discard_after_save(editor.draft_key, write_request.fields)
    return _undone_response(client, revision, entry, saved, write_request)


def _only(write_request: WriteRequest) -> list[str]:
    return write_request.fields.get("only", "").split()


def _undone_response(
    client: Client, revision: ClientRevision, entry: Entry, saved: Saved, write_request: WriteRequest
) -> ResponseReturnValue:
    only = _only(write_request)
    keys = [entry.key(name) for name in only] or revision.changes
    message = _undone_message(revision, entry, only)
    return undone_response(client, revision, saved, write_request, keys=keys, message=message)


def _undone_message(revision: ClientRevision, entry: Entry, only: list[str]) -> str:
    if not only:
        return f"Change {revision.version} is undone."
    return f"{sentences.join_words([entry.kind.labels[name] for name in only])} is as you had it."


def _rejected_response(
    client: Client, revision: ClientRevision, entry: Entry, error: EntryChanged | ValueRejected
) -> ResponseReturnValue:
    return rejected_response(client, revision, partial(_preview, client, revision, entry), error)


def _preview(client: Client, revision: ClientRevision, entry: Entry) -> Preview:
    return undo_preview.preview(client, revision, entry, current_user, Budget())


def _render_history(client: Client) -> str:
    filters = parse_history_filters(request.args)
    items, paging = timeline.page_of_history(client, filters, current_user)
    return render_template(
        "clients/history/history.html",
        client=client,
        items=items,
        paging=paging,
        filters=filters,
        fields=FIELDS,
        people=timeline.people_in(client),
        now=clock.now(),
        may_edit=current_user.may_write,
        own_url=url_for(".show", client_id=client.id, **filters.query()),
        page_url=lambda number: url_for(".show", client_id=client.id, **filters.query(page=number)),
        presence=presence_on_client(client, "viewing"),
    )
