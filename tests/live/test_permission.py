"""A stream is only for who may see its page, from its first event to its last (presence rules 1, 8 and 9)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from portal.auth import Profile, profiles
from portal.auth.sessions import store
from portal.auth.sessions.store import SignInSession
from portal.clients import Client, ClientGrant
from portal.extensions import db
from portal.live import hub_of, publish
from tests.live.conftest import Listen, run_sql
from tests.support.cast import Cast
from tests.support.sse_reader import Event, Hearing
from tests.support.test_client import Visitor
from tests.support.until import wait_until

Visit = type[Visitor]
SIGNED_OUT = Event("signed-out", {})
HUB_WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted"
ENDS = {
    "deactivated": lambda profile: profiles.set_active(profile, is_active=False),
    "a new password": lambda profile: profiles.set_password_hash(profile, "another"),
    "another role": lambda profile: profiles.set_role(profile, "reader"),
    "signed out everywhere": profiles.end_sessions,
}


@pytest.fixture
def olga(cast: Cast) -> Profile:
    """Olga, who is let in for a while."""
    cast.olga.is_active = True
    db.session.commit()
    return cast.olga


@pytest.fixture
def olga_hears(visit: Visit, olga: Profile, page_identifier: str, listen: Listen) -> Hearing:
    browser = visit(olga)
    browser.beat(page_identifier, tab_id="tab")
    hearing = listen(browser, page_identifier)
    assert hearing.names() == ["Olga"]
    return hearing


def open_stream(visitor: Visitor, page_identifier: str) -> TestResponse:
    return visitor.get(f"/user_page_presence/{page_identifier}/events")


def test_nobody_hears_who_is_not_signed_in(visit: Visit, olgas_browser: Visitor, page_identifier: str) -> None:
    for browser in (visit(None), olgas_browser):
        answer = open_stream(browser, page_identifier)
        assert (answer.status_code, answer.content_type) == (401, "application/problem+json")


@pytest.mark.parametrize("page_identifier", ["client-999999", "product-1", "client-2147483648", "nonsense"])
def test_nudge_on_a_forbidden_page_is_404(visit: Visit, cast: Cast, page_identifier: str) -> None:
    answer = open_stream(visit(cast.amelia), page_identifier)
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_whatever_ends_sign_in_sessions_ends_the_streams_and_tells_the_others(
    visit: Visit,
    cast: Cast,
    olga: Profile,
    olga_hears: Hearing,
    page_identifier: str,
    listen: Listen,
    end: Callable[[Profile], None],
) -> None:
    amelia_hears = listen(visit(cast.amelia), page_identifier)
    assert amelia_hears.names() == ["Olga"]

    end(olga)
    db.session.commit()

    assert olga_hears.next() == SIGNED_OUT
    assert olga_hears.next() is None
    assert amelia_hears.names() == []
    assert amelia_hears.has_heard_all()


def test_signing_out_ends_the_streams_of_all_ones_tabs(
    visit: Visit, olga: Profile, olga_hears: Hearing, page_identifier: str, listen: Listen
) -> None:
    browser = visit(olga)
    other_hears = listen(browser, page_identifier, "other-tab")
    other_hears.names()

    assert browser.post("/sign-out").status_code == 302

    for hearing in (olga_hears, other_hears):
        while (event := hearing.next()) != SIGNED_OUT:
            assert event is not None
        assert hearing.next() is None


def test_a_session_that_is_ended_from_another_browser_ends_its_streams(
    visit: Visit, olga: Profile, olga_hears: Hearing
) -> None:
    session_id = db.session.scalars(select(SignInSession.id)).one()
    store.end(olga.id, session_id)
    db.session.commit()

    assert olga_hears.next() == SIGNED_OUT
    assert olga_hears.next() is None


def test_when_everybody_is_signed_out_every_stream_ends(
    visit: Visit, cast: Cast, olga_hears: Hearing, page_identifier: str, listen: Listen
) -> None:
    amelia_hears = listen(visit(cast.amelia), page_identifier)
    amelia_hears.names()
    profiles.end_all_profiles_sessions()
    db.session.commit()

    for hearing in (olga_hears, amelia_hears):
        while (event := hearing.next()) != SIGNED_OUT:
            assert event is not None
        assert hearing.next() is None


RESTRICT = {"version": "1", "is_restricted": "yes"}


@pytest.mark.parametrize("has_beaten", [True, False])
def test_restricting_a_client_ends_the_streams_of_those_who_may_not_see_it_and_of_nobody_else(
    visit: Visit, cast: Cast, client: Client, page_identifier: str, listen: Listen, has_beaten: bool
) -> None:
    daniel, amelia = visit(cast.daniel), visit(cast.amelia)
    if has_beaten:
        daniel.beat(page_identifier, tab_id="tab")
    amelia_hears, daniel_hears = listen(amelia, page_identifier), listen(daniel, page_identifier)
    assert amelia_hears.names() == daniel_hears.names() == (["Daniel"] if has_beaten else [])

    assert amelia.post(f"/clients/{client.id}/access", data=RESTRICT).status_code == 302

    assert daniel_hears.next() == SIGNED_OUT
    assert daniel_hears.next() is None
    told = [amelia_hears.next() for _ in range(1 + has_beaten)]
    assert Event("saved", {"version": 2}) in told
    if has_beaten:
        assert [event.data["users"] for event in told if event.name == "roster"] == [[]]
    assert open_stream(daniel, page_identifier).status_code == 404


def test_taking_a_grant_back_ends_the_streams_that_it_let_in(
    visit: Visit, cast: Cast, page_identifier: str, client: Client, listen: Listen
) -> None:
    amelia, ada, daniel = visit(cast.amelia), visit(cast.ada), visit(cast.daniel)
    amelia.post(f"/clients/{client.id}/access", data=RESTRICT)
    assert open_stream(daniel, page_identifier).status_code == 404
    granted = {"version": "2", "profile_id": str(cast.daniel.id)}
    assert amelia.post(f"/clients/{client.id}/access/grant", data=granted).status_code == 302
    daniel_hears, ada_hears = listen(daniel, page_identifier), listen(ada, page_identifier)
    assert daniel_hears.names() == ada_hears.names() == []
    grant = db.session.scalars(select(ClientGrant)).one()

    taken = amelia.post(f"/clients/{client.id}/access/{grant.id}/revoke", data={"version": "3"})

    assert taken.status_code == 302
    assert daniel_hears.next() == SIGNED_OUT
    assert daniel_hears.next() is None
    assert ada_hears.next() == Event("saved", {"version": 4})


def test_what_ends_a_session_without_a_word_is_found_out_before_anything_more_is_told(
    visit: Visit, cast: Cast, olga: Profile, olga_hears: Hearing, page_identifier: str
) -> None:
    """Every reading judges every stream of its page anew: a permission is never older than what it lets through."""
    run_sql("UPDATE profiles SET session_epoch = session_epoch + 1 WHERE id = :id", id=olga.id)

    visit(cast.daniel).beat(page_identifier)

    assert olga_hears.next() == SIGNED_OUT
    assert olga_hears.next() is None


def test_one_ring_covers_a_page_that_may_no_longer_be_seen(olga_hears: Hearing, page_identifier: str) -> None:
    """A client that is removed today, one that becomes restricted tomorrow: the page's own condition decides."""
    db.session.execute(text("DELETE FROM clients"))
    publish.roster_changed(db.session.connection(), [page_identifier])
    db.session.commit()

    assert olga_hears.next() == SIGNED_OUT
    assert olga_hears.next() is None


