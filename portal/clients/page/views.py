"""Serve the client page and the product page. Both only read."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import null

from portal import clock
from portal.auth import directory
from portal.clients.history import timeline
from portal.clients.notes.composer import open_composer
from portal.clients.notes.filters import parse_note_filters
from portal.clients.notes.queries import page_of_notes
from portal.clients.page.movement import movement_of
from portal.clients.page.own_drafts import own_drafts_of
from portal.clients.page.since_visit import MAX_REVISIONS, names_on_page, since_visit
from portal.clients.page.value_chart import last_different_on, value_chart
from portal.clients.permissions import can_manage_access, can_redact_notes, client_for, client_with_names
from portal.clients.presence import presence_on_client
from portal.clients.records import choices, queries
from portal.clients.saving.merging import product_of
from portal.clients.visits.changes import last_visit, parse_last_visit
from portal.clients.visits.views import MIN_VISIT_SECONDS
from portal.clients.wording import overruled
from portal.editing.drafts import store
from portal.web.pagination import parse_page
from portal.web.session_cookie import is_user_activity

blueprint = Blueprint("clients", __name__)
CLIENT_PATH = "/clients/<id:client_id>"


@blueprint.get(CLIENT_PATH)
def show(client_id: int) -> ResponseReturnValue:
    """Show one client with its people, products and latest changes."""
    drafts = store.summaries_on(current_user.id, f"client-{client_id}")
    # A page that reloads itself keeps its strip and marks, so the reload must bring none.
    visit = last_visit(current_user.id, client_id, MAX_REVISIONS + 1) if is_user_activity() else null()
    is_overruled = overruled.has_notices(current_user.id, client_id)
    client, (written, visited, has_notices) = client_with_names(current_user, client_id, drafts, visit, is_overruled)
    value_history = queries.value_history(client, clock.today())
    since = last_different_on(value_history)
    people = queries.people_of(client)
    products = queries.products_of(client, clock.today(), since)
    names = names_on_page(people, products)
    filters = parse_note_filters(request.args)
    notes, paging = page_of_notes(client, filters, current_user, clock.now())
    may_edit = current_user.may_write
    valued = [product.latest_amount_gbp for product in products if product.latest_amount_gbp is not None]
    return render_template(
        "clients/page/client.html",
        client=client,
        adviser_name=directory.name_of(client.adviser_id),
        updated_by_name=directory.name_of(client.updated_by),
        people=people,
        products=products,
        total_gbp=sum(valued) if valued else None,
        value_history=value_history,
        chart=value_chart(value_history),
        movement=movement_of([(row.earlier_amount_gbp, row.latest_amount_gbp) for row in products], since),
        latest=timeline.latest_items(client, current_user, names),
        overruled=overruled.notices_for(current_user.id, client) if has_notices else [],
        own_drafts=own_drafts_of(client, current_user, store.parse_summaries(written)),
        composer=open_composer(current_user.id, client, request.args.get("note_draft")) if may_edit else None,
        notes=notes,
        note_filters=filters,
        note_paging=paging,
        note_page_url=lambda page: url_for(
            ".show", client_id=client.id, **filters.query(note_page=page), _anchor="notes"
        ),
        kinds=choices.NOTE_KINDS,
        may_redact=can_redact_notes(current_user),
        today=clock.today(),
        now=clock.now(),
        may_edit=may_edit,
        may_grant=can_manage_access(current_user, client),
        since_visit=since_visit(client, parse_last_visit(visited), names),
        min_visit_seconds=MIN_VISIT_SECONDS,
        presence=presence_on_client(client, "viewing"),
    )


@blueprint.get(f"{CLIENT_PATH}/product/<id:product_id>")
def show_product(client_id: int, product_id: int) -> ResponseReturnValue:
    """Show one product with its valuations. Raises EntryRemoved (409) for a removed product."""
    client = client_for(current_user, client_id)
    product = product_of(client, product_id)
    valuations, paging = queries.valuations_of(product, parse_page(request.args))
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
