"""Serve the client list and its search."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal import audit, clock
from portal.audit import Event
from portal.auth import directory
from portal.clients.listing import queries as listing_queries
from portal.clients.listing.csv_rows import csv_of_clients
from portal.clients.listing.filters import SORTS, VIEWS, ListFilters, parse_filters
from portal.clients.listing.queries import ListPage
from portal.clients.records import choices
from portal.clients.search.evidence import explain
from portal.errors import InvalidInput
from portal.extensions import db
from portal.formatting import gbp
from portal.integers import MAX_INTEGER
from portal.presence.context import list_heartbeat_seconds
from portal.web.actor import current_actor
from portal.web.csv_response import csv_response
from portal.web.pagination import parse_number
from portal.web.session_cookie import identity

blueprint = Blueprint("client_list", __name__)
MAX_CLIENTS_IN_ORDER = 500
MAX_CLIENTS_NAMED = 200
MAX_CSV_ROWS = 100_000


@blueprint.get("/clients")
def list_clients() -> ResponseReturnValue:
    """Search, filter, sort and page through the clients."""
    filters, page = _requested_page(_requested_filters())
    return render_template(
        "clients/listing/list.html",
        clients=page.rows,
        evidence={row.id: explain(row, filters.search) for row in page.rows} if filters.search else {},
        paging=page.paging,
        filters=filters,
        counts=page.counts,
        views=VIEWS if current_user.may_advise else {key: VIEWS[key] for key in VIEWS if key != "mine"},
        advisers=directory.advisers(),
        statuses=choices.CLIENT_STATUSES,
        sorts=SORTS,
        heartbeat_seconds=list_heartbeat_seconds("client"),
        page_url=lambda number: _list_url(filters.query(page=number)),
        sort_url=lambda key: _list_url(filters.sorted_by(key)),
        view_url=lambda view: _list_url(filters.in_view(view).query(page=1)),
        sum_url=_list_url(filters.query(page=1, sort="name"), ".show_sum"),
        order_url=_list_url(filters.query(page=1), ".show_order"),
        csv_url=_list_url(filters.query(page=1), ".export"),
        today=clock.today(),
        unfiltered_url=_list_url({"view": filters.view}),
    )


@blueprint.get("/clients/sum")
def show_sum() -> ResponseReturnValue:
    """Return the sum of the values of a view, as text for the list."""
    return {"total": gbp(listing_queries.sum_of_view(_filters_of_view(), clock.today(), current_user))}


@blueprint.get("/clients/order")
def show_order() -> ResponseReturnValue:
    """Return the clients of a view in their order, at most MAX_CLIENTS_IN_ORDER from the number `start`.

    With `client`, it returns those of the named clients that are in the view, which reads no other client.
    """
    start = parse_number(request.args.get("start", ""), MAX_INTEGER) or 1
    found = listing_queries.order_of_view(
        _filters_of_view(), clock.today(), current_user, start, limit=MAX_CLIENTS_IN_ORDER, among=_named_clients()
    )
    return {"start": start, "clients": found}


@blueprint.get("/clients.csv")
def export() -> ResponseReturnValue:
    """Return all clients of a view as CSV, in its order. The audit log records the export."""
    filters, today = _filters_of_view(), clock.today()
    found = listing_queries.order_of_view(filters, today, current_user, start=1, limit=MAX_CSV_ROWS)
    names = sorted(name for name, value in filters.query(page=1, sort="name").items() if value)
    audit.record(Event.EXPORTED, current_actor(), what="clients", rows=len(found), view=filters.view, filters=names)
    db.session.commit()
    lines = csv_of_clients([number for number, _ in found], today, identity())
    name = f"clients-{filters.view.replace('_', '-')}-{today.isoformat()}.csv"
    return csv_response(lines, name)


def _named_clients() -> set[int] | None:
    """Return the numbers of the clients that the address names, None if it names none. Raises InvalidInput (422)."""
    named = request.args.getlist("client")
    if len(named) > MAX_CLIENTS_NAMED:
        raise InvalidInput("client", f"name at most {MAX_CLIENTS_NAMED} clients, such as ?client=1&client=2")
    numbers = {parse_number(each, MAX_INTEGER) for each in named}
    return {number for number in numbers if number} if named else None


def _requested_filters() -> ListFilters:
    """Return the filters of the address. Users that cannot advise clients have no view of their own clients."""
    filters = parse_filters(request.args)
    return filters if filters.view != "mine" or current_user.may_advise else filters.in_view("all")


def _filters_of_view() -> ListFilters:
    filters = _requested_filters()
    return filters.in_view(filters.view or "all")


def _requested_page(filters: ListFilters) -> tuple[ListFilters, ListPage]:
    """Return the requested page, with the view that was chosen for an address without one."""
    today = clock.today()
    if filters.search:
        filters = filters.in_view(filters.view or "all")
        return filters, listing_queries.page_of_search(filters, today, current_user)
    counts = listing_queries.count_views(filters, today, current_user)
    filters = filters.in_view(filters.view or _first_view(counts))
    return filters, listing_queries.page_of_view(filters, counts, today, current_user)


def _first_view(counts: Mapping[str, int]) -> str:
    """Return the view of an address that names none: an adviser's own clients if the address says nothing else."""
    is_start = not request.args and current_user.role == "adviser"
    return "mine" if is_start and counts["mine"] else "all"


def _list_url(query: dict[str, Any], endpoint: str = ".list_clients") -> str:
    return url_for(endpoint, **query)
