"""Find the clients that quick open offers: the best matches of a search."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, and_, case, func, literal_column, or_, select

from portal.auth import Profile
from portal.clients.permissions import visible_to
from portal.clients.records.models import REFERENCE_FORM, Client
from portal.clients.search.query import evidence_columns, matching_ids
from portal.clients.search.terms import Search
from portal.extensions import db

MAX_RESULTS = 10


class Found(NamedTuple):
    """The best matches, and the number of all. Rows: id, name, client_ref, is_restricted and `evidence_columns`."""

    rows: Sequence[Row[Any]]
    total: int


def find_clients(search: Search, reader: Profile) -> Found:
    """Return the best matches of a search with terms that the reader may see. One statement, whatever it finds."""
    matching = (
        select(Client.id, func.lower(Client.name).label("name"), _rank(search).label("rank"))
        .where(Client.id.in_(matching_ids(search)), visible_to(reader))
        .cte("matching")
        .prefix_with("MATERIALIZED")
    )
    order = (matching.c.rank, matching.c.name, matching.c.id)
    best = select(matching, func.count().over().label("total")).order_by(*order).limit(MAX_RESULTS).subquery()
    rows = db.session.execute(
        select(Client.id, Client.name, Client.client_ref, Client.is_restricted, best.c.total, *evidence_columns(search))
        .join(best, best.c.id == Client.id)
        .order_by(best.c.rank, best.c.name, best.c.id)
    ).all()
    return Found(rows, rows[0].total if rows else 0)


def _rank(search: Search) -> ColumnElement[int]:
    """Return 0 for the client with the reference, then by the name: it begins with the text, or has all terms."""
    reference: ColumnElement[str] = literal_column(REFERENCE_FORM)
    name = func.lower(Client.name)
    terms = [*search.terms, *([search.whole] if search.whole else [])]
    references = [term.reference for term in terms if term.reference]
    return case(
        (or_(*(reference == each for each in references)) if references else reference.is_(None), 0),
        (name.startswith(search.terms[0].text, autoescape=True), 1),
        (and_(*(name.contains(term.text, autoescape=True) for term in search.terms)), 2),
        else_=3,
    )
