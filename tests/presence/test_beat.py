"""Handle one heartbeat by rules 1 and 2 of presence (ARCHITECTURE.md)."""

import time
from datetime import UTC, datetime

import pytest

from portal.clients import Client
from portal.extensions import db
from tests.support.cast import Cast
from tests.support.test_client import Visitor
from tests.support.time_travel import let_pass, rows

Visit = type[Visitor]


def test_response_contains_the_roster_and_the_interval(visit: Visit, cast: Cast, page_identifier: str) -> None:
    visit(cast.daniel).beat(page_identifier)
    response = visit(cast.amelia).beat(page_identifier, tab_id="a1", activity="editing", visible=True, fields=["Phone"])

    assert response.status_code == 200
    assert response.json["status"] == "updated"
    assert response.json["heartbeat_seconds"] == 30
    amelia, daniel = response.json["users"]
    assert (amelia["first_name"], daniel["first_name"]) == ("Amelia", "Daniel")
    assert set(amelia) == {
        *("id", "first_name", "last_name", "email", "last_seen", "seconds_ago"),
        *("entered_at", "may_edit", "activity", "visible", "fields"),
    }
    assert (amelia["activity"], amelia["visible"], amelia["fields"]) == ("editing", True, ["Phone"])
    assert (daniel["activity"], daniel["visible"], daniel["fields"]) == ("viewing", True, [])
    assert amelia["seconds_ago"] == 0


def test_rule_1_identity_comes_from_the_sign_in_session_alone(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """A `user_id` in the body is ignored, and so is any other claim of an identity."""
    claims = {"user_id": cast.daniel.id, "profile_id": cast.daniel.id, "id": cast.daniel.id, "email": cast.daniel.email}

    response = visit(cast.amelia).post("/user_page_presence", json={"page_identifier": page_identifier, **claims})

    assert [user["id"] for user in response.json["users"]] == [cast.amelia.id]
    assert rows() == [(cast.amelia.id, page_identifier)]


def test_body_with_page_identifier_only_is_accepted(visit: Visit, cast: Cast, page_identifier: str) -> None:
    response = visit(cast.amelia).post("/user_page_presence", json={"page_identifier": page_identifier})

    [amelia] = response.json["users"]
    assert (amelia["activity"], amelia["visible"], amelia["fields"]) == ("viewing", True, [])


def test_viewer_has_the_times_of_arrival_and_last_heartbeat(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """`entered_at` stays while the viewer is present, `last_seen` is the newest heartbeat. Both have a time zone."""
    daniel = visit(cast.daniel)
    daniel.beat(page_identifier)
    let_pass(40)
    daniel.beat(page_identifier)
    let_pass(7)

    [seen] = visit(cast.amelia).roster(page_identifier)

    entered_at, last_seen = (datetime.fromisoformat(seen[name]) for name in ("entered_at", "last_seen"))
    assert 7 <= seen["seconds_ago"] < 10
    assert 39 < (last_seen - entered_at).total_seconds() < 45
    assert 6 < (datetime.now(UTC) - last_seen).total_seconds() < 12


def test_viewer_who_returns_after_the_active_window_has_a_new_arrival_time(
    visit: Visit, cast: Cast, page_identifier: str
) -> None:
    daniel = visit(cast.daniel)
    daniel.beat(page_identifier)
    let_pass(121)

    [seen] = daniel.beat(page_identifier).json["users"]

    assert time.time() - datetime.fromisoformat(seen["entered_at"]).timestamp() < 5


def test_profile_has_one_row_on_a_page_after_many_heartbeats(visit: Visit, cast: Cast, page_identifier: str) -> None:
    amelia = visit(cast.amelia)
    for _ in range(5):
        amelia.beat(page_identifier)

    assert rows() == [(cast.amelia.id, page_identifier)]


def test_rule_2_heartbeat_of_a_deactivated_profile_is_401(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """The cookie is still signed; the statement checks the profile."""
    amelia = visit(cast.amelia)
    assert amelia.beat(page_identifier).status_code == 200

    cast.amelia.is_active = False
    db.session.commit()

    assert amelia.beat(page_identifier).status_code == 401


def test_rule_2_heartbeat_of_an_ended_session_is_401(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """Raising the profile's epoch ends every sign-in session from the next heartbeat on."""
    amelia = visit(cast.amelia)
    assert amelia.beat(page_identifier).status_code == 200

    cast.amelia.session_epoch += 1
    db.session.commit()

    assert amelia.beat(page_identifier).status_code == 401


def test_rule_2_heartbeat_on_a_deleted_client_is_404(
    visit: Visit, cast: Cast, client: Client, page_identifier: str
) -> None:
    """The attempt leaves no row."""
    amelia = visit(cast.amelia)
    amelia.beat(page_identifier)
    amelia.leave(page_identifier)
    db.session.delete(client)
    db.session.commit()

    assert amelia.beat(page_identifier).status_code == 404
    assert rows() == []


@pytest.mark.parametrize(
    "page_identifier", ["client-999999", "product-1", "client-0", "client-01", "client", "Client-1"]
)
def test_heartbeat_on_an_unknown_page_is_404(visit: Visit, cast: Cast, page_identifier: str) -> None:
    response = visit(cast.amelia).beat(page_identifier)

    assert response.status_code == 404
    assert response.content_type == "application/problem+json"
    assert rows() == []
