"""Test the rows of sign-in sessions: their content, what deletes them, and that each call checks them."""

from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text, update

from portal.auth import profiles
from portal.auth.sessions import store
from portal.auth.sessions.store import MAX_SESSIONS_PER_PROFILE, SignInSession
from portal.extensions import db
from portal.jobs import JOBS, run_job
from portal.web.actor import RequestOrigin
from portal.web.session_cookie import IDENTITY_KEY, parse_identity, session_id_of
from tests.support.cast import Cast
from tests.support.factories import make_client
from tests.support.sign_in import sign_in
from tests.support.test_client import Visitor, visitors_of

Visit = type[Visitor]
CALLS: dict[str, Callable[[Visitor], object]] = {
    "page": lambda visitor: visitor.get("/clients").status_code == 200,
    "session": lambda visitor: visitor.get("/session").status_code == 200,
    "beat": lambda visitor: visitor.beat("client-1").status_code == 200,
    "beat by flask": lambda visitor: (
        visitor.post(
            "/user_page_presence",
            data=b'{"page_identifier": "client-1"}',
            content_type="application/json; charset=utf-8",
        ).status_code
        == 200
    ),
    "roster": lambda visitor: visitor.get("/user_page_presence/client-1").status_code == 200,
    "rosters": lambda visitor: visitor.get("/user_page_presence?page=client-1").status_code == 200,
    "leave": lambda visitor: visitor.leave("client-1").status_code == 200,
    "clear": lambda visitor: visitor.delete("/user_page_presence").status_code == 200,
    "changes": lambda visitor: visitor.get("/clients/1/changes?since=0").status_code == 200,
}


def rows() -> list[SignInSession]:
    return list(db.session.scalars(db.select(SignInSession).order_by(SignInSession.started_at)))


def change(**values: object) -> None:
    """Return the session rows."""
    db.session.execute(update(SignInSession).values(**values))
    db.session.commit()


@pytest.fixture
def amelia(visit: Visit, cast: Cast) -> Visitor:
    make_client()
    return visit(cast.amelia).with_token()


def test_session_row_stores_the_origin_but_not_the_token(visit: Visit, cast: Cast) -> None:
    browser = visit(None)
    browser.browser.environ_base |= {"REMOTE_ADDR": "203.0.113.9", "HTTP_USER_AGENT": "Browser/1 " + "x" * 300}
    sign_in(browser, cast.amelia.email)

    [row] = rows()
    with browser.browser.session_transaction() as session:
        token = session[IDENTITY_KEY].partition(".")[2]
    assert len(token) == 22
    assert row.id == UUID(session_id_of(token))
    assert token not in str(db.session.execute(text("SELECT * FROM sign_in_sessions")).one())
    assert (row.address, row.user_agent) == ("203.0.113.9", ("Browser/1 " + "x" * 300)[:200])


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_every_call_is_rejected_after_the_absolute_limit(amelia: Visitor, call: Callable[[Visitor], object]) -> None:
    """A session in constant use ends twelve hours after its start (ASVS 5.0.0, 7.3.2)."""
    change(ends_at=db.text("now() + interval '1 minute'"))
    assert call(amelia)

    change(ends_at=db.text("now()"))
    assert not call(amelia)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_every_call_is_rejected_once_the_row_is_deleted(amelia: Visitor, call: Callable[[Visitor], object]) -> None:
    assert call(amelia)

    db.session.execute(db.delete(SignInSession))
    db.session.commit()
    assert not call(amelia)


def test_absolute_limit_is_configurable(make_app: Callable[..., Flask], cast: Cast) -> None:
    sign_in(visitors_of(make_app(session_hours=2))(None), cast.amelia.email)

    assert db.session.scalar(text("SELECT ends_at - started_at = interval '2 hours' FROM sign_in_sessions"))


def test_session_id_of_another_profile_is_not_signed_in(visit: Visit, cast: Cast) -> None:
    """Even a signed cookie cannot combine a profile with another profile's session."""
    browser = visit(cast.daniel)
    with browser.browser.session_transaction() as session:
        token = session[IDENTITY_KEY].partition(".")[2]
        session[IDENTITY_KEY] = f"{cast.ada.id}.{token}"

    assert browser.get("/session").status_code == 401
    assert browser.get("/user_page_presence/client-1").status_code == 401


def test_session_started_with_the_old_epoch_is_never_active(app: Flask, visit: Visit, cast: Cast) -> None:
    """The race: sign-in reads the profile, a new password ends all sessions, then sign-in writes its row."""
    epoch = cast.amelia.session_epoch
    profiles.end_sessions(cast.amelia)
    late = store.begin(cast.amelia.id, epoch, RequestOrigin(), hours=12)
    db.session.commit()

    assert store.find_active(parse_identity(late)) is None


def test_signing_in_again_ends_the_previous_session(visit: Visit, cast: Cast) -> None:
    browser = visit(cast.daniel).with_token()
    form = {"csrf_token": browser._token, "email": cast.amelia.email, "password": "correct horse battery", "next": ""}
    assert browser.post("/sign-in", data=form).status_code == 302

    assert [row.profile_id for row in rows()] == [cast.amelia.id]


def test_copied_cookie_is_invalid_after_signing_out(amelia: Visitor, visit: Visit) -> None:
    thief = visit(None)
    thief.browser.set_cookie("kingston_session", amelia.cookie())
    assert thief.get("/clients").status_code == 200

    amelia.post("/sign-out")
    assert rows() == []
    assert thief.get("/clients").status_code == 302


def test_profile_with_too_many_sessions_keeps_the_newest(app: Flask, cast: Cast) -> None:
    texts = [store.begin(cast.amelia.id, 1, RequestOrigin(), hours=12) for _ in range(MAX_SESSIONS_PER_PROFILE + 3)]
    db.session.commit()

    assert len(rows()) == MAX_SESSIONS_PER_PROFILE
    assert store.find_active(parse_identity(texts[-1])) is not None


def test_use_is_recorded_at_most_once_a_minute(amelia: Visitor) -> None:
    def used_just_now() -> bool:
        return bool(db.session.scalar(text("SELECT last_used_at > now() - interval '5 s' FROM sign_in_sessions")))

    change(last_used_at=db.text("now() - interval '59 s'"))
    amelia.get("/clients")
    assert not used_just_now()

    change(last_used_at=db.text("now() - interval '61 s'"))
    amelia.get("/clients")
    assert used_just_now()


@pytest.mark.parametrize("name", [name for name in CALLS if name != "page"])
def test_background_request_does_not_count_as_use(amelia: Visitor, name: str) -> None:
    change(last_used_at=db.text("now() - interval '10 min'"))
    CALLS[name](amelia)
    amelia.get("/clients/1", headers={"X-Background": "1"})

    assert db.session.scalar(text("SELECT last_used_at < now() - interval '9 min' FROM sign_in_sessions"))


@pytest.mark.parametrize(
    ("values", "is_purged"),
    [
        ({"ends_at": "now() - interval '1 s'"}, True),
        ({"last_used_at": "now() - interval '33 min'"}, True),
        ({"last_used_at": "now() - interval '31 min'"}, False),
        ({}, False),
    ],
)
def test_purge_deletes_sessions_past_a_limit(amelia: Visitor, values: dict[str, str], is_purged: bool) -> None:
    change(**{name: db.text(sql) for name, sql in {"user_agent": "'x'", **values}.items()})
    [job] = [job for job in JOBS if job.name == "sign-in session purge"]

    assert run_job(job) == int(is_purged)
    assert len(rows()) == int(not is_purged)
