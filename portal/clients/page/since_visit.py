"""Say what other users have changed since the reader's last visit, for the client page.

Versions decide what is new. The reader's own changes do not count. The page keeps what it says until the reader leaves
or dismisses it; later changes are news of their own (static/js/clients/update-notice.js).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from portal.clients.records.entries import PERSON, PRODUCT, VALUATION, Entry, entries_in, split_key
from portal.clients.records.models import Client, Person, Valuation
from portal.clients.records.part_names import full_name, names_of
from portal.clients.visits.changes import ChangeByOther, LastVisit
from portal.clients.wording.names import Names
from portal.clients.wording.sentences import (
    capitalised,
    clauses_of,
    join_words,
    system_author,
    without_fields_of_whole_parts,
)
from portal.extensions import db

MAX_REVISIONS = 50  # that the strip describes
MAX_AUTHORS = 3  # that the sentence names
ADDRESS = ("address_line1", "address_line2", "town", "postcode")


@dataclass(frozen=True)
class Mark:
    """The mark of a fact on the page. `is_new`: the part was added. `by` is the first name of the last author."""

    is_new: bool
    by: str


@dataclass(frozen=True)
class SinceVisit:
    """What other users have changed since the version that the reader saw.

    `count` is the number of their changes, and `has_more` says that there are more. `marks` are keyed by the fact that
    the page shows: `phone`, `address`, `person/12`, `product/3`. A changed valuation marks its product.
    """

    version: int
    at: datetime
    count: int
    has_more: bool
    sentences: Sequence[str]
    marks: Mapping[str, Mark]


def since_visit(client: Client, visit: LastVisit | None, known: Names) -> SinceVisit | None:
    """Return what has changed, or None without a visit or a change. `known` are names that need not be read."""
    if visit is None or not visit.changes:
        return None
    shown = visit.changes[-MAX_REVISIONS:]
    valuations = _valuations_in(shown)
    return SinceVisit(
        version=visit.version,
        at=visit.at,
        count=len(shown),
        has_more=len(visit.changes) > len(shown),
        sentences=_sentences(shown, _names(client, shown, known)),
        marks=dict(_marks(shown, valuations)),
    )


def names_on_page(people: Sequence[Person], products: Sequence[Row[Any]]) -> Names:
    """Return the names of the parts that the page has read, so that no sentence on it reads them again."""
    named = {Entry(PERSON, person.id): full_name(PERSON, person) for person in people}
    return {**named, **{Entry(PRODUCT, product.id): full_name(PRODUCT, product) for product in products}}


def _names(client: Client, found: Sequence[ChangeByOther], known: Names) -> Names:
    parts = {entry: client.id for each in found for entry in entries_in(each.changes) if entry.id is not None}
    others = {entry: client_id for entry, client_id in parts.items() if entry not in known}
    return {**known, **names_of(others, {}, full_name)} if others else known


def _valuations_in(found: Sequence[ChangeByOther]) -> dict[Entry, Valuation]:
    ids = {entry.id for each in found for entry in entries_in(each.changes) if entry.kind is VALUATION}
    rows = db.session.scalars(select(Valuation).where(Valuation.id.in_(ids))) if ids else ()
    return {Entry(VALUATION, row.id): row for row in rows}


def _sentences(found: Sequence[ChangeByOther], names: Names) -> list[str]:
    """Return what each author did: Daniel changed Phone and Town; An import added ISA A0001."""
    by_author: dict[tuple[int | None, str], dict[str, list[Any]]] = {}
    for each in found:
        together = by_author.setdefault((each.by_id, _author(each)), {})
        for key, (old, new) in each.changes.items():
            together[key] = [together[key][0] if key in together else old, new]
    sentences = [
        capitalised(f"{author} {join_words(clauses_of(without_fields_of_whole_parts(changes), names))}")
        for (_, author), changes in by_author.items()
    ]
    more = len(sentences) - MAX_AUTHORS
    return [*sentences[:MAX_AUTHORS], f"{more} more changed it, too"] if more > 0 else sentences


def _author(change: ChangeByOther) -> str:
    return change.first_name or system_author(change)


def _marks(found: Sequence[ChangeByOther], valuations: Mapping[Entry, Valuation]) -> Iterator[tuple[str, Mark]]:
    added = {key for each in found for key, (old, _) in each.changes.items() if old is None and "/" in key}
    for each in found:
        by = _author(each)
        for key in each.changes:
            entry, column = split_key(key)
            if entry in valuations:
                yield f"product/{valuations[entry].product_id}", Mark(False, by)
            else:
                fact = entry.prefix or ("address" if column in ADDRESS else column)
                yield fact, Mark(entry.prefix in added, by)
