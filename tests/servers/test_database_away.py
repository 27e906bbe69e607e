"""Test that every request without PostgreSQL is 503 with Retry-After, as JSON or as a page, and never 500."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask, request_finished
from sqlalchemy import text

from portal.database import engines
from portal.extensions import db
from tests.support.cast import PASSWORD, Cast
from tests.support.factories import make_client
from tests.support.html import form_of, text_of
from tests.support.postgres_proxy import Wiretap
from tests.support.problems import assert_whole_problem
from tests.support.test_client import Visitor, visitors_of

Visit = type[Visitor]
CHANGE = {"version": "1", "name": "Whitmore", "client_type": "family", "status": "active"}


@pytest.fixture
def amelia(tapped_visit: Visit, cast: Cast) -> Visitor:
    make_client()
    return tapped_visit(cast.amelia).with_token()


JSON_CALLS = {
    "beat": lambda visitor: visitor.beat("client-1"),
    "roster": lambda visitor: visitor.get("/user_page_presence/client-1"),
    "rosters": lambda visitor: visitor.get("/user_page_presence?page=client-1"),
    "leave": lambda visitor: visitor.leave("client-1", "t"),
    "clear": lambda visitor: visitor.delete("/user_page_presence"),
    "session": lambda visitor: visitor.get("/session"),
}
PAGES = {
    "list": lambda visitor: visitor.get("/clients"),
    "client": lambda visitor: visitor.get("/clients/1"),
    "editor": lambda visitor: visitor.get("/clients/1/edit"),
    "save": lambda visitor: visitor.post("/clients/1/edit", data={"name": "X", "version": "1"}),
    "sign-in": lambda visitor: visitor.get("/sign-in"),
    "sign-out": lambda visitor: visitor.post("/sign-out"),
    "home": lambda visitor: visitor.get("/"),
    "ready": lambda visitor: visitor.get("/readyz"),
}


@pytest.mark.parametrize("call", JSON_CALLS.values(), ids=JSON_CALLS)
def test_api_answers_503_as_problem_json(amelia: Visitor, wiretap: Wiretap, call) -> None:
    with wiretap.cut():
        answer = call(amelia)

    detail = "The database cannot be reached at the moment. Try again in a moment."
    assert_whole_problem(answer, 503, "Service Unavailable", detail)
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("call", PAGES.values(), ids=PAGES)
def test_page_without_the_database_is_a_readable_503(
    amelia: Visitor, wiretap: Wiretap, call, caplog: pytest.LogCaptureFixture
) -> None:
    """Rendering the page reads no profile, because a second failure would be a 500."""
    with wiretap.cut():
        answer = call(amelia)

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.content_type == "text/html; charset=utf-8"
    assert "The database cannot be reached at the moment." in text_of(answer)
    assert "Traceback" not in answer.text
    assert "psycopg2" not in answer.text
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.parametrize("call", [JSON_CALLS["beat"], PAGES["list"], PAGES["client"]])
def test_portal_works_again_as_soon_as_the_database_does(amelia: Visitor, wiretap: Wiretap, call) -> None:
    with wiretap.cut():
        assert call(amelia).status_code == 503

    assert call(amelia).status_code == 200


def test_signing_in_is_503_and_the_page_without_a_session_still_opens(tapped_visit: Visit, wiretap: Wiretap) -> None:
    nobody = tapped_visit(None)
    with wiretap.cut():
        page = nobody.get("/sign-in")
        assert page.status_code == 200
        answer = nobody.post("/sign-in", data={**form_of(page), "email": "amelia@firm.example", "password": PASSWORD})

    assert answer.status_code == 503


def test_read_response_is_sent_when_the_database_fails_before_the_connection_is_returned(
    amelia: Visitor, wiretap: Wiretap, shared_tapped_app: Flask
) -> None:
    def break_connections(_app: Flask, **_: object) -> None:
        wiretap.break_connections()

    with request_finished.connected_to(break_connections, shared_tapped_app):
        assert amelia.get("/clients/1/changes?since=1").status_code == 200
    assert amelia.get("/clients/1/changes?since=1").status_code == 200


def test_process_is_alive_without_its_database(amelia: Visitor, wiretap: Wiretap) -> None:
    with wiretap.cut():
        assert amelia.get("/healthz").status_code == 200


def test_database_that_never_existed_is_the_same_503(make_app: Callable[..., Flask], visit: Visit, cast: Cast) -> None:
    """The portal starts without its database, and the response needs none."""
    app = make_app(database_url="postgresql+psycopg2://postgres@/kingston?host=/nonexistent")
    stranded = visitors_of(app)(None)
    stranded.browser.set_cookie("kingston_session", visit(cast.amelia).with_token().cookie())

    assert stranded.get("/user_page_presence/client-1").status_code == 503
    assert stranded.get("/clients").status_code == 503


def test_exhausted_pool_is_503(make_app: Callable[..., Flask], cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time to wait for a connection is limited too."""
    monkeypatch.setattr(engines, "WAIT_FOR_CONNECTION_SECONDS", 0.1)
    app = make_app(db_pool_size=1)
    amelia = visitors_of(app)(cast.amelia)
    with app.app_context(), db.engine.connect():
        assert amelia.get("/clients").status_code == 503

    assert amelia.get("/clients").status_code == 200


