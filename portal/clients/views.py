"""The client pages: the list, one client, its editor and what a stale save is answered."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal import clock
from portal.auth.access import require_sign_in
from portal.clients import choices, operations, queries
from portal.clients.access import client_for
from portal.clients.filters import SORTS, filters_from
from portal.clients.forms import ClientForm, shown
from portal.clients.models import Client
from portal.errors import StaleVersion
from portal.extensions import db
from portal.presence.display import PagePresence, list_heartbeat_seconds, presence_of

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
    return _editor(client, _form(client))


@blueprint.post(f"{CLIENT_PATH}/edit")
def save(client_id: int) -> ResponseReturnValue:
    """Save what was typed; a stale save changes nothing and shows what is there now (409)."""
    client = client_for(current_user, client_id, write=True)
    form = _form(client)
    if not form.validate():
        return _editor(client, form), 422
    try:
        operations.save_client(client, form.base_version, form.values(), by=current_user)
    except StaleVersion:
        db.session.rollback()
        return _conflict(client_id, form), 409
    db.session.commit()
    flash("Your changes are saved.")
    return redirect(url_for(".show", client_id=client_id))


def _form(client: Client) -> ClientForm:
    """On what was sent, else on the record; a field that was not sent keeps the record's value."""
    form = ClientForm(obj=client)
    form.offer_advisers(_advisers_for(client))
    return form


def _advisers_for(client: Client) -> dict[int, str]:
    """Who may look after the client, and who does: without that one a save would silently take the client away."""
    names = dict(queries.advisers())
    if client.adviser_id:
        names.setdefault(client.adviser_id, queries.name_of(client.adviser_id))
    return names


def _editor(client: Client, form: ClientForm) -> str:
    return render_template("clients/edit.html", client=client, form=form, presence=_presence(client, "editing"))


def _conflict(client_id: int, form: ClientForm) -> str:
    client = client_for(current_user, client_id, write=True)
    # Saving again from here is a choice made knowing this version, and is guarded by it in turn.
    form.version.data = client.version
    form.version.raw_data = None
    form.offer_advisers(_advisers_for(client))
    return render_template(
        "clients/conflict.html",
        client=client,
        form=form,
        differences=form.differences(client, shown),
        changed_by_name=queries.name_of(client.updated_by) or "Somebody",
        changed_at=client.updated_at,
        now=clock.now(),
        presence=_presence(client, "editing"),
    )


def _presence(client: Client, activity: str) -> PagePresence:
    return presence_of(f"client-{client.id}", activity, client.name)


def _list_url(query: dict[str, Any]) -> str:
    return url_for(".list_clients", **query)
