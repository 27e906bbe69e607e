"""Detect that a person or a product to be added exists already.

`operations.add_part` checks it under the lock, `editor/same_parts_views.py` for an open form before it is saved.
"""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from portal.auth.directory import name_of
from portal.clients.records.entries import PERSON, PRODUCT, Entry, EntryKind
from portal.clients.records.models import Client, Person, Product
from portal.clients.records.part_names import part_name
from portal.clients.records.people_matching import is_same_person
from portal.clients.records.revisions import last_change_of_part
from portal.clients.saving.edits import Edit, PossibleDuplicate
from portal.extensions import db
from portal.formatting import moment

NOT_OF_THE_NUMBER = re.compile(r"[\W_]+")
FIELDS = {PERSON.name: "first_name", PRODUCT.name: "plan_number"}  # the field of the error


def reject_unconfirmed_duplicate(client: Client, kind: EntryKind, edit: Edit) -> None:
    """Raise PossibleDuplicate (422) if the client has the same part, unless it is confirmed to be another one."""
    existing = find_same(client, kind, edit.values)
    if existing and (not existing.can_be_another or edit.confirmed_another != existing.entry.prefix):
        raise existing


def find_same(client: Client, kind: EntryKind, values: Mapping[str, Any]) -> PossibleDuplicate | None:
    """Return the error about the client's part with these values, or None."""
    same = _same(client, kind, values)
    if same is None:
        return None
    entry = Entry(kind, same.id)
    is_certain = isinstance(same, Product) and same.plan_number == values["plan_number"]  # unique in the database
    question = f"{_sentence(client, entry, same)}: is this the same {kind.label}?"
    return PossibleDuplicate(entry, part_name(kind, same), FIELDS[kind.name], question, can_be_another=not is_certain)


def _same(client: Client, kind: EntryKind, values: Mapping[str, Any]) -> Person | Product | None:
    if kind is PERSON:
        people = db.session.scalars(select(Person).where(Person.client_id == client.id).order_by(Person.id))
        return next((person for person in people if is_same_person(PERSON.values_of(person), values)), None)
    if kind is PRODUCT:
        products = db.session.scalars(select(Product).where(Product.client_id == client.id).order_by(Product.id))
        number = _number(values["plan_number"])
        return next((product for product in products if _number(product.plan_number) == number), None)
    return None


def _number(plan_number: str) -> str:
    """Return a number without blanks, hyphens and case. Text of only those is returned unchanged."""
    return NOT_OF_THE_NUMBER.sub("", plan_number).casefold() or plan_number


def _sentence(client: Client, entry: Entry, row: Person | Product) -> str:
    revision = last_change_of_part(client.id, entry.prefix)
    name = part_name(entry.kind, row)
    if revision is None or revision.changed_by is None:
        return f"{name} is there already"
    return f"{name_of(revision.changed_by)} added {name} on {moment(revision.changed_at)}"
