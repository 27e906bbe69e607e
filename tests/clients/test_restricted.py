"""Hide restricted clients from all users except the adviser, users with grants, compliance and administrators."""

from datetime import date
from itertools import product

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from portal import page_kinds
from portal.audit import AuditEvent
from portal.auth import Profile
from portal.clients import Client, ClientGrant
from portal.clients.permissions import VISIBLE_SQL, sees, visible_to
from portal.extensions import db
from portal.presence import beats
from portal.presence.store import store_of
from tests.clients.conftest import ClientEditor, history_of
from tests.support.cast import Cast, make_profile
from tests.support.factories import make_client, make_person, make_product
from tests.support.html import errors_of, text_of
from tests.support.test_client import Visitor, identity_of

Visit = type[Visitor]


@pytest.fixture
def client(cast: Cast) -> Client:
    """Return a restricted client of Amelia."""
    return make_client("Whitmore Family", adviser_id=cast.amelia.id, postcode="BA1 1AA", is_restricted=True)


def let_in(client: Client, *profile_ids: int) -> None:
    db.session.add_all([ClientGrant(client_id=client.id, profile_id=profile_id) for profile_id in profile_ids])
    db.session.commit()


def beat_on(visit: Visit, client: Client, *profiles: Profile) -> None:
    for profile in profiles:
        caller = identity_of(visit.application, profile)
        store_of(visit.application).beat(caller, beats.Beat(page_kinds.parse(f"client-{client.id}"), "tab"))


def test_visibility_rule_is_the_same_for_pages_and_presence(cast: Cast) -> None:
    """Every combination of role, restriction, adviser and grant."""
    people = (cast.amelia, cast.daniel, cast.rhys, make_profile("Carys", "Lloyd", "compliance"), cast.ada)
    for is_restricted, adviser, granted in product((False, True), (None, *people), (None, *people)):
        client = make_client(is_restricted=is_restricted, adviser_id=adviser and adviser.id)
        let_in(client, *([granted.id] if granted else []))
    every = "SELECT number FROM profiles caller, (SELECT id AS number FROM clients) page WHERE caller.id = :id AND "
    query = text(f"{every} {VISIBLE_SQL} ORDER BY number")
    for person in people:
        by_pages = db.session.scalars(select(Client.id).where(visible_to(person)).order_by(Client.id)).all()
        assert by_pages == db.session.scalars(query, {"id": person.id}).all()
        seen_by_person = [
            client.id
            for client in db.session.scalars(select(Client).order_by(Client.id))
            if db.session.scalar(select(Profile.id).where(Profile.id == person.id, sees(client)))
        ]
        assert seen_by_person == by_pages
        assert (len(by_pages) == 72) == person.has_oversight


@pytest.mark.parametrize("query", ["", "q=Whitmore", "q=BA1", "q=Ruth", "sort=-total", "sort=adviser&page=1", "page=2"])
def test_restricted_client_is_absent_from_lists_searches_and_totals(
    visit: Visit, cast: Cast, client: Client, query: str
) -> None:
    make_person(client, "Ruth", "Whitmore")
    make_product(client, (date(2026, 3, 31), "123.45"))
    for number in range(26 if query == "page=2" else 0):
        make_client(f"Zoe {number}")
    seen = {
        name: text_of(visit(getattr(cast, name)).get(f"/clients?{query}"))
        for name in ("amelia", "ada", "daniel", "rhys")
    }

    total = 27 if query == "page=2" else 1
    for name in ("amelia", "ada"):
        assert f"{total} client" in seen[name].split("Clients", 2)[2]
        assert "Restricted" in seen[name] or query == "page=2"
    for name in ("daniel", "rhys"):
        assert "Whitmore Family" not in seen[name]
        assert "£123.45" not in seen[name]
        assert f"{total - 1} clients" in seen[name]


def test_restricted_client_is_absent_from_presence(visit: Visit, cast: Cast, client: Client) -> None:
    beat_on(visit, client, cast.amelia)
    page = f"client-{client.id}"

    for name, status in (("amelia", 200), ("ada", 200), ("daniel", 404), ("rhys", 404)):
        browser = visit(getattr(cast, name))
        assert browser.get(f"/user_page_presence/{page}").status_code == status
        assert browser.beat(page).status_code == status
        assert (page in browser.get(f"/user_page_presence?page={page}").json) == (status == 200)


