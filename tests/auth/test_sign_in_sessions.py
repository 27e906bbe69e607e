"""The rows behind the sign-in sessions: what they keep, what ends them, and that every call asks them."""

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
from tests.auth.test_sign_in import sign_in
from tests.support.cast import Cast
from tests.support.factories import make_client
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
    """Whatever is told of every session."""
    db.session.execute(update(SignInSession).values(**values))
    db.session.commit()


@pytest.fixture
def amelia(visit: Visit, cast: Cast) -> Visitor:
    make_client()
    return visit(cast.amelia).with_token()


def test_signing_in_keeps_where_from_and_nothing_to_sign_in_with(visit: Visit, cast: Cast) -> None:
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
def test_every_call_stops_at_the_absolute_limit(amelia: Visitor, call: Callable[[Visitor], object]) -> None:
    """However busy the session was: twelve hours after its beginning one signs in again (ASVS 5.0.0, 7.3.2)."""
    change(ends_at=db.text("now() + interval '1 minute'"))
    assert call(amelia)

    change(ends_at=db.text("now()"))
    assert not call(amelia)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_every_call_stops_with_the_row(amelia: Visitor, call: Callable[[Visitor], object]) -> None:
    assert call(amelia)

    db.session.execute(db.delete(SignInSession))
    db.session.commit()
    assert not call(amelia)


def test_the_limit_is_the_operators(make_app: Callable[..., Flask], cast: Cast) -> None:
    sign_in(visitors_of(make_app(session_hours=2))(None), cast.amelia.email)

    assert db.session.scalar(text("SELECT ends_at - started_at = interval '2 hours' FROM sign_in_sessions"))


def test_a_session_belongs_to_one_profile(visit: Visit, cast: Cast) -> None:
    """Not even somebody who can sign cookies makes another's session of their own."""
    browser = visit(cast.daniel)
    with browser.browser.session_transaction() as session:
        token = session[IDENTITY_KEY].partition(".")[2]
        session[IDENTITY_KEY] = f"{cast.ada.id}.{token}"

    assert browser.get("/session").status_code == 401
    assert browser.get("/user_page_presence/client-1").status_code == 401


def test_a_session_begun_with_the_old_password_does_not_survive_the_new_one(
    app: Flask, visit: Visit, cast: Cast
) -> None:
    """The race: signing in reads the profile, the password is changed and all sessions end, then the row is written."""
    epoch = cast.amelia.session_epoch
    profiles.end_sessions(cast.amelia)
    late = store.begin(cast.amelia.id, epoch, RequestOrigin(), hours=12)
    db.session.commit()

    assert store.find_active(parse_identity(late)) is None


def test_signing_in_again_ends_the_session_of_before(visit: Visit, cast: Cast) -> None:
    browser = visit(cast.daniel).with_token()
    form = {"csrf_token": browser._token, "email": cast.amelia.email, "password": "correct horse battery", "next": ""}
    assert browser.post("/sign-in", data=form).status_code == 302

    assert [row.profile_id for row in rows()] == [cast.amelia.id]


def test_signing_out_deletes_the_row_so_that_a_copied_cookie_is_worth_nothing(amelia: Visitor, visit: Visit) -> None:
    thief = visit(None)
    thief.browser.set_cookie("kingston_session", amelia.cookie())
    assert thief.get("/clients").status_code == 200

    amelia.post("/sign-out")
    assert rows() == []
    assert thief.get("/clients").status_code == 302


def test_the_newest_sessions_of_a_profile_are_kept(app: Flask, cast: Cast) -> None:
    texts = [store.begin(cast.amelia.id, 1, RequestOrigin(), hours=12) for _ in range(MAX_SESSIONS_PER_PROFILE + 3)]
    db.session.commit()

    assert len(rows()) == MAX_SESSIONS_PER_PROFILE
    assert store.find_active(parse_identity(texts[-1])) is not None


def test_use_is_noted_at_most_once_a_minute(amelia: Visitor) -> None:
    def used_just_now() -> bool:
        return bool(db.session.scalar(text("SELECT last_used_at > now() - interval '5 s' FROM sign_in_sessions")))

    change(last_used_at=db.text("now() - interval '59 s'"))
    amelia.get("/clients")
    assert not used_just_now()

    change(last_used_at=db.text("now() - interval '61 s'"))
    amelia.get("/clients")
    assert used_just_now()


@pytest.mark.parametrize("name", [name for name in CALLS if name != "page"])
def test_what_a_page_does_by_itself_is_no_use(amelia: Visitor, name: str) -> None:
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
def test_the_purge_takes_what_has_ended(amelia: Visitor, values: dict[str, str], is_purged: bool) -> None:
    change(**{name: db.text(sql) for name, sql in {"user_agent": "'x'", **values}.items()})
    [job] = [job for job in JOBS if job.name == "sign-in session purge"]

    assert run_job(job) == int(is_purged)
    assert len(rows()) == int(not is_purged)
