"""Presence rules 1 and 2 of ARCHITECTURE.md: what one beat says and does."""

import time
from datetime import UTC, datetime

import pytest

from portal.clients import Client
from portal.extensions import db
from tests.support.cast import Cast
from tests.support.test_client import Visitor
from tests.support.time_travel import let_pass, rows

Visit = type[Visitor]


def test_it_answers_with_the_roster_and_the_interval(visit: Visit, cast: Cast, page_identifier: str) -> None:
    visit(cast.daniel).beat(page_identifier)
    answer = visit(cast.amelia).beat(page_identifier, tab_id="a1", activity="editing", visible=True, fields=["Phone"])

    assert answer.status_code == 200
    assert answer.json["status"] == "updated"
    assert answer.json["heartbeat_seconds"] == 30
    amelia, daniel = answer.json["users"]
    assert (amelia["first_name"], daniel["first_name"]) == ("Amelia", "Daniel")
    assert set(amelia) == {
        *("id", "first_name", "last_name", "email", "last_seen", "seconds_ago"),
        *("entered_at", "activity", "visible", "fields"),
    }
    assert (amelia["activity"], amelia["visible"], amelia["fields"]) == ("editing", True, ["Phone"])
    assert (daniel["activity"], daniel["visible"], daniel["fields"]) == ("viewing", True, [])
    assert amelia["seconds_ago"] == 0


def test_rule_1_identity_comes_from_the_sign_in_session_alone(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """Rule 1: a `user_id` in a body is ignored, and so is any other claim to be somebody."""
    claims = {"user_id": cast.daniel.id, "profile_id": cast.daniel.id, "id": cast.daniel.id, "email": cast.daniel.email}

    answer = visit(cast.amelia).post("/user_page_presence", json={"page_identifier": page_identifier, **claims})

    assert [user["id"] for user in answer.json["users"]] == [cast.amelia.id]
    assert rows() == [(cast.amelia.id, page_identifier)]


def test_the_page_identifier_alone_is_enough(visit: Visit, cast: Cast, page_identifier: str) -> None:
    answer = visit(cast.amelia).post("/user_page_presence", json={"page_identifier": page_identifier})

    [amelia] = answer.json["users"]
    assert (amelia["activity"], amelia["visible"], amelia["fields"]) == ("viewing", True, [])


def test_it_tells_when_the_viewer_came_and_when_it_was_last_seen(
    visit: Visit, cast: Cast, page_identifier: str
) -> None:
    """`entered_at` stays while the viewer does; `last_seen` is the newest beat. Both are aware."""
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


def test_who_comes_back_after_the_active_window_has_entered_anew(
    visit: Visit, cast: Cast, page_identifier: str
) -> None:
    daniel = visit(cast.daniel)
    daniel.beat(page_identifier)
    let_pass(121)

    [seen] = daniel.beat(page_identifier).json["users"]

    assert time.time() - datetime.fromisoformat(seen["entered_at"]).timestamp() < 5


def test_one_profile_has_one_row_on_a_page_however_often_it_beats(
    visit: Visit, cast: Cast, page_identifier: str
) -> None:
    amelia = visit(cast.amelia)
    for _ in range(5):
        amelia.beat(page_identifier)

    assert rows() == [(cast.amelia.id, page_identifier)]


def test_rule_2_the_check_of_the_profile_belongs_to_the_beat(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """Rule 2: whoever is deactivated beats no more, although the cookie is still signed."""
    amelia = visit(cast.amelia)
    assert amelia.beat(page_identifier).status_code == 200

    cast.amelia.is_active = False
    db.session.commit()

    assert amelia.beat(page_identifier).status_code == 401


def test_rule_2_the_check_of_the_sign_in_session_belongs_to_the_beat(
    visit: Visit, cast: Cast, page_identifier: str
) -> None:
    """Rule 2: raising the epoch ends every sign-in session, at the next beat already."""
    amelia = visit(cast.amelia)
    assert amelia.beat(page_identifier).status_code == 200

    cast.amelia.session_epoch += 1
    db.session.commit()

    assert amelia.beat(page_identifier).status_code == 401


def test_rule_2_the_check_of_the_page_belongs_to_the_beat(
    visit: Visit, cast: Cast, client: Client, page_identifier: str
) -> None:
    """Rule 2: on a client that has been deleted nobody beats, and no row is left by trying."""
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
def test_a_page_that_there_is_not_is_404(visit: Visit, cast: Cast, page_identifier: str) -> None:
    answer = visit(cast.amelia).beat(page_identifier)

    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert rows() == []
