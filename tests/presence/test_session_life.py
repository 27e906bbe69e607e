"""Never extend a sign-in session by a heartbeat: an unattended page signs out (presence rule 8 of ARCHITECTURE.md)."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from tests.support.cast import Cast
from tests.support.test_client import Visitor

Visit = type[Visitor]
IDLE_MINUTES = 30
BACKGROUND_CALLS = {
    "beat": lambda visitor, page: visitor.beat(page),
    "roster": lambda visitor, page: visitor.get(f"/user_page_presence/{page}"),
    "rosters": lambda visitor, page: visitor.get(f"/user_page_presence?page={page}"),
    "leave": lambda visitor, page: visitor.leave(page, "t"),
    "session": lambda visitor, page: visitor.get("/session"),
    "changes": lambda visitor, page: visitor.get(f"/clients/{page.removeprefix('client-')}/changes?since=1"),
    "itself again": lambda visitor, page: visitor.get(
        f"/clients/{page.removeprefix('client-')}", headers={"X-Background": "1"}
    ),
}


@pytest.fixture
def clock():
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        yield traveller


@pytest.mark.parametrize("call", BACKGROUND_CALLS.values(), ids=BACKGROUND_CALLS)
def test_rule_8_background_requests_set_no_cookie(visit: Visit, cast: Cast, page_identifier: str, call) -> None:
    """A new cookie would contain a new time of activity."""
    amelia = visit(cast.amelia).with_token()

    response = call(amelia, page_identifier)

    assert response.status_code == 200
    assert "Set-Cookie" not in response.headers


def test_rule_8_unattended_page_signs_out_despite_heartbeats(
    visit: Visit, cast: Cast, page_identifier: str, clock: time_machine.Traveller
) -> None:
    """One heartbeat a minute; after the idle limit the session ends for all requests."""
    amelia = visit(cast.amelia).with_token()
    amelia.get("/clients")
    for _ in range(IDLE_MINUTES):
        clock.shift(timedelta(seconds=59))
        assert amelia.beat(page_identifier).status_code == 200
    clock.shift(timedelta(seconds=31))

    assert amelia.beat(page_identifier).status_code == 401
    assert amelia.get(f"/user_page_presence/{page_identifier}").status_code == 401
    assert amelia.get("/session").status_code == 401
    assert amelia.get("/clients").status_code == 302


def test_page_opened_by_the_user_extends_the_session(
    visit: Visit, cast: Cast, page_identifier: str, clock: time_machine.Traveller
) -> None:
    amelia = visit(cast.amelia).with_token()
    for _ in range(4):
        clock.shift(timedelta(minutes=IDLE_MINUTES - 1))
        assert amelia.get("/clients").status_code == 200

    assert amelia.beat(page_identifier).status_code == 200


def test_cookie_from_the_future_or_with_a_changed_letter_is_rejected(
    visit: Visit, cast: Cast, page_identifier: str
) -> None:
    amelia = visit(cast.amelia).with_token()
    cookie = amelia.cookie()
    payload, signed_at, signature = cookie.rsplit(".", 2)
    forged = [
        f"{payload}.{signed_at}.{signature[:-2]}{'AA' if signature[-2:] != 'AA' else 'BB'}",
        f"{payload}.aaaaaa.{signature}",
        f"{payload[:-1]}.{signed_at}.{signature}",
        payload,
        "",
        "." * 100,
        "ä",
    ]

    for value in forged:
        amelia.browser.set_cookie("kingston_session", value)
        assert amelia.beat(page_identifier).status_code == 401, value