def test_granted_user_sees_the_client_until_access_is_revoked(visit: Visit, cast: Cast, client: Client) -> None:
    amelias_editor, daniel = ClientEditor(visit(cast.amelia), client), visit(cast.daniel)
    assert daniel.get(amelias_editor.address).status_code == 404

    form = amelias_editor.open("/access")
    response = amelias_editor.send(form, "/access/grant", profile_id=str(cast.daniel.id))
    assert response.headers["Location"] == f"{amelias_editor.address}/access"
    assert "Daniel Okafor sees this client now." in text_of(
        amelias_editor.browser.get(f"{amelias_editor.address}/access")
    )
    assert daniel.get(amelias_editor.address).status_code == 200

    [grant_id] = db.session.scalars(select(ClientGrant.id)).all()
    amelias_editor.send(amelias_editor.open("/access"), f"/access/{grant_id}/revoke")
    assert daniel.get(amelias_editor.address).status_code == 404
    added, removed = history_of(client)
    assert added.changes[f"grant/{grant_id}"][1] == {"client_id": client.id, "profile_id": cast.daniel.id}
    assert removed.changes[f"grant/{grant_id}"][1] is None
    events = db.session.scalars(select(AuditEvent).where(AuditEvent.event.like("grant%")).order_by(AuditEvent.id)).all()
    assert [(event.event, event.actor_id, event.profile_id, event.about["client_id"]) for event in events[-2:]] == [
        (event, cast.amelia.id, cast.daniel.id, client.id) for event in ("granted", "grant_taken")
    ]
    words = text_of(amelias_editor.browser.get(f"{amelias_editor.address}/history?field=grant"))
    assert "Daniel Okafor removed Person Daniel Okafor" in words


def test_program_grants_and_revokes_access_by_json(visit: Visit, cast: Cast, client: Client) -> None:
    amelias_editor, daniel = ClientEditor(visit(cast.amelia), client), visit(cast.daniel)
    assert daniel.get(amelias_editor.address).status_code == 404

    granted = amelias_editor.send_json("/access/grant", version=client.version, profile_id=cast.daniel.id)
    assert (granted.status_code, granted.json["status"]) == (200, "saved")
    assert daniel.get(amelias_editor.address).status_code == 200

    [grant_id] = db.session.scalars(select(ClientGrant.id)).all()
    revoked = amelias_editor.send_json(f"/access/{grant_id}/revoke", version=granted.json["version"])
    assert revoked.json == {"status": "saved", "version": granted.json["version"] + 1}
    assert daniel.get(amelias_editor.address).status_code == 404


def test_restriction_removes_users_without_access_from_the_page(visit: Visit, cast: Cast) -> None:
    client = make_client(adviser_id=cast.amelia.id)
    amelias_editor = ClientEditor(visit(cast.amelia), client)
    let_in(client, cast.rhys.id)
    beat_on(visit, client, cast.amelia, cast.daniel, cast.rhys, cast.ada)

    assert amelias_editor.send(amelias_editor.open("/access"), "/access", is_restricted="yes").status_code == 302

    assert {user["first_name"] for user in amelias_editor.browser.roster(f"client-{client.id}")} == {
        "Amelia",
        "Rhys",
        "Ada",
    }
    assert history_of(client)[0].changes == {"is_restricted": [False, True]}
    assert "Restricted" in text_of(amelias_editor.browser.get(amelias_editor.address))
    assert amelias_editor.send(amelias_editor.open("/access"), "/access", is_restricted="no").status_code == 302
    assert visit(cast.daniel).get(amelias_editor.address).status_code == 200


def test_reassigned_restricted_client_is_visible_to_its_new_adviser_only(
    visit: Visit, cast: Cast, client: Client
) -> None:
    amelias_editor, ada = ClientEditor(visit(cast.amelia), client), ClientEditor(visit(cast.ada), client)
    beat_on(visit, client, cast.amelia)

    ada.change(adviser_id=str(cast.daniel.id))

    assert amelias_editor.browser.get(amelias_editor.address).status_code == 404
    assert ada.browser.roster(f"client-{client.id}") == []
    assert visit(cast.daniel).get(amelias_editor.address).status_code == 200


def test_granted_user_cannot_become_the_adviser(visit: Visit, cast: Cast, client: Client) -> None:
    let_in(client, cast.daniel.id)
    daniels_editor = ClientEditor(visit(cast.daniel), client)

    response = daniels_editor.send(daniels_editor.open(), adviser_id=str(cast.daniel.id), phone="222")

    assert response.status_code == 422
    problem = "Only the client’s adviser and administrators may change this."
    assert errors_of(response) == {"adviser_id": problem}
    assert daniels_editor.send_json("/edit", version=1, adviser_id=cast.daniel.id).json["errors"] == {
        "adviser_id": problem
    }
    assert daniels_editor.send(daniels_editor.open(), phone="222").status_code == 302


