"""Test what compliance and paraplanners may do with client records. The access matrix tests the other routes."""

from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, select, text

from portal.auth import Profile
from portal.clients import Client, ClientGrant
from portal.clients.csv.importing.importer import import_folder
from portal.clients.csv.problems import ImportProblems
from portal.extensions import db
from tests.clients.conftest import ClientEditor, history_of
from tests.support.cast import Cast, make_profile
from tests.support.csv_folder import CsvFolder
from tests.support.factories import make_client, make_product
from tests.support.html import errors_of, options_of, text_of
from tests.support.locks import overtaken
from tests.support.test_client import Visitor

Visit = type[Visitor]
WRITES = ("/edit", "/person/new", "/product/new", "/access", "/access/grant", "/history/2/revert")


@pytest.fixture
def piers(cast: Cast) -> Profile:
    return make_profile("Piers", "Gray", "paraplanner")


@pytest.fixture
def carys(cast: Cast) -> Profile:
    return make_profile("Carys", "Lloyd", "compliance")


def test_compliance_sees_restricted_clients_everywhere_and_is_offered_no_change(
    visit: Visit, cast: Cast, carys: Profile
) -> None:
    client = make_client("Whitmore Family", adviser_id=cast.amelia.id, is_restricted=True)
    product = make_product(client, (date(2026, 3, 31), "5"))
    ClientEditor(visit(cast.amelia), client).change(phone="222")
    browser, address = visit(carys), f"/clients/{client.id}"

    for path in ("/clients?q=Whitmore", address, f"{address}/product/{product.id}", f"{address}/history"):
        page = browser.get(path)
        assert (page.status_code, "Whitmore Family" in text_of(page)) == (200, True), path
        offered = ("data-edit", "/edit", "/new", "/access", "/revert", "/remove")
        assert [word for word in offered if f'{address}{word}"' in page.text or f' {word}"' in page.text] == [], path
    assert browser.get(f"{address}/changes?since=1").json["version"] == 2
    assert [browser.post(f"{address}{path}", json={"version": 2}).status_code for path in WRITES] == [403] * len(WRITES)
    assert history_of(client)[0].changed_by == cast.amelia.id


def test_compliance_claims_to_edit_or_to_wait_count_as_viewing(visit: Visit, cast: Cast, carys: Profile) -> None:
    page = f"client-{make_client(adviser_id=cast.amelia.id, is_restricted=True).id}"

    [viewer] = visit(carys).beat(page, activity="editing", fields=["Phone"], waiting=True).json["users"]

    assert (viewer["may_edit"], viewer["activity"], viewer["fields"]) == (False, "viewing", [])
    assert not any(value for name, value in viewer.items() if name.startswith("waiting"))
    assert visit(carys).call("PUT", f"/edit_drafts/{page}?form=record", json={"version": 1}).status_code == 403


def test_compliance_is_not_granted_what_it_sees_anyway(visit: Visit, cast: Cast, carys: Profile) -> None:
    client = make_client(adviser_id=cast.amelia.id, is_restricted=True)
    editor = ClientEditor(visit(cast.amelia), client)

    refused = editor.send(editor.open("/access"), "/access/grant", profile_id=str(carys.id))

    assert refused.status_code == 422
    assert not [name for name in options_of(refused, "profile_id") if "Carys" in name]


def test_compliance_sees_the_audit_but_not_the_users(visit: Visit, carys: Profile) -> None:
    page = visit(carys).get("/clients").text

    assert ('href="/audit"' in page, 'href="/users"' in page) == (True, False)


def test_paraplanner_changes_a_record_and_its_adviser_but_cannot_be_the_adviser(
    visit: Visit, cast: Cast, piers: Profile
) -> None:
    client = make_client(adviser_id=cast.amelia.id)
    editor = ClientEditor(visit(piers), client)
    assert not [
        name for name in options_of(editor.browser.get(f"{editor.address}/edit"), "adviser_id") if "Piers" in name
    ]

    editor.change(phone="222", adviser_id=str(cast.daniel.id))
    refused = editor.send_json("/edit", version=2, adviser_id=piers.id)

    assert refused.status_code == 422
    assert "adviser_id" in refused.json["errors"]
    db.session.refresh(client)
    assert (client.phone, client.adviser_id, client.version) == ("222", cast.daniel.id, 2)


def test_paraplanner_cannot_manage_access_even_as_the_stored_adviser(visit: Visit, cast: Cast, piers: Profile) -> None:
    """The role may have changed by a statement of an operator."""
    client = make_client(adviser_id=piers.id)
    editor = ClientEditor(visit(piers), client)

    for path, body in (
        ("/access", {"is_restricted": "yes"}),
        ("/access/grant", {"profile_id": cast.daniel.id}),
        ("/edit", {"is_restricted": "yes"}),
    ):
        assert editor.send_json(path, version=1, **body).status_code in (403, 422), path
    assert "/access" not in editor.browser.get(editor.address).text
    assert history_of(client) == []


