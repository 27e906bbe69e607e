"""Tell users with an open page who removed their access, without revealing the client to others."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
import time_machine
from sqlalchemy import text

from portal.auth import Profile
from portal.clients import Client, ClientGrant
from portal.extensions import db
from tests.clients.conftest import ClientEditor
from tests.support.cast import Cast
from tests.support.factories import make_client
from tests.support.html import text_of
from tests.support.test_client import Visitor

Visit = type[Visitor]


@pytest.fixture
def client(cast: Cast) -> Client:
    return make_client("Whitmore Family", adviser_id=cast.amelia.id)


def ticket_of(visitor: Visitor, client: Client, path: str = "") -> str:
    """Return the address that an open page requests."""
    [url] = re.findall(r'data-lost-url="([^"]+)"', visitor.get(f"/clients/{client.id}{path}").text)
    return unescape(url)


def restrict(amelia: Visitor, client: Client) -> None:
    editor = ClientEditor(amelia, client)
    assert editor.send(editor.open("/access"), "/access", is_restricted="yes").status_code == 302


@pytest.mark.parametrize("path", ["", "/edit", "/history"])
def test_open_page_learns_who_restricted_its_client(
    amelia: Visitor, daniel: Visitor, client: Client, path: str
) -> None:
    url = ticket_of(daniel, client, path)
    assert daniel.get(url).status_code == 404  # as long as he sees it
    restrict(amelia, client)

    result = daniel.get(url).json

    assert (result["by"], result["email"]) == ("Amelia Hart", "amelia.hart@firm.example")
    assert datetime.now(UTC) - datetime.fromisoformat(result["at"]) < timedelta(minutes=1)


def test_user_whose_grant_was_revoked_sees_who_revoked_it(
    amelia: Visitor, daniel: Visitor, cast: Cast, client: Client
) -> None:
    restrict(amelia, client)
    editor = ClientEditor(amelia, client)
    editor.send(editor.open("/access"), "/access/grant", profile_id=str(cast.daniel.id))
    url = ticket_of(daniel, client)
    grant = db.session.query(ClientGrant).one()
    editor.send(editor.open("/access"), f"/access/{grant.id}/revoke")

    assert daniel.get(url).json["by"] == "Amelia Hart"


def test_former_adviser_sees_who_reassigned_a_restricted_client(
    amelia: Visitor, cast: Cast, visit: Visit, client: Client
) -> None:
    restrict(amelia, client)
    url = ticket_of(amelia, client)
    ClientEditor(visit(cast.ada), client).change(adviser_id=str(cast.daniel.id))

    assert amelia.get(url).json["by"] == "Ada Byron"


def test_loss_of_access_without_a_change_of_the_client_is_404(
    amelia: Visitor, cast: Cast, visit: Visit, client: Client
) -> None:
    """Ada loses access by losing her role, which is no change of the client."""
    restrict(amelia, client)
    ada = visit(cast.ada)
    url = ticket_of(ada, client)
    db.session.execute(text("UPDATE profiles SET role = 'adviser' WHERE id = :id"), {"id": cast.ada.id})
    db.session.commit()

    assert ada.get(url).status_code == 404


def test_lost_access_reveals_no_client_without_a_ticket(
    amelia: Visitor, daniel: Visitor, visit: Visit, client: Client
) -> None:
    url = ticket_of(daniel, client)
    restrict(amelia, client)
    other = make_client("Baker Family")
    ticket = url.split("=", 1)[1]

    for forged in ("", "x", ticket[:-1], ticket + "x", ticket_of(daniel, other).split("=", 1)[1]):
        response = daniel.get("/lost_access", query_string={"ticket": forged})
        assert (response.status_code, "Amelia" in response.text) == (404, False)
    assert visit(None).get(url).status_code == 401


def test_ticket_older_than_any_session_is_rejected(
    amelia: Visitor, daniel: Visitor, cast: Cast, visit: Visit, client: Client
) -> None:
    url = ticket_of(daniel, client)
    restrict(amelia, client)
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=13), tick=False):
        assert visit(cast.daniel).get(url).status_code == 404


def test_restriction_before_the_page_was_opened_is_not_revealed(
    amelia: Visitor, cast: Cast, visit: Visit, client: Client
) -> None:
    """Rhys loses access by the revoked grant, not by the earlier restriction."""
    restrict(amelia, client)
    editor = ClientEditor(amelia, client)
    editor.send(editor.open("/access"), "/access/grant", profile_id=str(cast.rhys.id))
    rhys = visit(cast.rhys)
    url = ticket_of(rhys, client)
    db.session.execute(text("DELETE FROM client_grants"))
    db.session.commit()

    assert rhys.get(url).status_code == 404


@pytest.mark.parametrize("who", ["rhys", "olga"])
def test_request_for_the_loss_does_not_extend_the_session(visit: Visit, cast: Cast, client: Client, who: str) -> None:
    profile: Profile = getattr(cast, who)
    assert "Set-Cookie" not in visit(profile).get("/lost_access?ticket=x").headers


@pytest.mark.parametrize("loss", ["restricted", "made a reader"])
def test_save_after_the_loss_shows_the_typed_values_only(daniel: Visitor, client: Client, loss: str) -> None:
    """The page has no JavaScript, or has not detected the loss yet."""
    editor = ClientEditor(daniel, client)
    form = editor.open()
    lost = "UPDATE clients SET is_restricted = true, town = 'Wells'"
    demoted = "UPDATE profiles SET role = 'reader' WHERE first_name = 'Daniel'"
    db.session.execute(text(lost if loss == "restricted" else demoted))
    db.session.commit()

    response = editor.send(form, notes="An hour's work <b>", phone="07700 900123")

    assert response.status_code == (404 if loss == "restricted" else 403)
    assert "What you typed was not saved" in text_of(response)
    for typed in ("Key information An hour's work <b>", "Phone 07700 900123"):
        assert typed in text_of(response)
    assert "Wells" not in response.text
    assert "typed" not in daniel.get("/clients/999999/edit").text