def test_only_the_adviser_and_administrators_can_undo_a_restriction(visit: Visit, cast: Cast) -> None:
    client = make_client(adviser_id=cast.amelia.id)
    amelias_editor, daniels_editor = ClientEditor(visit(cast.amelia), client), ClientEditor(visit(cast.daniel), client)
    let_in(client, cast.daniel.id)
    amelias_editor.send(amelias_editor.open("/access"), "/access", is_restricted="yes")
    amelias_editor.send(amelias_editor.open("/access"), "/access/grant", profile_id=str(cast.rhys.id))
    grant = db.session.scalars(select(ClientGrant).where(ClientGrant.profile_id == cast.rhys.id)).one()

    for version, entry in ((2, ""), (3, f"grant/{grant.id}")):
        sent = {"version": "3", "entry": entry}
        assert (
            daniels_editor.browser.post(f"{daniels_editor.address}/history/{version}/revert", data=sent).status_code
            == 403
        )
    for version, entry in ((3, f"grant/{grant.id}"), (2, "")):
        sent = {"version": "3", "entry": entry}
        assert (
            amelias_editor.browser.post(f"{amelias_editor.address}/history/{version}/revert", data=sent).status_code
            == 302
        )
    assert visit(cast.rhys).get(amelias_editor.address).status_code == 200
    assert [grant.profile_id for grant in db.session.scalars(select(ClientGrant))] == [cast.daniel.id]


@pytest.mark.parametrize("who", ["amelia", "ada", "olga", "nobody", "x"])
def test_user_with_access_or_without_sign_in_cannot_be_granted_access(
    visit: Visit, cast: Cast, client: Client, who: str
) -> None:
    amelias_editor = ClientEditor(visit(cast.amelia), client)
    ids = {"amelia": str(cast.amelia.id), "ada": str(cast.ada.id), "olga": str(cast.olga.id), "nobody": "999"}

    response = amelias_editor.send(amelias_editor.open("/access"), "/access/grant", profile_id=ids.get(who, who))

    assert response.status_code == 422
    assert "Choose a user who does not have access yet." in text_of(response)
    assert history_of(client) == []


def test_stale_access_page_is_409(visit: Visit, cast: Cast, client: Client) -> None:
    amelias_editor, ada = ClientEditor(visit(cast.amelia), client), ClientEditor(visit(cast.ada), client)
    let_in(client, cast.daniel.id)
    [grant] = db.session.scalars(select(ClientGrant)).all()
    form, path = amelias_editor.open("/access"), f"/access/{grant.id}/revoke"
    ada.send(ada.open("/access"), path)

    response = amelias_editor.send(form, path)

    assert response.status_code == 409
    assert "Daniel Okafor’s access has been removed" in text_of(response)


def test_commands_restrict_grant_revoke_and_unrestrict(app: Flask, visit: Visit, cast: Cast) -> None:
    client = make_client(adviser_id=cast.amelia.id)
    ref, email = client.client_ref, cast.daniel.email
    daniel, address = visit(cast.daniel), f"/clients/{client.id}"

    def run(*args: str) -> tuple[int, str]:
        outcome = app.test_cli_runner().invoke(args=["clients", *args])
        db.session.rollback()
        return outcome.exit_code, outcome.output

    assert run("restrict", ref) == (0, f"{ref} is visible to users with access only.\n")
    assert daniel.get(address).status_code == 404
    assert run("grant", ref, email) == (0, f"{email} has access to {ref}.\n")
    assert daniel.get(address).status_code == 200
    assert run("grant", ref, email)[0] == 1
    assert run("revoke", ref, email) == (0, f"{email} no longer has access to {ref}.\n")
    assert daniel.get(address).status_code == 404
    assert run("unrestrict", ref) == (0, f"{ref} is visible to all users.\n")
    assert [revision.source for revision in history_of(client)] == ["cli"] * 4
    assert run("restrict", "KG99999") == (1, "Error: No client has the reference KG99999.\n")
    assert run("revoke", ref, make_profile("Ann", "Lee").email)[0] == 1


def test_option_off_of_restrict_and_grant_still_works(app: Flask, cast: Cast) -> None:
    client = make_client(adviser_id=cast.amelia.id, is_restricted=True)
    db.session.add(ClientGrant(client_id=client.id, profile_id=cast.daniel.id))
    db.session.commit()

    for arguments in (
        ["grant", client.client_ref, cast.daniel.email, "--off"],
        ["restrict", client.client_ref, "--off"],
    ):
        assert app.test_cli_runner().invoke(args=["clients", *arguments]).exit_code == 0

    db.session.rollback()
    assert db.session.get(Client, client.id).is_restricted is False
    assert db.session.scalar(select(func.count()).select_from(ClientGrant)) == 0