def test_beat_that_exceeds_the_lock_timeout_is_503(
    make_app: Callable[..., Flask], cast: Cast, wiretap: Wiretap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ALTER TABLE must not hold a worker. The statement is not repeated, because it would wait as long again."""
    monkeypatch.setattr(engines, "BEAT_TIMEOUT_MS", 200)
    amelia = visitors_of(make_app(database_url=wiretap.url))(cast.amelia).with_token()
    page_identifier = f"client-{make_client().id}"
    assert amelia.beat(page_identifier).status_code == 200
    with db.engine.begin() as connection, wiretap.listening() as heard:
        connection.execute(text("LOCK user_page_presence"))
        assert amelia.beat(page_identifier).status_code == 503

    assert len(heard) == 1
    assert amelia.beat(page_identifier).status_code == 200


def test_outage_writes_one_log_line_per_request_and_one_traceback_per_minute(
    make_app: Callable[..., Flask], wiretap: Wiretap, cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    amelia = visitors_of(make_app(database_url=wiretap.url))(cast.amelia)
    with wiretap.cut():
        for _ in range(3):
            amelia.get("/clients")

    lines = [record for record in caplog.records if record.getMessage().startswith("database away: ")]
    assert [record.exc_info is not None for record in lines] == [True, False, False]
    assert all("\n" not in record.getMessage() for record in lines)


@pytest.mark.parametrize(
    ("sqlstate", "said"),
    [("53100", "disk full"), ("53300", "full of connections"), ("57014", "too slow"), ("57P01", "away")],
)
def test_log_names_the_cause_of_an_outage(
    amelia: Visitor, app: Flask, caplog: pytest.LogCaptureFixture, sqlstate: str, said: str
) -> None:
    """PostgreSQL reports the cause by its SQLSTATE, here during a save."""
    with failing_updates(sqlstate):
        answer = amelia.post("/clients/1/edit", data={**CHANGE, "notes": sqlstate})

    assert answer.status_code == 503
    assert f"database {said}: " in caplog.text


def test_stale_token_is_403_while_the_database_is_away(amelia: Visitor, wiretap: Wiretap) -> None:
    with wiretap.cut():
        form = amelia.without_token().post("/clients/1/edit", data={"name": "X", "version": "1"})
        call = amelia.delete("/user_page_presence")

    assert (form.status_code, call.status_code) == (403, 403)


@contextmanager
def failing_updates(sqlstate: str) -> Iterator[None]:
    """Let PostgreSQL reject every update of a client in this block, with this SQLSTATE."""
    with db.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION 'it failed' USING ERRCODE = '{sqlstate}'; END $$;"
            "CREATE TRIGGER fail BEFORE UPDATE ON clients FOR EACH ROW EXECUTE FUNCTION fail()"
        )
    try:
        yield
    finally:
        with db.engine.begin() as connection:
            connection.exec_driver_sql("DROP FUNCTION fail() CASCADE")
