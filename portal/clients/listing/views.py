"""Serve the client list and its search."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal import clock
from portal.auth import directory
from portal.clients.listing import queries as listing_queries
from portal.clients.listing.filters import SORTS, parse_filters
from portal.clients.records import choices
from portal.presence.context import list_heartbeat_seconds

blueprint = Blueprint("client_list", __name__)


@blueprint.get("/")
def home() -> ResponseReturnValue:
    return redirect(url_for(".list_clients"))


@blueprint.get("/clients")
def list_clients() -> ResponseReturnValue:
    """Search, filter, sort and page through the clients."""
    filters = parse_filters(request.args)
    clients, paging = listing_queries.page_of_clients(filters, clock.today(), current_user)
    return render_template(
        "clients/listing/list.html",
        clients=clients,
        paging=paging,
        filters=filters,
        advisers=directory.advisers(),
        statuses=choices.CLIENT_STATUSES,
        sorts=SORTS,
        heartbeat_seconds=list_heartbeat_seconds("client"),
        page_url=lambda number: _list_url(filters.query(page=number)),
        sort_url=lambda key: _list_url(filters.sorted_by(key)),
    )


def _list_url(query: dict[str, Any]) -> str:
    return url_for(".list_clients", **query)
