"""Send events only to users who may see the page, from the first event to the last (presence rules 1, 8 and 9)."""

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
from tests.support.sse_reader import Event, EventReader
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
    """Olga, who may see the client for a while."""
    cast.olga.is_active = True
    db.session.commit()
    return cast.olga


@pytest.fixture
def olga_events(visit: Visit, olga: Profile, page_identifier: str, listen: Listen) -> EventReader:
    browser = visit(olga)
    browser.beat(page_identifier, tab_id="tab")
    events = listen(browser, page_identifier)
    assert events.names() == ["Olga"]
    return events


def open_stream(visitor: Visitor, page_identifier: str) -> TestResponse:
    return visitor.get(f"/user_page_presence/{page_identifier}/events")


def test_stream_without_session_is_401(visit: Visit, olgas_browser: Visitor, page_identifier: str) -> None:
    for browser in (visit(None), olgas_browser):
        response = open_stream(browser, page_identifier)
        assert (response.status_code, response.content_type) == (401, "application/problem+json")


@pytest.mark.parametrize("page_identifier", ["client-999999", "product-1", "client-2147483648", "nonsense"])
def test_stream_of_a_forbidden_page_is_404(visit: Visit, cast: Cast, page_identifier: str) -> None:
    response = open_stream(visit(cast.amelia), page_identifier)
    assert (response.status_code, response.content_type) == (404, "application/problem+json")


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_end_of_sign_in_sessions_ends_the_streams_and_updates_the_others(
    visit: Visit,
    cast: Cast,
    olga: Profile,
    olga_events: EventReader,
    page_identifier: str,
    listen: Listen,
    end: Callable[[Profile], None],
) -> None:
    amelia_events = listen(visit(cast.amelia), page_identifier)
    assert amelia_events.names() == ["Olga"]

    end(olga)
    db.session.commit()

    assert olga_events.next() == SIGNED_OUT
    assert olga_events.next() is None
    assert amelia_events.names() == []
    assert amelia_events.is_drained()


def test_signing_out_ends_the_streams_of_all_tabs(
    visit: Visit, olga: Profile, olga_events: EventReader, page_identifier: str, listen: Listen
) -> None:
    browser = visit(olga)
    other_events = listen(browser, page_identifier, "other-tab")
    other_events.names()

    assert browser.post("/sign-out").status_code == 302

    for events in (olga_events, other_events):
        while (event := events.next()) != SIGNED_OUT:
            assert event is not None
        assert events.next() is None


def test_session_ended_from_another_browser_ends_its_streams(
    visit: Visit, olga: Profile, olga_events: EventReader
) -> None:
    session_id = db.session.scalars(select(SignInSession.id)).one()
    store.end(olga.id, session_id)
    db.session.commit()

    assert olga_events.next() == SIGNED_OUT
    assert olga_events.next() is None


def test_signing_out_all_users_ends_every_stream(
    visit: Visit, cast: Cast, olga_events: EventReader, page_identifier: str, listen: Listen
) -> None:
    amelia_events = listen(visit(cast.amelia), page_identifier)
    amelia_events.names()
    profiles.end_all_profiles_sessions()
    db.session.commit()

    for events in (olga_events, amelia_events):
        while (event := events.next()) != SIGNED_OUT:
            assert event is not None
        assert events.next() is None


RESTRICT = {"version": "1", "is_restricted": "yes"}


@pytest.mark.parametrize("has_beaten", [True, False])
def test_restricting_a_client_ends_only_the_streams_without_permission(
    visit: Visit, cast: Cast, client: Client, page_identifier: str, listen: Listen, has_beaten: bool
) -> None:
    daniel, amelia = visit(cast.daniel), visit(cast.amelia)
    if has_beaten:
        daniel.beat(page_identifier, tab_id="tab")
    amelia_events, daniel_events = listen(amelia, page_identifier), listen(daniel, page_identifier)
    assert amelia_events.names() == daniel_events.names() == (["Daniel"] if has_beaten else [])

    assert amelia.post(f"/clients/{client.id}/access", data=RESTRICT).status_code == 302

    assert daniel_events.next() == SIGNED_OUT
    assert daniel_events.next() is None
    events = [amelia_events.next() for _ in range(1 + has_beaten)]
    assert Event("saved", {"version": 2}) in events
    if has_beaten:
        assert [event.data["users"] for event in events if event.name == "roster"] == [[]]
    assert open_stream(daniel, page_identifier).status_code == 404


