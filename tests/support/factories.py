"""Create client records with default values for all that a test does not name."""

import itertools
from datetime import date
from decimal import Decimal
from typing import Any

from portal.clients import Client, Person, Product, Valuation
from portal.clients.records.note_models import ClientNote
from portal.extensions import db

_numbers = itertools.count(1)


def make_client(name: str = "Whitmore Family", **values: Any) -> Client:
    """Create a client and commit."""
    number = next(_numbers)
    defaults = {"client_ref": f"KG{number:05}", "client_type": "family", "status": "active"}
    return _committed(Client(name=name, **{**defaults, **values}))


def make_person(client: Client, first_name: str = "Ruth", last_name: str = "Whitmore", **values: Any) -> Person:
    return _committed(Person(client_id=client.id, first_name=first_name, last_name=last_name, **values))


def make_product(client: Client, *valuations: tuple[date, str], **values: Any) -> Product:
    """Create a product with (day, amount) valuations and commit."""
    number = next(_numbers)
    defaults = {
        "plan_number": f"A{number:08}",
        "product_name": "Stocks & Shares ISA",
        "product_type": "ISA",
        "provider": "Aviva",
    }
    product = _committed(Product(client_id=client.id, **{**defaults, **values}))
    for valued_on, amount in valuations:
        _committed(Valuation(product_id=product.id, valued_on=valued_on, amount=Decimal(amount)))
    return product


def make_note(client: Client, text: str = "Rang about the ISA.", **values: Any) -> ClientNote:
    return _committed(
        ClientNote(client_id=client.id, text=text, **{"kind": "note", "happened_on": date(2026, 1, 5), **values})
    )


def _committed(record: Any) -> Any:
    db.session.add(record)
    db.session.commit()
    return record
