"""Check permission under the client's lock, so that a user who loses it while waiting neither writes nor reads data.

The tests cover every unsafe route of a client record, including new ones.
"""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, select, text
from werkzeug.test import TestResponse

from portal.clients import Client, ClientGrant, Person, Product, Valuation
from portal.clients.records.revisions import ClientRevision
from portal.database.advisory_locks import DRAFTS_OF_PROFILE
from portal.editing.drafts.store import EditDraft
from portal.extensions import db
from tests.support.cast import Cast
from tests.support.locks import HOLD_CLIENTS, overtaken
from tests.support.routes import REQUEST_BODIES, make_records, path_of, versioned_routes
from tests.support.test_client import Visitor
from tests.support.volume import IS_FULL

Change = Callable[[Connection], object]
SECRET = "07700 900999"
# The change by the holder of the lock after Amelia lost access. It increments the version, so her save conflicts.
HIDDEN = "UPDATE clients SET is_restricted = true, adviser_id = 2, version = version + 1, phone = '07700 900999'"
LOSSES = {
    "client": (HIDDEN, {404}),
    "activation": ("UPDATE profiles SET is_active = false WHERE id = 1", {302, 401}),
    "role": ("UPDATE profiles SET role = 'reader' WHERE id = 1", {403}),
    "session": ("DELETE FROM sign_in_sessions WHERE profile_id = 1", {302, 401}),
    "epoch": ("UPDATE profiles SET session_epoch = session_epoch + 1 WHERE id = 1", {302, 401}),
}
ROUTES = [
    ("POST", "/clients/<client_id>/access"),
    ("POST", "/clients/<client_id>/access/<grant_id>/revoke"),
    ("POST", "/clients/<client_id>/access/grant"),
    ("POST", "/clients/<client_id>/edit"),
    ("POST", "/clients/<client_id>/<kind>/<part_id>/edit"),
    ("POST", "/clients/<client_id>/<kind>/<part_id>/remove"),
    ("POST", "/clients/<client_id>/<kind>/new"),
    ("POST", "/clients/<client_id>/history/<version>/revert"),
    ("POST", "/clients/<client_id>/notes/<note_id>/edit"),
    ("POST", "/clients/<client_id>/product/<product_id>/valuation/new"),
    ("POST", "/clients/<client_id>/review"),
    ("POST", "/clients/<client_id>/valuations"),
]
# Of administrators, not of Amelia: test_note_changes.py.
OTHER_ROUTES = [("POST", "/clients/<client_id>/notes/<note_id>/redact")]
# The routes with a part in the address, each with that part and the body.
PARTS = {
    "product": {"version": "1", "provider": "Mine"},
    "valuation": {"version": "1", "amount": "9"},
}


def test_table_of_writes_contains_every_unsafe_client_route(app: Flask) -> None:
    assert sorted([*ROUTES, *OTHER_ROUTES]) == versioned_routes(app)


# Each route meets each loss, in make test alternately as a form and as JSON, and in a full run as both.
RACES = [
    pytest.param(rule, loss, as_json, id=f"{rule}-{loss}-{'json' if as_json else 'form'}")
    for (place, (_, rule)), (turn, loss), as_json in product(enumerate(ROUTES), enumerate(LOSSES), (False, True))
    if IS_FULL or as_json == bool((place + turn) % 2)
]


@pytest.mark.parametrize(("rule", "loss", "as_json"), RACES)
def test_write_is_rejected_when_permission_is_lost_while_it_waits(
    app: Flask, visit: type[Visitor], cast: Cast, rule: str, loss: str, as_json: bool
) -> None:
    make_records(cast)
    statement, statuses = LOSSES[loss]
    path, body = path_of(app, rule), REQUEST_BODIES["POST", rule]["data"]
    if rule.endswith("/access"):
        body = {**body, "is_restricted": "yes"}

    response, left = raced(visit(cast.amelia), path, body, as_json, change_to(statement))

    assert response.status_code in statuses, response.text
    assert response.status_code != 302 or response.location.startswith("/sign-in")
    assert SECRET not in response.text
    assert record(db.session.connection()) == left


