"""Test that logs contain no password, token, cookie or value of a client record."""

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import text

from portal.auth.passwords import hashing
from portal.extensions import PRESENCE_BIND, db
from portal.monitoring.logs import DiscreetFormatter, RequestIdFilter
from tests.support.cast import PASSWORD, Cast
from tests.support.factories import make_client
from tests.support.html import form_of
from tests.support.postgres_proxy import Wiretap
from tests.support.test_client import Visitor, visitors_of

SECRET = "MARKERSECRET"  # in whatever is typed, so that one look finds it
INSERT = "INSERT INTO profiles (first_name, last_name, email, role)"
FORMAT = "%(levelname)s %(name)s %(message)s"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Return all log output, in the format of a server with PORTAL_LOG_LEVEL=DEBUG."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(DiscreetFormatter(FORMAT))
    handler.addFilter(RequestIdFilter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.setLevel(level)
    root.removeHandler(handler)


def failing(app: Flask) -> None:
    """Add routes with unexpected database errors. PostgreSQL's messages quote the row."""
    queries = {
        "duplicate": INSERT + " SELECT :v, :v, email, role FROM profiles",  # noqa: S608
        "check": INSERT + " VALUES (:v, :v, :v, :v)",  # noqa: S608
        "syntax": "SELECT cast(:v AS date)",
        "range": "SELECT cast(:n AS int)",
    }
    for name, query in queries.items():

        def fail(query: str = query) -> None:
            with db.engine.begin() as connection:
                connection.execute(text(query), {"v": SECRET[:9], "n": "9" * 30})

        app.add_url_rule(f"/fail/{name}", f"fail-{name}", fail)

    def fail_in_presence() -> None:
        with db.engines[PRESENCE_BIND].connect() as connection:
            connection.execute(text("SELECT cast(:v AS uuid)"), {"v": SECRET})

    app.add_url_rule("/fail/presence", "fail-presence", fail_in_presence)


def use(visit: type[Visitor], cast: Cast) -> list[str]:
    """Use the portal with secret input. Return further values that must not be logged."""
    amelia, ada, nobody = visit(cast.amelia).with_token(), visit(cast.ada).with_token(), visit(None)
    page = form_of(nobody.get("/sign-in"))
    for email, password in ((SECRET, SECRET), (cast.amelia.email, SECRET), (f"{SECRET}\0", PASSWORD)):
        nobody.post("/sign-in", data={**page, "email": email, "password": password})
    nobody.get(f"/sign-in?next=/{SECRET}")
    nobody.get(f"/{SECRET}", headers={"Referer": SECRET, "User-Agent": SECRET})
    nobody.post("/choose-password", data={**page, "email": SECRET, "code": SECRET})
    edit = {"version": "1", "name": SECRET, "client_type": "family", "status": "active", "notes": SECRET}
    for changes in ({}, {"version": "0"}, {"version": SECRET}, {"email": SECRET}, {"notes": SECRET * 2000}):
        amelia.post("/clients/1/edit", data=edit | changes)
    amelia.post("/clients/1/edit", data=edit | {"name": f"{SECRET}2"})
    amelia.call("PUT", "/edit_drafts/client-1?form=record", json={"version": 1, "values": {"notes": SECRET}})
    amelia.call("PUT", f"/edit_drafts/client-1?form={SECRET}", json={"version": SECRET, "values": [SECRET]})
    amelia.beat("client-1", tab_id="a", activity="editing", form="record", draft="d")
    ada.beat("client-1", tab_id="b", activity="editing", form="record")
    shared = {"version": 1, "values": {"notes": SECRET}}
    amelia.call("PUT", "/edit_drafts/client-1?form=record&draft=d", json=shared)  # is shared with Ada
    assert SECRET in ada.get("/user_page_presence/client-1/drafts").text
    assert SECRET not in ada.beat("client-1", tab_id="b", activity="editing", form="record").text
    amelia.beat("client-1", form=SECRET, draft=SECRET * 9)
    amelia.get(f"/clients?q={SECRET}")
    amelia.get(f"/clients/1/changes?since={SECRET}")
    amelia.beat("client-1", fields=[SECRET])
    amelia.beat(SECRET)
    amelia.beat("client-1", activity=SECRET)
    amelia.post("/user_page_presence", data=SECRET, content_type="application/json")
    amelia.post("/account/password", data={"password-current_password": SECRET, "password-new_password": SECRET})
    amelia.post("/account/second-factor/confirm", data={"code": SECRET})
    amelia.post("/users/new", data={"email": SECRET})
    visit(cast.rhys).post("/clients/1/edit", data=edit)
    visit(cast.amelia).without_token().post("/clients/1/edit", data=edit)
    ada.post(
        "/users/new", data={"email": "zoe@firm.example", "first_name": SECRET, "last_name": SECRET, "role": "reader"}
    )
    ada.get(f"/audit?who={SECRET}&address={SECRET}")
    for name in ("duplicate", "check", "syntax", "range", "presence"):
        assert amelia.get(f"/fail/{name}").status_code == 500
    device = nobody.browser.get_cookie("kingston_device")
    hidden = [amelia.cookie(), ada.cookie(), amelia._token, ada._token, page["csrf_token"], device and device.value]
    return [value for value in hidden if value]


def test_logs_contain_no_input_and_no_credentials(
    make_app: Callable[..., Flask], cast: Cast, log: io.StringIO, wiretap: Wiretap
) -> None:
    make_client(notes=SECRET)
    cast.daniel.password_hash = hashing.hash_password(SECRET + SECRET)
    db.session.commit()
    app = make_app(database_url=wiretap.url)
    failing(app)
    visit = visitors_of(app)

    hidden = use(visit, cast)
    amelia = visit(cast.amelia).with_token()
    with wiretap.cut():
        assert amelia.post("/clients/1/edit", data={"version": "1", "name": SECRET}).status_code == 503
        assert amelia.beat("client-1", fields=[SECRET]).status_code == 503

    told = log.getvalue()
    for value in (SECRET, SECRET[:9], PASSWORD, *hidden):
        around = told.find(value)
        assert around < 0, told[max(0, around - 300) : around + 100]
    lines = [json.loads(line) for line in told.splitlines()]
    assert len([line for line in lines if line["message"].startswith("unexpected error in GET /fail/")]) == 5
    assert [line for line in lines if line["message"].startswith("database away")]
    assert [line for line in lines if line["message"].startswith("not allowed: profile")]
    assert [line for line in lines if line["message"].startswith("no valid CSRF token: profile")]
    of_requests = [line for line in lines if line["name"] == "portal"]
    assert all(len(line["request_id"]) == 16 for line in of_requests)
    assert all("Traceback" in line["exc_info"] for line in lines if line["levelname"] == "ERROR")


def test_request_id_of_an_error_page_finds_its_log_line(
    make_app: Callable[..., Flask], cast: Cast, log: io.StringIO
) -> None:
    app = make_app()
    failing(app)

    answer = visitors_of(app)(cast.amelia).get("/fail/check")

    [line] = [json.loads(line) for line in log.getvalue().splitlines() if "unexpected error" in line]
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert line["request_id"] in answer.text
