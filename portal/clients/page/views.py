"""The client pages that only show: the list, one client, one of its products. Editors: editor_views.py."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal import clock
from portal.auth.permissions import require_sign_in
from portal.clients.history import timeline
from portal.clients.listing.filters import SORTS, filters_from
from portal.clients.page.movement import movement_of
from portal.clients.page.own_drafts import own_drafts_of
from portal.clients.page.value_chart import moved_since
from portal.clients.permissions import client_for, client_with_names, may_grant
from portal.clients.presence import presence_on_client
from portal.clients.records import choices, queries
from portal.clients.records.entries import PRODUCT, Entry
from portal.clients.saving.merging import row_of
from portal.clients.wording import overruled
from portal.editing.drafts import store
from portal.presence.context import list_heartbeat_seconds
from portal.web.pagination import page_from

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
    clients, paging = queries.page_of_clients(filters, clock.today(), current_user)
    return render_template(
        "clients/listing/list.html",
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
    mine = store.written_on(current_user.id, f"client-{client_id}")
    client, written = client_with_names(current_user, client_id, mine)
    value_history = queries.value_history(client, clock.today())
    since = moved_since(value_history)
    products = queries.products_of(client, clock.today(), since)
    valued = [product.latest_amount_gbp for product in products if product.latest_amount_gbp is not None]
    return render_template(
        "clients/page/client.html",
        client=client,
        adviser_name=queries.name_of(client.adviser_id),
        updated_by_name=queries.name_of(client.updated_by),
        people=queries.people_of(client),
        products=products,
        total_gbp=sum(valued) if valued else None,
        value_history=value_history,
        movement=movement_of([(row.earlier_amount_gbp, row.latest_amount_gbp) for row in products], since),
        latest=timeline.latest(client, current_user),
        overruled=overruled.notices_for(current_user.id, client),
        own_drafts=own_drafts_of(client, current_user, store.written_from(written)),
        today=clock.today(),
        now=clock.now(),
        may_edit=current_user.may_write,
        may_grant=may_grant(current_user, client),
        presence=presence_on_client(client, "viewing"),
    )


@blueprint.get(f"{CLIENT_PATH}/product/<int(min=1, max=2147483647):product_id>")
def show_product(client_id: int, product_id: int) -> ResponseReturnValue:
    """One product with all its valuations. Raises EntryGone (409) for one that was removed."""
    client = client_for(current_user, client_id)
    product = row_of(client, Entry(PRODUCT, product_id))
    valuations, paging = queries.valuations_of(product, page_from(request.args))
    return render_template(
        "clients/page/product.html",
        client=client,
        product=product,
        product_type=choices.PRODUCT_TYPES[product.product_type],
        valuations=valuations,
        paging=paging,
        page_url=lambda number: url_for(".show_product", client_id=client.id, product_id=product.id, page=number),
        may_edit=current_user.may_write,
        overruled=overruled.notices_for(current_user.id, client),
        now=clock.now(),
        presence=presence_on_client(client, "viewing"),
    )


def _list_url(query: dict[str, Any]) -> str:
    return url_for(".list_clients", **query)