@pytest.mark.parametrize("as_json", [False, True], ids=["form", "json"])
@pytest.mark.parametrize("action", ["edit", "remove"])
@pytest.mark.parametrize("kind", PARTS)
def test_write_of_a_part_is_rejected_when_access_is_lost_while_it_waits(
    visit: type[Visitor], cast: Cast, kind: str, action: str, as_json: bool
) -> None:
    make_records(cast)
    path = f"/clients/1/{kind}/1/{action}"

    response, left = raced(visit(cast.amelia), path, PARTS[kind], as_json, change_to(HIDDEN))

    assert (response.status_code, SECRET in response.text) == (404, False)
    assert record(db.session.connection()) == left


@pytest.mark.parametrize("as_json", [False, True], ids=["form", "json"])
@pytest.mark.parametrize("rule", [rule for _, rule in ROUTES if "/access" not in rule])
def test_write_is_rejected_when_its_grant_is_revoked_while_it_waits(
    app: Flask, visit: type[Visitor], cast: Cast, rule: str, as_json: bool
) -> None:
    client = make_records(cast, is_restricted=True)
    client.adviser_id = cast.ada.id
    db.session.add(ClientGrant(client_id=client.id, profile_id=cast.amelia.id))
    db.session.commit()
    revoke = """
        DELETE FROM client_grants WHERE profile_id = 1;
        UPDATE clients SET version = version + 1, phone = '07700 900999'"""

    response, left = raced(
        visit(cast.amelia), path_of(app, rule), REQUEST_BODIES["POST", rule]["data"], as_json, change_to(revoke)
    )

    assert (response.status_code, SECRET in response.text) == (404, False)
    assert record(db.session.connection()) == left


@pytest.mark.parametrize("as_json", [False, True], ids=["form", "json"])
@pytest.mark.parametrize("rule", [rule for _, rule in ROUTES if "/access" in rule])
def test_former_adviser_cannot_change_access(
    app: Flask, visit: type[Visitor], cast: Cast, rule: str, as_json: bool
) -> None:
    make_records(cast)
    body = {**REQUEST_BODIES["POST", rule]["data"], **({"is_restricted": "yes"} if rule.endswith("/access") else {})}

    response, left = raced(
        visit(cast.amelia), path_of(app, rule), body, as_json, change_to("UPDATE clients SET adviser_id = 2")
    )

    assert response.status_code == 403
    assert record(db.session.connection()) == left


def test_colleague_cannot_become_adviser_of_a_client_restricted_while_they_wait(
    visit: type[Visitor], cast: Cast
) -> None:
    """Daniel has a grant and still sees it, with the read-only columns of a restricted client."""
    client = make_records(cast)
    db.session.add(ClientGrant(client_id=client.id, profile_id=cast.daniel.id))
    db.session.commit()
    body = {"version": "2", "adviser_id": str(cast.daniel.id)}

    response, left = raced(
        visit(cast.daniel), "/clients/1/edit", body, True, change_to("UPDATE clients SET is_restricted = true")
    )

    assert response.status_code == 422
    assert response.json["errors"] == {"adviser_id": "Only the client’s adviser and administrators may change this."}
    assert record(db.session.connection()) == left


def test_undo_of_a_restriction_checks_the_permission_under_the_lock(visit: type[Visitor], cast: Cast) -> None:
    make_records(cast)
    amelia = visit(cast.amelia)
    assert amelia.post("/clients/1/access", data={"version": "2", "is_restricted": "yes"}).status_code == 302
    db.session.add(ClientGrant(client_id=1, profile_id=cast.amelia.id))
    db.session.commit()
    undo = {"version": "3", "entry": ""}

    response, left = raced(
        amelia, "/clients/1/history/3/revert", undo, False, change_to("UPDATE clients SET adviser_id = 2")
    )

    assert response.status_code == 403
    assert record(db.session.connection()) == left


