"""No route of the app changes a record without knowing which version the change started from.

Every unsafe route is either in NO_RECORD, which says what else it writes, or refuses a change that carries no version,
carries one that is yet to come, or comes too late. A new route fails here until it does one of the two.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.clients import Client, Person, Product, Valuation
from portal.clients.records.entries import CLIENT, PERSON, VALUATION, Entry
from portal.clients.records.revisions import ClientRevision
from portal.clients.saving import operations
from portal.extensions import db
from tests.support.cast import Cast
from tests.support.edits import edit_from
from tests.support.routes import REQUEST_BODIES, WRITES_NO_RECORD, make_records, path_of, routes_of, versioned_routes
from tests.support.test_client import Visitor

# Where a version that is behind is as good as the newest.
COLLIDES_WITH_NOTHING = {
    (
        "POST",
        "/clients/<client_id>/notes/<note_id>/edit",
    ): "only the note itself: tests/clients/test_note_changes.py",
    ("POST", "/clients/<client_id>/notes/<note_id>/redact"): "only the note itself",
    ("POST", "/clients/<client_id>/<kind>/new"): "adding",
    ("POST", "/clients/<client_id>/product/<product_id>/valuation/new"): "adding",
    ("POST", "/clients/<client_id>/access/grant"): "adding",
    ("POST", "/clients/<client_id>/access/<grant_id>/revoke"): "a grant is there or not, nothing of it changes",
    ("POST", "/clients/<client_id>/access"): "yes or no: two people who have changed it have changed it alike",
}
WRONG_VERSIONS = [None, "", "x", "0", "-1", "1.5", "99", "2147483648", "1\0", "١"]


def record() -> list[Any]:
    """All that is kept of the clients, to see that nothing of it has moved."""
    db.session.rollback()
    rows = []
    for model in (Client, Person, Product, Valuation, ClientRevision):
        table = model.__table__
        rows += [tuple(row) for row in db.session.execute(select(table).order_by(*table.primary_key))]
    return rows


def sent(browser: Visitor, app: Flask, method: str, rule: str, as_json: bool, **changes: str | None) -> TestResponse:
    body = {**REQUEST_BODIES[method, rule]["data"], **changes}
    fields = {name: value for name, value in body.items() if value is not None}
    return browser.call(method, path_of(app, rule), **{"json" if as_json else "data": fields})


def test_each_versioned_route_has_a_request_body(app: Flask) -> None:
    assert len(versioned_routes(app)) >= 6
    assert set(versioned_routes(app)) <= set(REQUEST_BODIES)
    assert set(WRITES_NO_RECORD) <= routes_of(app)
    assert set(versioned_routes(app)) >= set(COLLIDES_WITH_NOTHING)


@pytest.mark.parametrize("as_json", [False, True], ids=["form", "json"])
def test_write_without_a_valid_version_changes_no_record(
    app: Flask, visit: type[Visitor], cast: Cast, as_json: bool
) -> None:
    make_records(cast)
    amelia, ada, before = visit(cast.amelia), visit(cast.ada), record()

    for method, rule in versioned_routes(app):
        for version in WRONG_VERSIONS:
            browser = ada if rule.endswith("/redact") else amelia  # administrators only
            answer = sent(browser, app, method, rule, as_json, version=version)
            assert answer.status_code == 422, (rule, version, answer.text)
            assert "version: " in answer.text, (rule, version, answer.text)
    assert record() == before


@pytest.mark.parametrize("as_json", [False, True], ids=["form", "json"])
def test_write_over_a_newer_change_is_409_and_changes_no_record(
    app: Flask, visit: type[Visitor], cast: Cast, as_json: bool
) -> None:
    """Daniel has saved, from the same version, another value of everything that is sent here."""
    for method, rule in versioned_routes(app):
        if (method, rule) in COLLIDES_WITH_NOTHING:
            continue
        make_records(cast)
        client = db.session.get(Client, newest_id())
        assert client
        daniels = {"name": "Daniel's", "phone": "Daniel's", "next_review_on": date(2030, 1, 31)}
        operations.save_entry(client, Entry(CLIENT), edit_from(2, cast.daniel.id, daniels))
        [person] = db.session.scalars(select(Person).where(Person.client_id == client.id))
        edit = edit_from(3, cast.daniel.id, {"known_as": "Daniel's"})
        operations.save_entry(client, Entry(PERSON, person.id), edit)
        [product] = db.session.scalars(select(Product).where(Product.client_id == client.id))
        valuation = {"valued_on": date(2026, 6, 30), "amount": Decimal(6)}
        operations.add_part(client, VALUATION, edit_from(4, cast.daniel.id, valuation), product.id)
        db.session.commit()
        path = path_of(app, rule).replace("/clients/1/", f"/clients/{client.id}/")
        path = path.replace("/person/1/", f"/person/{person.id}/")
        body = {**REQUEST_BODIES[method, rule]["data"], "version": "2"}
        if "name" in body:
            body["name"] = "Amelia's"
        if "amount_1" in body:
            body[f"amount_{product.id}"] = body.pop("amount_1")

        answer = visit(cast.amelia).call(method, path, **{"json" if as_json else "data": body})

        assert answer.status_code == 409, (rule, answer.text)
        db.session.refresh(client)
        assert (client.name, client.version) == ("Daniel's", 5)


def newest_id() -> int:
    return db.session.scalars(select(Client.id).order_by(Client.id.desc())).first() or 0
