"""Undo all valuations that a change entered for one day, and ask product by product about later changes."""

from dataclasses import replace
from functools import partial

from flask.typing import ResponseReturnValue

from portal.clients.editor import conflicts
from portal.clients.editor.form_fields import EntryForm
from portal.clients.history import undo_preview
from portal.clients.history.day_undo import DayUndo
from portal.clients.history.revert import reason_from
from portal.clients.history.undo_views import rejected_response, undone_response
from portal.clients.saving.edits import Edit, EditConflict, ValueRejected
from portal.clients.saving.merging import reject_future_version
from portal.clients.saving.valuations import RejectedAmounts
from portal.clients.saving.write_request import WriteRequest
from portal.clients.valuations.confirmations import (
    confirmed_amounts,
    conflict_page,
    rejected_amounts,
    without_rejected,
)
from portal.clients.valuations.grid import DayGrid, grid_of
from portal.editing.drafts import store
from portal.editing.merge.budget import Budget
from portal.errors import InvalidInput
from portal.extensions import db
from portal.web.request_body import request_fields


def revert_day(undo: DayUndo, write_request: WriteRequest) -> ResponseReturnValue:
    """Undo the change as one change. The conflict page is that of the grid. Raises ProductsRemoved (409)."""
    client, revision, fields = undo.client, undo.revision, request_fields()
    reject_future_version(client, write_request.context.base_version)
    if fields.get("only"):
        raise InvalidInput("only", "limits an undo of one entry, not of valuations")
    try:
        edit = Edit(write_request.context, reason=reason_from(fields))
    except ValueRejected as error:
        return rejected_response(client, revision, partial(undo_preview.preview_of_day, undo, Budget()), error)
    grid = grid_of(client, undo.day, write_request.by.id)
    custom_form = conflicts.make_custom_form(grid, fields)
    edit = replace(edit, resolutions=conflicts.parse_resolutions(custom_form, fields, list(undo.values)))
    try:
        saved = undo.save(edit, confirmed_amounts(fields))
    except (EditConflict, RejectedAmounts) as problem:
        db.session.rollback()
        if isinstance(problem, EditConflict):
            return conflict_page(grid, problem.merged, custom_form, write_request, undoing=revision.version)
        return _rejected_amounts(undo, grid, custom_form, write_request, edit, problem)
    store.discard_after_save(grid.draft_key, fields)
    message = f"Change {revision.version} is undone."
    return undone_response(client, revision, saved, write_request, keys=revision.changes, message=message)


def _rejected_amounts(
    undo: DayUndo,
    grid: DayGrid,
    custom_form: EntryForm,
    write_request: WriteRequest,
    edit: Edit,
    rejection: RejectedAmounts,
) -> ResponseReturnValue:
    """Show the conflict page again for its custom values. The other resolutions are kept."""
    if write_request.wants_json:
        return rejected_amounts(rejection.problems, rejection.to_confirm)
    merged, version = undo.merged(without_rejected(edit, rejection)), undo.revision.version
    return conflict_page(grid, merged, custom_form, write_request, rejection=rejection, undoing=version)