def test_profile_deactivated_during_the_wait_is_not_granted_access(visit: type[Visitor], cast: Cast) -> None:
    make_records(cast)
    body = {"version": "2", "profile_id": str(cast.daniel.id)}
    deactivate = change_to("UPDATE profiles SET is_active = false WHERE id = 2")

    response, left = raced(visit(cast.amelia), "/clients/1/access/grant", body, True, deactivate)

    assert (response.status_code, response.json["field"]) == (422, "profile_id")
    assert record(db.session.connection()) == left


def test_profile_deactivated_during_the_wait_does_not_become_the_adviser(visit: type[Visitor], cast: Cast) -> None:
    make_records(cast)
    body = {"version": "2", "adviser_id": str(cast.daniel.id)}
    deactivate = change_to("UPDATE profiles SET is_active = false WHERE id = 2")

    response, left = raced(visit(cast.amelia), "/clients/1/edit", body, True, deactivate)

    assert (response.status_code, response.json["errors"]) == (
        422,
        {"adviser_id": "Daniel Okafor cannot look after clients. Choose an active adviser or administrator."},
    )
    assert record(db.session.connection()) == left


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("loss", LOSSES)
def test_draft_is_not_stored_when_permission_is_lost_while_it_waits(
    visit: type[Visitor], cast: Cast, loss: str, method: str
) -> None:
    make_records(cast)
    amelia = visit(cast.amelia).with_token()
    path, body = "/edit_drafts/client-1?form=record", {"version": 1, "values": {"phone": "1"}}
    if method == "DELETE":
        assert amelia.call("PUT", path, json=body).status_code == 200
    before = db.session.scalars(select(EditDraft.updated_at)).all()
    statement, statuses = LOSSES[loss]

    response = overtaken(
        lambda: amelia.call(method, path, json=body),
        f"SELECT pg_advisory_xact_lock({DRAFTS_OF_PROFILE}, 1)",
        change_to(statement),
    )

    assert response.status_code in statuses
    assert db.session.scalars(select(EditDraft.updated_at)).all() == before


def test_write_with_permission_continues_after_the_wait(visit: type[Visitor], cast: Cast) -> None:
    make_records(cast)

    response, _ = raced(
        visit(cast.amelia), "/clients/1/edit", {"version": "2", "town": "Bath"}, True, change_to("SELECT 1")
    )

    assert (response.status_code, response.json["version"]) == (200, 3)


def test_write_to_an_invisible_client_does_not_wait_for_its_lock(visit: type[Visitor], cast: Cast) -> None:
    """A user without access neither blocks nor waits for the writers of a client."""
    make_records(cast, is_restricted=True)
    db.session.commit()
    daniel = visit(cast.daniel).with_token()
    with db.engine.begin() as connection:
        connection.execute(text(HOLD_CLIENTS))
        assert daniel.post("/clients/1/edit", data={"version": "2", "town": "Bath"}).status_code == 404


def change_to(statements: str) -> Change:
    def change(connection: Connection) -> None:
        for statement in statements.split(";"):
            connection.execute(text(statement))

    return change


def raced(
    browser: Visitor, path: str, body: dict[str, str], as_json: bool, change: Change
) -> tuple[TestResponse, list[Any]]:
    """Return the response to a write that waits until `change` is committed, and the records after `change`."""
    browser.with_token()
    left: list[Any] = []

    def change_and_note(connection: Connection) -> None:
        change(connection)
        left.extend(record(connection))

    response = overtaken(
        lambda: browser.post(path, **{"json" if as_json else "data": body}), HOLD_CLIENTS, change_and_note
    )
    return response, left


def record(connection: Connection) -> list[Any]:
    """Return all rows of the client records."""
    rows: list[Any] = []
    for model in (Client, ClientGrant, Person, Product, Valuation, ClientRevision):
        table = model.__table__
        rows += [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
    return rows