def test_adviser_who_becomes_paraplanner_during_the_wait_grants_nothing(visit: Visit, cast: Cast) -> None:
    client = make_client(adviser_id=cast.amelia.id)
    amelia, client_id = visit(cast.amelia).with_token(), client.id
    body = {"version": "1", "profile_id": str(cast.daniel.id)}

    def demote(connection: Connection) -> None:
        connection.execute(text("UPDATE profiles SET role = 'paraplanner' WHERE first_name = 'Amelia'"))

    refused = overtaken(
        lambda: amelia.post(f"/clients/{client_id}/access/grant", json=body), "SELECT FROM clients FOR UPDATE", demote
    )

    assert refused.status_code == 403
    assert db.session.scalars(select(ClientGrant)).all() == []


@pytest.mark.parametrize("role", ["paraplanner", "reader", "compliance"])
def test_adviser_of_clients_gets_no_role_without_clients(app: Flask, visit: Visit, cast: Cast, role: str) -> None:
    for name in ("One", "Two"):
        make_client(name, adviser_id=cast.daniel.id, is_restricted=name == "Two")
    ada, email = visit(cast.ada), cast.daniel.email

    refused = ada.post(f"/users/{cast.daniel.id}/role", data={"role": role})
    by_command = app.test_cli_runner().invoke(args=["users", "set-role", email, role])

    problem = "Daniel Okafor is the adviser of 2 client records. Hand them over to another adviser first"
    assert refused.status_code == 422
    assert problem in errors_of(refused)["role"]
    assert f'value="{role}" selected' in refused.text
    assert (by_command.exit_code, problem in by_command.output) == (1, True)
    db.session.rollback()
    assert cast.daniel.role == "adviser"
    reassigned = app.test_cli_runner().invoke(args=["clients", "reassign", email, cast.amelia.email])
    assert reassigned.exit_code == 0
    assert ada.post(f"/users/{cast.daniel.id}/role", data={"role": role}).status_code == 302


def test_adviser_of_clients_becomes_administrator(visit: Visit, cast: Cast) -> None:
    make_client(adviser_id=cast.daniel.id)

    assert visit(cast.ada).post(f"/users/{cast.daniel.id}/role", data={"role": "admin"}).status_code == 302


def test_client_assigned_while_the_role_change_waits_is_counted(visit: Visit, cast: Cast) -> None:
    client_id, daniel_id = make_client().id, cast.daniel.id
    ada = visit(cast.ada).with_token()

    def assign(connection: Connection) -> None:
        connection.execute(
            text("UPDATE clients SET adviser_id = :id WHERE id = :client"), {"id": daniel_id, "client": client_id}
        )

    hold = f"SELECT FROM profiles WHERE id = {daniel_id} FOR SHARE"
    refused = overtaken(lambda: ada.post(f"/users/{daniel_id}/role", data={"role": "paraplanner"}), hold, assign)

    assert (refused.status_code, "adviser of 1 client record." in text_of(refused)) == (422, True)


def imported(folder: CsvFolder) -> Any:
    try:
        import_folder(folder.path)
        db.session.commit()
    except ImportProblems as error:
        db.session.rollback()
        return [str(problem) for problem in error.problems]
    return []


def test_import_refuses_an_adviser_without_the_role_and_accepts_a_stored_one(
    cast: Cast, piers: Profile, tmp_path: Any
) -> None:
    folder = CsvFolder(tmp_path / "in").set("clients.csv", "adviser_email", piers.email)

    assert imported(folder) == [
        "clients.csv:2: adviser_email: piers.gray@firm.example is paraplanner, not adviser or admin"
    ]
    folder.set("clients.csv", "adviser_email", cast.amelia.email)
    assert imported(folder) == []
    client = db.session.scalars(select(Client)).one()
    client.adviser_id = piers.id
    db.session.commit()
    folder.set("clients.csv", "adviser_email", piers.email).set("clients.csv", "phone", "222")
    assert imported(folder) == []


def test_import_changes_the_role_of_an_adviser_only_without_clients_after_it(cast: Cast, tmp_path: Any) -> None:
    folder = CsvFolder(tmp_path / "in")
    assert imported(folder) == []
    other = make_client("Other", adviser_id=cast.amelia.id)
    folder.set("profiles.csv", "role", "paraplanner")
    problem = "profiles.csv:2: role: amelia.hart@firm.example has {} this adviser: hand over first, or in clients.csv"

    assert imported(folder) == [problem.format("2 clients that keep")]
    folder.set("clients.csv", "adviser_email", cast.daniel.email)
    assert imported(folder) == [problem.format("1 client that keeps")]
    other.adviser_id = None
    db.session.commit()
    assert imported(folder) == []
    db.session.refresh(cast.amelia)
    assert cast.amelia.role == "paraplanner"
