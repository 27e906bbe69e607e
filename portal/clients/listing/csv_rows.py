"""Write a view of the client list as CSV, in its order."""

import io
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row

from portal.auth.sessions.store import active_profile
from portal.clients.listing.queries import rows_of_clients
from portal.extensions import db
from portal.web.csv_escaping import csv_writer, escape_formula
from portal.web.session_cookie import Identity

CLIENTS_AT_A_TIME = 1_000
COLUMNS = (
    *("client_ref", "name", "client_type", "status", "is_restricted", "adviser"),
    *("product_count", "total_gbp", "valued_on", "next_review_on"),
)


def csv_of_clients(ids: Sequence[int], today: date, identity: Identity) -> Iterator[str]:
    """Yield the lines of these clients in batches, without those that the reader may no longer see.

    They stop when the reader's session ends. No transaction is open while the browser reads.
    """
    yield _csv([COLUMNS])
    for start in range(0, len(ids), CLIENTS_AT_A_TIME):
        reader = active_profile(identity)
        rows = rows_of_clients(ids[start : start + CLIENTS_AT_A_TIME], today, reader) if reader else None
        db.session.rollback()
        if rows is None:
            return
        yield _csv([_cells(row) for row in rows])


def _cells(row: Row[Any]) -> list[str]:
    texts = (row.client_ref, row.name, row.client_type, row.status, "yes" if row.is_restricted else "no")
    amount = "" if row.total_gbp is None else f"{row.total_gbp:.2f}"
    days = ["" if day is None else day.isoformat() for day in (row.valued_on, row.next_review_on)]
    return [
        *(escape_formula(text) for text in texts),
        escape_formula(row.adviser_name),
        str(row.product_count),
        amount,
        *days,
    ]


def _csv(lines: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv_writer(text).writerows(lines)
    return text.getvalue()
