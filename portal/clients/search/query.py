"""Select the clients that match a search. Tests read the plans of these statements.

Each term is a UNION, because an OR over several tables would use none of their trigram indexes.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    SQLColumnExpression,
    and_,
    false,
    func,
    intersect,
    literal_column,
    or_,
    select,
    union,
)

from portal.clients.records.models import (
    NI_FORM,
    PHONE_FORM,
    PLAN_FORM,
    REFERENCE_FORM,
    Client,
    Person,
    Product,
)
from portal.clients.search.terms import Search, Term

MAX_MATCHING_PARTS = 20  # people and products of one client that are read to say what matched


def matching_ids(search: Search, among: Collection[int] | None = None) -> CompoundSelect[int]:
    """Select the ids of the clients that match, some of them repeatedly, without a check of the permission.

    `among` restricts each part of the search to clients with these ids: PostgreSQL does not move a condition into it.
    """
    each = [union(*_among(_branches(term), among)) for term in search.terms]
    found: CompoundSelect[Any] = intersect(*each) if len(each) > 1 else each[0]
    if not (search.whole and search.whole.compact):
        return found
    return union(found, *_among(_numbers(search.whole), among))


def evidence_columns(search: Search) -> list[SQLColumnExpression[Any]]:
    """Return columns for a query of Client, from which `evidence.explain` reads what matched.

    They are part of the query, so that the number of statements tells nothing about what exists.
    """
    terms = [*search.terms, *([search.whole] if search.whole else [])]
    people = (
        select(
            func.jsonb_build_array(
                func.concat(Person.first_name, " ", Person.last_name), Person.known_as, Person.ni_number
            ).label("part")
        )
        .where(Person.client_id == Client.id, or_(false(), *(_in_person(term) for term in terms)))
        .order_by(Person.id)
    )
    plans = (
        select(func.to_jsonb(Product.plan_number).label("part"))
        .where(Product.client_id == Client.id, or_(false(), *(_in_plan(term) for term in terms)))
        .order_by(Product.id)
    )
    return [
        Client.postcode,
        Client.phone,
        Client.email,
        _array(people).label("matching_people"),
        _array(plans).label("matching_plans"),
    ]


def _among(branches: list[Select[int]], ids: Collection[int] | None) -> list[Select[int]]:
    return branches if ids is None else [each.where(each.selected_columns[0].in_(ids)) for each in branches]


def _branches(term: Term) -> list[Select[int]]:
    branches = [
        select(Client.id).where(_in_text(Client.searched, term)),
        select(Person.client_id).where(_in_text(Person.searched, term)),
    ]
    if term.is_word:
        branches.append(select(Person.client_id).where(_in_text(func.lower(Person.known_as), term)))
    if term.is_indexed:
        branches.append(select(Client.id).where(_in_text(func.lower(Client.email), term)))
    return branches + _numbers(term)


def _numbers(term: Term) -> list[Select[int]]:
    """Return the searches for a number that people write in several ways."""
    branches = []
    if term.reference:
        branches.append(select(Client.id).where(_has_reference(term)))
    if term.phone:
        branches.append(select(Client.id).where(_contains(PHONE_FORM, term.phone)))
    if term.compact:
        branches.append(select(Product.client_id).where(_in_plan(term)))
    if term.ni_number:
        branches.append(select(Person.client_id).where(_is_ni_number(term)))
    return branches


def _has_reference(term: Term) -> ColumnElement[bool]:
    """Return the condition that the reference contains the term, or is the term, if it was typed with zeros."""
    form: ColumnElement[str] = literal_column(REFERENCE_FORM)
    return form.like(term.reference) if term.has_leading_zeros else form.contains(term.reference)


def _in_person(term: Term) -> ColumnElement[bool]:
    known_as = func.lower(Person.known_as)
    conditions = [_in_text(Person.searched, term), and_(Person.known_as != "", _in_text(known_as, term))]
    return or_(*conditions, *([_is_ni_number(term)] if term.ni_number else []))


def _in_plan(term: Term) -> ColumnElement[bool]:
    return _contains(PLAN_FORM, term.compact) if term.compact else false()


def _is_ni_number(term: Term) -> ColumnElement[bool]:
    return literal_column(NI_FORM) == term.ni_number


def _in_text(column: SQLColumnExpression[str], term: Term) -> ColumnElement[bool]:
    """Return the condition that the text contains the term, or a word that begins with a short term.

    A trigram index serves both. A term of punctuation alone is the only one that no index serves.
    """
    if term.is_indexed or not term.is_word:
        return column.contains(term.text, autoescape=True)
    return or_(column.startswith(term.text, autoescape=True), column.contains(f" {term.text}", autoescape=True))


def _contains(form: str, text: str) -> ColumnElement[bool]:
    column: ColumnElement[str] = literal_column(form)
    return column.contains(text)  # letters and digits only


def _array(parts: Select[Any]) -> ColumnElement[Any]:
    first = parts.limit(MAX_MATCHING_PARTS).correlate(Client).lateral()
    return select(func.jsonb_agg(first.c.part)).select_from(first).scalar_subquery()
