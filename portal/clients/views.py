"""The client pages: the list, one client, its editor and what a stale save is answered."""

from functools import partial
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.datastructures import MultiDict

from portal import clock
from portal.auth.access import require_sign_in
from portal.clients import choices, conflicts, draft_forms, operations, queries, wording
from portal.clients.access import client_for
from portal.clients.edits import Edit, EditConflict, Merged
from portal.clients.entries import CLIENT, Entry
from portal.clients.filters import SORTS, filters_from
from portal.clients.forms import ClientForm
from portal.clients.models import Client
from portal.editing import drafts
from portal.editing.display import EditorDraft, values_of
from portal.editing.guard import Origin, origin_from
from portal.extensions import db
from portal.presence.display import PagePresence, list_heartbeat_seconds, presence_of
from portal.sent_forms import refuse_unknown_fields, sent_form

blueprint = Blueprint("clients", __name__)
blueprint.before_request(require_sign_in)
CLIENT_PATH = "/clients/<int(min=1, max=2147483647):client_id>"


@blueprint.get("/")
def home() -> ResponseReturnValue:
    return redirect(url_for(".list_clients"))


@blueprint.get("/clients")
def list_clients() -> ResponseReturnValue:
    """Search, filter, sort and page through the clients."""
    filters = filters_from(request.args)
    clients, paging = queries.page_of_clients(filters, clock.today())
    return render_template(
        "clients/list.html",
        clients=clients,
        paging=paging,
        filters=filters,
        advisers=queries.advisers(),
        statuses=choices.CLIENT_STATUSES,
        sorts=SORTS,
        heartbeat_seconds=list_heartbeat_seconds("client"),
        page_url=lambda number: _list_url(filters.query(page=number)),
        sort_url=lambda key: _list_url(filters.sorted_by(key)),
    )


@blueprint.get(CLIENT_PATH)
def show(client_id: int) -> ResponseReturnValue:
    """Everything about one client."""
    client = client_for(current_user, client_id)
    products = queries.products_of(client)
    valued = [product.latest_amount_gbp for product in products if product.latest_amount_gbp is not None]
    return render_template(
        "clients/show.html",
        client=client,
        adviser_name=queries.name_of(client.adviser_id),
        updated_by_name=queries.name_of(client.updated_by),
        people=queries.people_of(client),
        products=products,
        total_gbp=sum(valued) if valued else None,
        value_history=queries.value_history(client, clock.today()),
        today=clock.today(),
        now=clock.now(),
        may_edit=current_user.may_write,
        presence=_presence(client, "viewing"),
    )


@blueprint.get(f"{CLIENT_PATH}/edit")
def edit(client_id: int) -> ResponseReturnValue:
    """The editor, on the record as it is now."""
    client = client_for(current_user, client_id, write=True)
    form, draft = draft_forms.opened(_editor_of(client), restore="draft" in request.args)
    return _editor(client, form, draft)


@blueprint.post(f"{CLIENT_PATH}/edit")
def save(client_id: int) -> ResponseReturnValue:
    """Save what was typed, merged with what others have saved since; what collides is asked about (409)."""
    client = client_for(current_user, client_id, write=True)
    form = _form(client)
    refuse_unknown_fields(conflicts.fields_of(form))
    if not form.validate():
        return _editor(client, *draft_forms.sent_back(_editor_of(client), form)), 422
    sent, third = sent_form(), _form_on(client, sent_form(), prefix=conflicts.THIRD_PREFIX)
    values = form.sent_values()
    edit = Edit(
        origin_from(sent),
        values,
        decisions=conflicts.decisions_from(third, sent, list(values)),
        proceeded=bool(form.proceeded.data),
    )
    try:
        saved = operations.save_entry(client, Entry(CLIENT), edit, by=current_user)
    except EditConflict as conflict:
        db.session.rollback()
        return _conflict(client_id, form, third, conflict.merged, edit.origin), 409
    drafts.settle(_draft_place(client), sent_form())
    db.session.commit()
    flash(wording.saved(saved, current_user))
    return redirect(url_for(".show", client_id=client_id))


def _form(client: Client) -> ClientForm:
    """On what was sent, else on the record; a field that was not sent keeps the record's value."""
    return _form_on(client, sent_form() if request.method == "POST" else None)


def _form_on(client: Client, sent: MultiDict[str, str] | None, prefix: str = "") -> ClientForm:
    form = ClientForm(sent, obj=client, prefix=prefix)
    form.offer_advisers(_advisers_for(client))
    return form


def _editor_of(client: Client) -> draft_forms.Editor:
    return draft_forms.Editor(client, Entry(CLIENT), _draft_place(client), partial(_form_on, client))


def _draft_place(client: Client) -> drafts.Place:
    return drafts.Place(current_user.id, f"client-{client.id}", "record")


def _advisers_for(client: Client) -> dict[int, str]:
    """Who may look after the client, and who does: without that one a save would silently take the client away."""
    names = dict(queries.advisers())
    if client.adviser_id:
        names.setdefault(client.adviser_id, queries.name_of(client.adviser_id))
    return names


def _editor(client: Client, form: ClientForm, draft: EditorDraft) -> str:
    return render_template(
        "clients/edit.html",
        client=client,
        form=form,
        draft=draft,
        now=clock.now(),
        presence=_presence(client, "editing"),
    )


def _conflict(client_id: int, form: ClientForm, third: ClientForm, merged: Merged, origin: Origin) -> str:
    client = client_for(current_user, client_id, write=True)
    typed = {name: text for name, text in values_of(form).items() if form[name].raw_data}
    asked = conflicts.questions(merged, third, typed, sent_form(), origin, current_user)
    return render_template(
        "clients/conflict.html",
        client=client,
        form=form,
        typed=typed,
        questions=asked,
        merged=merged,
        together=wording.merged_quietly(merged, current_user),
        now=clock.now(),
        presence=_presence(client, "editing"),
    )


def _presence(client: Client, activity: str) -> PagePresence:
    changes_url = url_for("client_changes.changes", client_id=client.id)
    return presence_of(f"client-{client.id}", activity, client.name, version=client.version, changes_url=changes_url)


def _list_url(query: dict[str, Any]) -> str:
    return url_for(".list_clients", **query)