def test_who_still_may_comes_back_at_once(
    visit: Visit, cast: Cast, olga_hears: Hearing, page_identifier: str, listen: Listen
) -> None:
    publish.signed_out(db.session.connection(), cast.olga.id)
    db.session.commit()
    assert olga_hears.next() == SIGNED_OUT

    assert listen(visit(cast.olga), page_identifier).names() == ["Olga"]


def test_a_stream_ends_when_the_cookie_that_opened_it_has_grown_too_old(
    visit: Visit, cast: Cast, page_identifier: str, listen: Listen
) -> None:
    """Nobody has done anything for the idle limit; who has, elsewhere, comes back with a newer cookie."""
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        amelia = visit(cast.amelia)
        amelia.get("/clients")
        clock.shift(timedelta(minutes=30, seconds=-1))
        hearing = listen(amelia, page_identifier)
    assert hearing.names() == []

    assert hearing.next() == Event("end", {"reason": "moving"})
    assert hearing.next() is None


def test_a_stream_sets_no_cookie_and_so_prolongs_no_sign_in_session(
    visit: Visit, cast: Cast, page_identifier: str, listen: Listen
) -> None:
    assert "Set-Cookie" not in listen(visit(cast.amelia), page_identifier).answer.headers


def test_stream_that_is_ended_while_it_opens_is_answered_with_its_last_event(
    visit: Visit, cast: Cast, app: Flask, page_identifier: str, olga_hears: Hearing, listen: Listen
) -> None:
    """Not with an error, which the browser would report: another tab has signed out, and this page is being left."""
    daniel = visit(cast.daniel)
    with ThreadPoolExecutor(max_workers=1) as pool:
        with db.engine.begin() as connection:
            connection.execute(text("LOCK user_page_presence"))  # so the hub waits, and reads nothing for newcomers
            publish.roster_changed(db.session.connection(), [page_identifier])
            db.session.commit()
            wait_until(lambda: db.session.scalar(text(HUB_WAITS)), "the hub does not read")
            opening = pool.submit(listen, daniel, page_identifier, "opening")
            wait_until(lambda: hub_of(app)._open.of_profile(cast.daniel.id), "the stream is not opened")
            publish.signed_out(db.session.connection(), cast.daniel.id)
            db.session.commit()
        daniel_hears = opening.result(20)

    assert daniel_hears.next() == SIGNED_OUT
    assert daniel_hears.next() is None
