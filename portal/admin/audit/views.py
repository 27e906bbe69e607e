"""Serve the audit page and its CSV to administrators and compliance."""

from collections.abc import Iterator

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal import audit
from portal.admin.audit import queries
from portal.admin.audit.details import describe_events
from portal.admin.audit.filters import AuditFilters, parse_filters
from portal.admin.audit.queries import AuditRow
from portal.audit import Event
from portal.audit.events import LABELS
from portal.auth import Profile
from portal.auth.oversight_csv import MAX_CSV_ROWS, csv_lines
from portal.auth.permissions import require_oversight
from portal.errors import InvalidInput
from portal.extensions import db
from portal.web import session_cookie
from portal.web.actor import current_actor
from portal.web.csv_response import csv_response
from portal.web.day_range import problems_in
from portal.web.session_cookie import Identity

blueprint = Blueprint("audit", __name__)
blueprint.before_request(require_oversight)
PAGE_SIZE = 100
COLUMNS = (
    *("at", "event", "actor", "actor_email", "profile", "profile_email", "about"),
    *("address", "user_agent", "request_id"),
)


@blueprint.get("/audit")
def show() -> ResponseReturnValue:
    filters, problems = parse_filters(request.args), problems_in(request.args)
    found = [] if problems else queries.events(filters, PAGE_SIZE + 1)
    rows = found[:PAGE_SIZE]
    page = render_template(
        "admin/audit/audit.html",
        rows=rows,
        filters=filters,
        days=filters.shown(request.args),
        problems=problems,
        labels=LABELS,
        details=describe_events([row.event for row in rows], current_user),
        older=filters.query_string(before=rows[-1].event.id) if len(found) > PAGE_SIZE else None,
        newest=filters.query_string(before=None) if filters.before else None,
        export=filters.query_string(before=None),
    )
    return page, 422 if problems else 200


@blueprint.get("/audit.csv")
def export() -> ResponseReturnValue:
    """Return the filtered events as CSV, newest first. The export itself is recorded in the audit log."""
    for field, problem in problems_in(request.args).items():
        raise InvalidInput(field, problem)
    filters = parse_filters(request.args)
    audit.record(Event.EXPORTED, current_actor(), what="audit", filters=_filter_names(filters))
    db.session.commit()
    return csv_response(_csv_lines(filters, session_cookie.identity()), "audit.csv")


def _csv_lines(filters: AuditFilters, identity: Identity) -> Iterator[str]:
    return csv_lines(COLUMNS, queries.all_events(filters, MAX_CSV_ROWS), identity, _described)


def _described(rows: list[AuditRow], reader: Profile) -> Iterator[tuple[str | None, ...]]:
    details = describe_events([row.event for row in rows], reader)
    return (_cells(row, about) for row, about in zip(rows, details, strict=True))


def _cells(row: AuditRow, about: str) -> tuple[str | None, ...]:
    event = row.event
    people = (row.actor_name, row.actor_email, row.subject_name, row.subject_email)
    return (event.at.isoformat(), event.event, *people, about, event.address, event.user_agent, event.request_id)


def _filter_names(filters: AuditFilters) -> list[str]:
    """Return the names of the filters that were set, without the user's input."""
    return sorted(name for name, value in filters.__dict__.items() if value and name != "before")
