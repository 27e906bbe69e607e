"""Test that the audit log names each user who gains or loses access to a restricted client, in every way."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.audit import AuditEvent
from portal.auth import Profile
from portal.clients import Client, ClientGrant
from portal.extensions import db
from tests.clients.conftest import ClientEditor
from tests.support.cast import Cast
from tests.support.csv_folder import CsvFolder
from tests.support.factories import make_client
from tests.support.test_client import Visitor

Visit = type[Visitor]


@pytest.fixture
def client(cast: Cast) -> Client:
    return make_client(adviser_id=cast.amelia.id, is_restricted=True)


def let_in(client: Client, profile: Profile) -> None:
    db.session.add(ClientGrant(client_id=client.id, profile_id=profile.id))
    db.session.commit()


def events() -> list[tuple[str, int | None, int | None, dict[str, Any]]]:
    """(event, who did it, to whom, about) of those who gained and lost access."""
    db.session.rollback()
    rows = select(AuditEvent).where(AuditEvent.event.like("access_%")).order_by(AuditEvent.id)
    return [(row.event, row.actor_id, row.profile_id, row.about) for row in db.session.scalars(rows)]


def run(app: Flask, *args: str) -> None:
    outcome = app.test_cli_runner().invoke(args=list(args))
    assert outcome.exit_code == 0, outcome.output
    db.session.rollback()


@pytest.mark.parametrize("as_json", [False, True], ids=["form", "json"])
def test_change_of_adviser_records_the_old_and_the_new_adviser(
    visit: Visit, cast: Cast, client: Client, as_json: bool
) -> None:
    editor = ClientEditor(visit(cast.amelia), client)
    if as_json:
        assert editor.send_json("/edit", version=1, adviser_id=cast.daniel.id).status_code == 200
    else:
        editor.change(adviser_id=str(cast.daniel.id))

    about = {"client_id": client.id, "version": 2}
    assert events() == [
        ("access_lost", cast.amelia.id, cast.amelia.id, about),
        ("access_gained", cast.amelia.id, cast.daniel.id, about),
    ]


def test_undo_of_a_change_of_adviser_records_both_again(visit: Visit, cast: Cast, client: Client) -> None:
    ada = ClientEditor(visit(cast.ada), client)
    ada.change(adviser_id=str(cast.daniel.id))
    assert ada.send({"version": "2", "entry": ""}, "/history/2/revert").status_code == 302

    assert [event[:3] for event in events()[2:]] == [
        ("access_lost", cast.ada.id, cast.daniel.id),
        ("access_gained", cast.ada.id, cast.amelia.id),
    ]


def test_reassigning_clients_records_both_advisers_for_each_restricted_client(
    app: Flask, cast: Cast, client: Client
) -> None:
    make_client("Seen by everybody", adviser_id=cast.amelia.id)
    run(app, "clients", "reassign", cast.amelia.email, cast.daniel.email)

    about = {"client_id": client.id, "version": 2}
    assert events() == [
        ("access_lost", None, cast.amelia.id, about),
        ("access_gained", None, cast.daniel.id, about),
    ]
    [browser] = db.session.scalars(select(AuditEvent.user_agent).distinct()).all()
    assert browser.startswith("flask clients reassign")


def test_import_records_both_advisers_for_each_restricted_client(app: Flask, cast: Cast, tmp_path: Path) -> None:
    folder = CsvFolder(tmp_path / "in")
    run(app, "clients", "import", str(folder.path))
    [client] = db.session.scalars(select(Client)).all()
    client.is_restricted = True
    db.session.commit()
    folder.change("clients.csv", "amelia.hart@firm.example", "daniel.okafor@firm.example")

    run(app, "clients", "import", str(folder.path))

    about = {"client_id": client.id, "version": 2}
    assert events() == [
        ("access_lost", None, cast.amelia.id, about),
        ("access_gained", None, cast.daniel.id, about),
    ]


def test_import_without_a_restricted_client_records_no_access_event(app: Flask, cast: Cast, tmp_path: Path) -> None:
    folder = CsvFolder(tmp_path / "in")
    run(app, "clients", "import", str(folder.path))
    folder.change("clients.csv", "amelia.hart@firm.example", "daniel.okafor@firm.example")
    run(app, "clients", "import", str(folder.path))

    assert events() == []


def test_change_of_adviser_to_a_user_with_a_grant_records_no_access_event_for_them(
    visit: Visit, cast: Cast, client: Client
) -> None:
    let_in(client, cast.amelia)
    editor = ClientEditor(visit(cast.ada), client)
    editor.change(adviser_id=str(cast.daniel.id))
    let_in(client, cast.daniel)
    editor.change(adviser_id=str(cast.amelia.id))

    assert [event[:3] for event in events()] == [("access_gained", cast.ada.id, cast.daniel.id)]


def test_change_of_adviser_to_an_administrator_records_no_access_event_for_them(
    visit: Visit, cast: Cast, client: Client
) -> None:
    editor = ClientEditor(visit(cast.ada), client)
    editor.change(adviser_id=str(cast.ada.id))
    editor.change(adviser_id="")

    assert [event[:3] for event in events()] == [("access_lost", cast.ada.id, cast.amelia.id)]


def test_change_of_adviser_of_an_unrestricted_client_records_no_access_event(visit: Visit, cast: Cast) -> None:
    client = make_client(adviser_id=cast.amelia.id)
    ClientEditor(visit(cast.amelia), client).change(adviser_id=str(cast.daniel.id))

    assert events() == []


def test_restriction_records_the_adviser_who_keeps_access(visit: Visit, cast: Cast) -> None:
    client = make_client(adviser_id=cast.amelia.id)
    editor = ClientEditor(visit(cast.ada), client)
    editor.send(editor.open("/access"), "/access", is_restricted="yes")

    [event] = db.session.scalars(select(AuditEvent).where(AuditEvent.event == "restricted"))
    assert event.about == {"client_id": client.id, "version": 2, "adviser_id": cast.amelia.id}


def test_administrator_role_records_access_to_other_advisers_restricted_clients(
    app: Flask, visit: Visit, cast: Cast, client: Client
) -> None:
    for other in (make_client(is_restricted=True), make_client(is_restricted=True, adviser_id=cast.daniel.id)):
        if not other.adviser_id:
            let_in(other, cast.daniel)
    ada, daniel_id = visit(cast.ada), cast.daniel.id
    for role in ("admin", "adviser"):
        assert ada.post(f"/users/{daniel_id}/role", data={"role": role}).status_code == 302
    run(app, "users", "set-role", cast.daniel.email, "admin")

    assert events() == [
        ("access_gained", cast.ada.id, daniel_id, {"restricted_client_records": 1, "role": "admin"}),
        ("access_lost", cast.ada.id, daniel_id, {"restricted_client_records": 1, "role": "adviser"}),
        ("access_gained", None, daniel_id, {"restricted_client_records": 1, "role": "admin"}),
    ]


def test_compliance_role_records_access_and_keeps_it_as_administrator(visit: Visit, cast: Cast, client: Client) -> None:
    ada, rhys_id = visit(cast.ada), cast.rhys.id
    for role in ("compliance", "admin", "reader"):
        assert ada.post(f"/users/{rhys_id}/role", data={"role": role}).status_code == 302

    assert events() == [
        ("access_gained", cast.ada.id, rhys_id, {"restricted_client_records": 1, "role": "compliance"}),
        ("access_lost", cast.ada.id, rhys_id, {"restricted_client_records": 1, "role": "reader"}),
    ]


def test_change_of_role_without_effect_on_access_records_no_access_event(visit: Visit, cast: Cast) -> None:
    make_client()
    assert visit(cast.ada).post(f"/users/{cast.daniel.id}/role", data={"role": "admin"}).status_code == 302

    assert events() == []


def test_new_administrator_gains_access(app: Flask, visit: Visit, cast: Cast, client: Client) -> None:
    sent = {"first_name": "Zoe", "last_name": "Hall", "email": "zoe@firm.example", "role": "admin"}
    assert visit(cast.ada).post("/users/new", data=sent).status_code == 200

    [event] = events()
    assert event[0] == "access_gained"
    assert event[3] == {"restricted_client_records": 1, "role": "admin"}


def test_imported_role_ends_the_sessions_and_is_recorded(
    app: Flask, visit: Visit, cast: Cast, client: Client, tmp_path: Path
) -> None:
    daniel = visit(cast.daniel)
    rows = (
        "first_name,last_name,email,role\n"
        "Daniel,Okafor,daniel.okafor@firm.example,admin\n"
        "Zoe,Hall,zoe@firm.example,admin\n"
        "Amelia,Hart,amelia.hart@firm.example,adviser\n"
    )
    folder = CsvFolder(tmp_path / "in").write("profiles.csv", rows)

    run(app, "clients", "import", str(folder.path))

    [zoe_id] = db.session.scalars(select(Profile.id).where(Profile.email == "zoe@firm.example"))
    about = {"restricted_client_records": 1, "role": "admin"}
    assert events() == [
        ("access_gained", None, zoe_id, about),
        ("access_gained", None, cast.daniel.id, about),
    ]
    [change] = db.session.scalars(select(AuditEvent).where(AuditEvent.event == "role_changed"))
    assert (change.profile_id, change.about) == (cast.daniel.id, {"before": "adviser", "after": "admin"})
    assert daniel.get("/clients").status_code == 302