def test_revoking_a_grant_ends_its_streams(
    visit: Visit, cast: Cast, page_identifier: str, client: Client, listen: Listen
) -> None:
    amelia, ada, daniel = visit(cast.amelia), visit(cast.ada), visit(cast.daniel)
    amelia.post(f"/clients/{client.id}/access", data=RESTRICT)
    assert open_stream(daniel, page_identifier).status_code == 404
    granted = {"version": "2", "profile_id": str(cast.daniel.id)}
    assert amelia.post(f"/clients/{client.id}/access/grant", data=granted).status_code == 302
    daniel_events, ada_events = listen(daniel, page_identifier), listen(ada, page_identifier)
    assert daniel_events.names() == ada_events.names() == []
    grant = db.session.scalars(select(ClientGrant)).one()

    taken = amelia.post(f"/clients/{client.id}/access/{grant.id}/revoke", data={"version": "3"})

    assert taken.status_code == 302
    assert daniel_events.next() == SIGNED_OUT
    assert daniel_events.next() is None
    assert ada_events.next() == Event("saved", {"version": 4})


def test_unnotified_end_of_a_session_is_detected_before_the_next_event(
    visit: Visit, cast: Cast, olga: Profile, olga_events: EventReader, page_identifier: str
) -> None:
    """Each reading authorises every stream of its page, so no permission is older than the content."""
    run_sql("UPDATE profiles SET session_epoch = session_epoch + 1 WHERE id = :id", id=olga.id)

    visit(cast.daniel).beat(page_identifier)

    assert olga_events.next() == SIGNED_OUT
    assert olga_events.next() is None


def test_one_notification_ends_the_streams_of_a_page_that_is_no_longer_visible(
    olga_events: EventReader, page_identifier: str
) -> None:
    """The client is removed or becomes restricted: the condition of the page decides."""
    db.session.execute(text("DELETE FROM clients"))
    publish.roster_changed(db.session.connection(), [page_identifier])
    db.session.commit()

    assert olga_events.next() == SIGNED_OUT
    assert olga_events.next() is None


def test_user_with_permission_can_reconnect_at_once(
    visit: Visit, cast: Cast, olga_events: EventReader, page_identifier: str, listen: Listen
) -> None:
    publish.signed_out(db.session.connection(), cast.olga.id)
    db.session.commit()
    assert olga_events.next() == SIGNED_OUT

    assert listen(visit(cast.olga), page_identifier).names() == ["Olga"]


def test_stream_ends_when_its_cookie_is_too_old(visit: Visit, cast: Cast, page_identifier: str, listen: Listen) -> None:
    """The user was inactive for the idle limit. A user who was active elsewhere reconnects with a newer cookie."""
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        amelia = visit(cast.amelia)
        amelia.get("/clients")
        clock.shift(timedelta(minutes=30, seconds=-1))
        events = listen(amelia, page_identifier)
    assert events.names() == []

    assert events.next() == Event("end", {"reason": "restarting"})
    assert events.next() is None


def test_stream_sets_no_cookie(visit: Visit, cast: Cast, page_identifier: str, listen: Listen) -> None:
    assert "Set-Cookie" not in listen(visit(cast.amelia), page_identifier).response.headers


def test_stream_that_ends_while_opening_sends_its_last_event(
    visit: Visit, cast: Cast, app: Flask, page_identifier: str, olga_events: EventReader, listen: Listen
) -> None:
    """The browser would report an error: another tab has signed out, and the user is leaving this page."""
    daniel = visit(cast.daniel)
    with ThreadPoolExecutor(max_workers=1) as pool:
        with db.engine.begin() as connection:
            connection.execute(text("LOCK user_page_presence"))  # so that the hub waits and authorises no new stream
            publish.roster_changed(db.session.connection(), [page_identifier])
            db.session.commit()
            wait_until(lambda: db.session.scalar(text(HUB_WAITS)), "the hub does not read")
            opening = pool.submit(listen, daniel, page_identifier, "opening")
            wait_until(lambda: hub_of(app)._registry.of_profile(cast.daniel.id), "the stream is not opened")
            publish.signed_out(db.session.connection(), cast.daniel.id)
            db.session.commit()
        daniel_events = opening.result(20)

    assert daniel_events.next() == SIGNED_OUT
    assert daniel_events.next() is None
