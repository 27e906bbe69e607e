"""Serve the read log and its CSV to administrators and compliance. Looking at it is an audit event."""

from collections.abc import Iterator

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal.audit import Event
from portal.auth.oversight_csv import MAX_CSV_ROWS, csv_lines
from portal.auth.permissions import require_oversight
from portal.clients.reads import queries
from portal.clients.reads.filters import ReadFilters, parse_read_filters
from portal.clients.reads.queries import COLUMNS, ReadRow, Selection
from portal.errors import InvalidInput
from portal.extensions import db
from portal.web import session_cookie
from portal.web.actor import current_actor
from portal.web.csv_response import csv_response
from portal.web.day_range import problems_in
from portal.web.session_cookie import Identity

blueprint = Blueprint("reads", __name__)
blueprint.before_request(require_oversight)
PAGE_SIZE = 100


@blueprint.get("/reads")
def show() -> ResponseReturnValue:
    """Show which users have read which clients, newest first."""
    filters, problems = parse_read_filters(request.args), problems_in(request.args)
    try:
        selection = queries.select_by(filters)
    except InvalidInput as error:
        selection, problems = Selection(filters, None, None), problems | {error.field: error.problem}
    found = [] if problems else queries.reads(selection, PAGE_SIZE + 1)
    rows = found[:PAGE_SIZE]
    page = render_template(
        "clients/reads/reads.html",
        rows=rows,
        selection=selection,
        filters=filters,
        days=filters.shown(request.args),
        problems=problems,
        older=filters.query_string(before=str(rows[-1].cursor)) if len(found) > PAGE_SIZE else None,
        newest=filters.query_string(before="") if filters.before else None,
        export=filters.query_string(before=""),
    )
    if not problems:
        queries.record_look(current_actor(), Event.READS_VIEWED, selection)
        db.session.commit()
    return page, 422 if problems else 200


@blueprint.get("/reads.csv")
def export() -> ResponseReturnValue:
    """Return the filtered rows as CSV, newest first."""
    for field, problem in problems_in(request.args).items():
        raise InvalidInput(field, problem)
    filters = parse_read_filters(request.args)
    queries.record_look(current_actor(), Event.EXPORTED, queries.select_by(filters), what="reads")
    db.session.commit()
    return csv_response(_csv_lines(filters, session_cookie.identity()), "reads.csv")


def _csv_lines(filters: ReadFilters, identity: Identity) -> Iterator[str]:
    return csv_lines(COLUMNS, _batches(filters), identity, lambda rows, _reader: (row.cells() for row in rows))


def _batches(filters: ReadFilters) -> Iterator[list[ReadRow]]:
    """Yield the rows. Reads nothing before the first batch, because the head is sent without a transaction."""
    yield from queries.all_reads(queries.select_by(filters), MAX_CSV_ROWS)
