"""Test how sign-in sessions end, and the state that an open page can request."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
import time_machine
from flask import Flask

from portal.auth import profiles
from portal.extensions import db
from tests.support.cast import PASSWORD, Cast
from tests.support.factories import make_client
from tests.support.html import form_of, text_of
from tests.support.test_client import Visitor, visitors_of

Visit = type[Visitor]
TOKEN = "A" * 22


@pytest.fixture
def clock():
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        yield traveller


def test_session_state_names_the_user_and_the_csrf_token(visit: Visit, cast: Cast) -> None:
    browser = visit(cast.amelia)
    answer = browser.get("/session")

    assert answer.json.keys() == {"profile_id", "name", "csrf_token", "seconds_idle", "seconds_left"}
    assert (answer.json["profile_id"], answer.json["name"]) == (cast.amelia.id, "Amelia Hart")
    browser._token = answer.json["csrf_token"]
    assert browser.delete("/user_page_presence").status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"


def test_session_state_without_a_session_is_401_as_json(visit: Visit) -> None:
    answer = visit(None).get("/session")

    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
    assert answer.json["detail"] == "Please sign in."


def test_sign_out_ends_the_session_and_its_csrf_token(visit: Visit, cast: Cast) -> None:
    browser = visit(cast.amelia).with_token()

    answer = browser.post("/sign-out")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in")
    assert browser.cookie() is None
    assert browser.get("/session").status_code == 401
    assert browser.beat("client-1").status_code == 401


def test_sign_out_by_get_is_rejected(visit: Visit, cast: Cast) -> None:
    """An image on another site must not sign the user out."""
    browser = visit(cast.amelia)

    answer = browser.get("/sign-out")

    assert (answer.status_code, set(answer.allow)) == (405, {"POST", "OPTIONS"})
    assert browser.get("/session").status_code == 200


def test_sign_out_button_of_a_page_signs_out(visit: Visit, cast: Cast) -> None:
    browser = visit(cast.amelia)
    page = browser.get("/signed-in")
    assert "Sign out" in text_of(page)

    assert browser.post("/sign-out", data=form_of(page), headers={}).status_code == 302
    assert browser.cookie() is None


def test_sign_out_on_one_device_keeps_other_sessions(visit: Visit, cast: Cast) -> None:
    laptop, tablet = visit(cast.amelia), visit(cast.amelia)
    laptop.post("/sign-out")

    assert tablet.get("/clients").status_code == 200


def test_signing_out_everywhere_ends_all_sessions(visit: Visit, cast: Cast) -> None:
    """Earlier cookies are rejected by pages, API and presence, copies of them included."""
    make_client()
    devices = [visit(cast.amelia).with_token() for _ in range(2)]
    for device in devices:
        device.beat("client-1")
    daniel = visit(cast.daniel)

    profiles.end_sessions(cast.amelia)
    db.session.commit()

    for device in devices:
        assert device.get("/clients").status_code == 302
        assert device.get("/session").status_code == 401
        assert device.beat("client-1").status_code == 401
    assert daniel.roster("client-1") == []
    assert daniel.get("/clients").status_code == 200
    assert visit(cast.amelia).get("/clients").status_code == 200


def test_deactivated_profile_is_signed_out_with_the_next_request(
    visit: Visit, cast: Cast, olgas_browser: Visitor
) -> None:
    assert olgas_browser.get("/clients").status_code == 302

    profiles.set_active(cast.olga, is_active=True)
    db.session.commit()

    assert olgas_browser.get("/clients").status_code == 302
    assert visit(cast.olga).get("/clients").status_code == 200


def test_new_password_ends_earlier_sessions(visit: Visit, cast: Cast) -> None:
    browser = visit(cast.amelia)
    profiles.set_password_hash(cast.amelia, "another")
    db.session.commit()

    assert browser.get("/clients").status_code == 302


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.",
        f".{TOKEN}",
        f"x.{TOKEN}",
        f"1.{TOKEN}.1",
        f"-1.{TOKEN}",
        f"1.{TOKEN}x",
        f"9{'9' * 20}.{TOKEN}",
        f"1.{TOKEN}",
    ],
)
def test_cookie_without_a_valid_identity_is_not_signed_in(visit: Visit, cast: Cast, text: str) -> None:
    """Only the portal's key can sign such a cookie; an older release may have done so."""
    browser = visit(None)
    with browser.browser.session_transaction() as session:
        session["_user_id"] = text
        session.permanent = True

    assert browser.get("/clients").status_code == 302
    assert browser.get("/session").status_code == 401
    assert browser.get("/user_page_presence/client-1").status_code == 401


def test_cookie_signed_with_another_key_is_not_signed_in(
    make_app: Callable[..., Flask], visit: Visit, cast: Cast
) -> None:
    forger = visitors_of(make_app(secret_key="x" * 40))(cast.ada)
    browser = visit(None)
    browser.browser.set_cookie("kingston_session", forger.cookie())

    assert browser.get("/session").status_code == 401


def test_session_ends_after_the_idle_limit(
    make_app: Callable[..., Flask], cast: Cast, clock: time_machine.Traveller
) -> None:
    """The operator configures the limit, and the cookie's expiry equals it."""
    browser = visitors_of(make_app(idle_minutes=5))(cast.amelia)
    [cookie] = browser.get("/clients").headers.getlist("Set-Cookie")
    expires_at = parsedate_to_datetime(cookie.split("Expires=")[1].split(";")[0])
    assert abs(expires_at - datetime.now(UTC) - timedelta(minutes=5)) < timedelta(seconds=2)

    clock.shift(timedelta(minutes=4, seconds=59))
    assert browser.get("/session").status_code == 200
    clock.shift(timedelta(seconds=2))
    assert browser.get("/clients").status_code == 302


def test_sign_in_after_the_idle_limit_returns_to_the_page(
    visit: Visit, cast: Cast, clock: time_machine.Traveller
) -> None:
    browser = visit(cast.amelia)
    clock.shift(timedelta(hours=1))

    asked = browser.get("/clients?q=x")
    page = browser.get(asked.headers["Location"])
    answer = browser.post("/sign-in", data={**form_of(page), "email": cast.amelia.email, "password": PASSWORD})

    assert answer.headers["Location"] == "/clients?q=x"


def test_page_without_a_session_sets_no_session_identity(visit: Visit) -> None:
    assert "Set-Cookie" not in visit(None).get("/clients").headers
    assert "Set-Cookie" not in visit(None).get("/healthz").headers


def test_page_after_signing_in_again_confirms_it(visit: Visit, cast: Cast) -> None:
    assert "You are signed in again" in text_of(visit(cast.amelia).get("/signed-in"))
