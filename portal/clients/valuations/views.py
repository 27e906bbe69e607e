"""Serve the grid in which a user enters the valuations of all products of a client for one day."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.datastructures import MultiDict

from portal import clock
from portal.clients.editor import conflicts
from portal.clients.editor.form_fields import EntryForm
from portal.clients.permissions import client_for
from portal.clients.presence import edit_warning_on_client, presence_on_client
from portal.clients.records.models import Client
from portal.clients.saving.day_merging import day_history, merge_day
from portal.clients.saving.edits import Edit, EditConflict, Saved
from portal.clients.saving.valuations import ProductsRemoved, RejectedAmounts, rejection_of, save_valuations
from portal.clients.saving.write_request import WriteRequest, write_request_from
from portal.clients.valuations.confirmations import (
    CONFIRM,
    confirmation_of,
    confirmed_amounts,
    conflict_page,
    rejected_amounts,
    show_problems,
    without_rejected,
)
from portal.clients.valuations.grid import (
    UNPLACED,
    DayGrid,
    FieldNames,
    GridForm,
    grid_of,
    is_amount_field,
    kept_gbp,
    open_grid,
    parse_day,
    sent_grid,
    url_of,
    with_removed_products,
)
from portal.clients.wording import sentences
from portal.clients.wording.names import names_in
from portal.dates import UnreadableDay, read
from portal.editing.base_version import BaseVersion
from portal.editing.drafts import store
from portal.editing.drafts.context import EditorDraft
from portal.editing.drafts.payload import draft_id_from, parse_draft
from portal.editing.merge.three_way import UNKNOWN
from portal.errors import InvalidInput, NotAllowed, NotFound
from portal.extensions import db
from portal.formatting import day as day_in_words
from portal.presence.context import EditWarning
from portal.web.request_body import reject_unknown_fields, request_fields

blueprint = Blueprint("client_valuations", __name__, url_prefix="/clients/<id:client_id>/valuations")


@blueprint.get("")
def show(client_id: int) -> ResponseReturnValue:
    """Show the grid of a day, today by default, with the newest draft of it."""
    client = client_for(current_user, client_id, write=True)
    text = request.args.get("day")
    day = parse_day(text) if text else clock.today()
    if day is None:
        raise InvalidInput("day", "must be a day such as 2026-12-08 and not in the future")
    grid = grid_of(client, day, current_user.id)
    warning = edit_warning_on_client(client, current_user.id, grid.back_url)
    return _page(grid, *open_grid(grid), warning=warning)


@blueprint.post("")
def save(client_id: int) -> ResponseReturnValue:
    """Save the amounts as one change. Returns 409 with the conflict page for amounts that another user has changed.

    If the day is another one than the page showed, nothing is saved: the response leads to the grid of that day, with
    what was typed as its draft.
    """
    try:
        try:
            return _save(client_for(current_user, client_id, write=True))
        except ProductsRemoved:  # between two statements of this request
            db.session.rollback()
            return _save(client_for(current_user, client_id, write=True))
    except (NotFound, NotAllowed) as error:
        error.typed = {
            GridForm.LABELS.get(name, name): text
            for name, text in request.form.items()
            if text and (is_amount_field(name) or name == UNPLACED)
        }
        raise


def _save(client: Client) -> ResponseReturnValue:
    write_request = write_request_from(current_user)
    fields = request_fields()
    shown_on = parse_day(fields.get("shown_on", ""))
    day = _typed_day(fields) or shown_on or clock.today()
    grid = grid_of(client, day, current_user.id)
    if shown_on and shown_on != day and not write_request.wants_json:
        return _show_other_day(grid_of(client, shown_on, current_user.id), day, write_request)
    form = grid.make_form(fields if write_request.wants_json else with_removed_products(grid, fields))
    reject_unknown_fields({*conflicts.fields_of(form), CONFIRM})
    if not form.validate():
        return _rejected_form(grid, form, write_request)
    custom_form = conflicts.make_custom_form(grid, fields)
    resolutions = conflicts.parse_resolutions(custom_form, fields, form.field_names())
    edit = Edit(write_request.context, _amounts(form), resolutions, proceeded=bool(fields.get("proceeded")))
    try:
        saved = save_valuations(client, day, edit, confirmed_amounts(fields))
    except (EditConflict, RejectedAmounts) as problem:
        db.session.rollback()
        if isinstance(problem, EditConflict):
            response = conflict_page(grid, problem.merged, custom_form, write_request, typed=form)
        else:
            response = _rejected_amounts(grid, form, custom_form, write_request, edit, problem)
        return response
    store.discard_after_save(grid.draft_key, fields)
    db.session.commit()
    return _saved(grid, saved, write_request)


def _amounts(form: EntryForm) -> dict[str, Decimal]:
    """Return the valid amounts of the form by field."""
    sent = form.sent_values()
    return {name: amount for name, amount in sent.items() if amount is not None and not form[name].errors}


def _rejected_form(grid: DayGrid, form: EntryForm, write_request: WriteRequest) -> ResponseReturnValue:
    """Name the wrong cells together with the unusual amounts of the others, so that the user corrects all at once."""
    if form["valued_on"].errors:
        return _rejected(grid, form, write_request)
    edit, confirmed = Edit(write_request.context, _amounts(form)), confirmed_amounts(request_fields())
    rejection = rejection_of(merge_day(grid.client, grid.day, edit), grid.day, edit, confirmed)
    if rejection is None:
        return _rejected(grid, form, write_request)
    show_problems(form, rejection)
    return _rejected(grid, form, write_request, rejection.to_confirm)


def _typed_day(fields: Mapping[str, str]) -> date | None:
    try:
        day = read(fields.get("valued_on", ""))
    except UnreadableDay:
        return None
    return parse_day(day.isoformat())


def _show_other_day(grid: DayGrid, day: date, write_request: WriteRequest) -> ResponseReturnValue:
    """Lead to the grid of another day. What was typed into `grid` becomes a draft of that day."""
    fields, client = write_request.fields, grid.client
    shown = _shown_amounts(grid, write_request.context.base_version)
    form = grid.make_form(MultiDict(fields))
    untouched = {name for name in grid.labels if form[name].data is not None and form[name].data == shown[name]}
    sent = {name: text for name, text in fields.items() if is_amount_field(name) or name == UNPLACED}
    typed = {name: text for name, text in sent.items() if text.strip() and name not in untouched}
    try:
        payload = parse_draft({"version": client.version, "values": typed}, FieldNames())
    except InvalidInput as problem:
        form["valued_on"].errors = (f"What you typed cannot be taken to another day: its texts {problem.problem}.",)
        return _rejected(grid, form, write_request)
    draft_id = draft_id_from(fields.get("draft", ""))
    store.lock_drafts(current_user.id)
    store.discard_after_save(grid.draft_key, fields)
    if typed:
        store.save(replace(grid, day=day).draft_key, draft_id or store.new_id(), payload)
        flash(f"This is the grid of {day_in_words(day)} now. Nothing is saved yet.")
    db.session.commit()
    return redirect(url_of(client.id, day))


def _shown_amounts(grid: DayGrid, base_version: BaseVersion) -> dict[str, Decimal | None]:
    """Return the amounts that the grid has shown, also those that other users saved while it was open."""
    history, saved = day_history(grid.client, grid.day, base_version), grid.saved
    shown = {name: history.amount_at(name, base_version.version_of(name), saved[name]) for name in grid.labels}
    return {name: saved[name] if amount is UNKNOWN else amount for name, amount in shown.items()}


def _rejected_amounts(
    grid: DayGrid,
    form: EntryForm,
    custom_form: EntryForm,
    write_request: WriteRequest,
    edit: Edit,
    rejection: RejectedAmounts,
) -> ResponseReturnValue:
    """Show the grid again, or the conflict page for its custom values. The other resolutions are kept."""
    if not rejection.problems.keys() <= edit.resolutions.keys() or write_request.wants_json:
        show_problems(form, rejection)
        return _rejected(grid, form, write_request, rejection.to_confirm)
    merged = merge_day(grid.client, grid.day, without_rejected(edit, rejection))
    return conflict_page(grid, merged, custom_form, write_request, rejection=rejection, typed=form)


def _rejected(
    grid: DayGrid,
    form: EntryForm,
    write_request: WriteRequest,
    to_confirm: Mapping[str, Decimal] = MappingProxyType({}),
) -> ResponseReturnValue:
    """Return 422 with each error beside its cell, and with the controls that confirm unusual amounts."""
    if write_request.wants_json:
        errors = {name: " ".join(map(str, texts)) for name, texts in form.errors.items() if name is not None}
        return rejected_amounts(errors, to_confirm)
    confirmations = {name: confirmation_of(name, amount) for name, amount in to_confirm.items()}
    return _page(grid, *sent_grid(grid, form, request_fields()), confirmations=confirmations), 422


def _saved(grid: DayGrid, saved: Saved, write_request: WriteRequest) -> ResponseReturnValue:
    names = names_in(grid.client.id, saved.merged_with)
    if write_request.wants_json:
        merged_with = [sentences.describe_revision(revision, names) for revision in saved.merged_with]
        return {"status": "saved", "version": saved.version, "merged_with": merged_with}
    if saved.is_change:
        flash(sentences.saved_message(saved, write_request.by, names))
    else:
        flash(f"No valuation of {day_in_words(grid.day)} was to be changed.")
    return redirect(grid.back_url)


def _page(
    grid: DayGrid,
    form: EntryForm,
    draft: EditorDraft,
    *,
    confirmations: Mapping[str, str] | None = None,
    warning: EditWarning | None = None,
) -> str:
    if "proceeded" in request.args:
        form.proceeded.data = "1"
    return render_template(
        "clients/valuations/grid.html",
        client=grid.client,
        grid=grid,
        form=form,
        draft=draft,
        totals=grid.totals(form),
        kept_gbp=kept_gbp,
        confirmations=confirmations or {},
        confirmed=request.form.getlist(CONFIRM),
        own_url=grid.url,
        now=clock.now(),
        presence=presence_on_client(grid.client, "editing", warning=warning, day=grid.day),
    )
