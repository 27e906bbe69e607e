"""How the portal connects: several hosts, limits to every wait, and a database that takes no changes."""

import contextvars
import socket
import tempfile
import time
from collections.abc import Callable, Iterator

import psycopg2
import pytest
from flask import Flask, Response, template_rendered
from sqlalchemy import select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from portal.auth import Profile
from portal.clients import Client
from portal.database import engines
from portal.driver.hosts import Hosts
from portal.extensions import LIVE_BIND, PRESENCE_BIND, db
from tests.support.cast import Cast
from tests.support.databases import read_only
from tests.support.factories import make_client
from tests.support.test_client import Visitor, visitors_of

MakeApp = Callable[..., Flask]


def with_hosts(url: str, *folders: str, **more: str) -> str:
    """The URL with these hosts before its own."""
    parsed = make_url(url)
    hosts = ",".join([*folders, str(parsed.query["host"])])
    return parsed.set(query={**parsed.query, "host": hosts, **more}).render_as_string(hide_password=False)


@pytest.fixture
def silent_host() -> Iterator[str]:
    """A server that takes connections and never says a word."""
    with tempfile.TemporaryDirectory(prefix="silent-") as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/.s.PGSQL.5432")
        listener.listen()
        yield folder


def reconnecting(app: Flask, profile: Profile) -> Visitor:
    """Somebody who has signed in, and whose next request opens the connections that it needs."""
    visitor = visitors_of(app)(profile)
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()
    return visitor


def test_first_host_that_responds_is_used(make_app: MakeApp, cast: Cast, database_url: str) -> None:
    amelia = visitors_of(make_app(database_url=with_hosts(database_url, "/nonexistent")))(cast.amelia)

    assert amelia.get("/clients").status_code == 200
    assert amelia.beat(f"client-{make_client().id}").status_code == 200


def test_silent_host_delays_only_the_first_connection(
    silent_host: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = Hosts(with_hosts(database_url, silent_host))
    hosts.connect({"connect_timeout": 2}).close()

    began = time.monotonic()
    hosts.connect({"connect_timeout": 60}).close()
    assert time.monotonic() - began < 30


def test_error_names_a_host_that_cannot_be_resolved(database_url: str) -> None:
    with pytest.raises(psycopg2.OperationalError, match=r"no-such-host\.invalid"):
        Hosts("postgresql://portal@no-such-host.invalid/portal").connect({})


@pytest.mark.parametrize(
    ("bind", "limits"),
    [
        (None, {"statement_timeout": "15s", "synchronous_commit": "on"}),
        (PRESENCE_BIND, {"statement_timeout": "5s", "synchronous_commit": "off"}),
        (LIVE_BIND, {"statement_timeout": "5s", "synchronous_commit": "off"}),
    ],
)
def test_every_connection_has_its_limits_and_keeps_them(app: Flask, bind: str | None, limits: dict[str, str]) -> None:
    expected = limits | {
        "TimeZone": "UTC",
        "lock_timeout": "3s",
        "idle_in_transaction_session_timeout": "1min",
        "random_page_cost": "1.1",
        "application_name": engines.APPLICATION_NAME,
    }
    with db.engines[bind].connect() as connection:
        connection.rollback()
        assert {name: connection.scalar(text(f"SHOW {name}")) for name in expected} == expected
        parameters = connection.connection.driver_connection.get_dsn_parameters()
    kernel = {name: str(value) for name, value in engines.KERNEL_LIMITS.items()}
    assert {name: parameters[name] for name in kernel} == kernel
    assert parameters["target_session_attrs"] == "read-write"


def test_transaction_that_was_left_open_is_ended_without_a_500(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    """As where the portal's host dies in the middle of a save: others get at the client's row again."""
    monkeypatch.setattr(engines, "IDLE_IN_TRANSACTION_SECONDS", 0.3)
    lock_row = select(Client.id).where(Client.id == client.id).with_for_update()
    with make_app().app_context():
        db.session.execute(lock_row)
        with contextvars.copy_context().run(make_app().app_context), db.engine.begin() as other:
            other.execute(lock_row)
        with pytest.raises(OperationalError):
            db.session.execute(lock_row)


CHANGES = {
    "beat": lambda visitor: visitor.beat("client-1"),
    "beat past the express lane": lambda visitor: visitor.post(
        "/user_page_presence", data='{"page_identifier": "client-1"}', content_type="application/json; charset=utf-8"
    ),
    "leave": lambda visitor: visitor.leave("client-1", "t"),
    "save": lambda visitor: visitor.post("/clients/1/edit", data={"name": "X", "version": "1"}),
    "sign-out": lambda visitor: visitor.post("/sign-out"),
    "page, whose reading is recorded": lambda visitor: visitor.get("/clients/1"),
}


def test_connection_that_ends_after_the_page_was_rendered_is_503(
    shared_app: Flask, cast: Cast, client: Client, visit: type[Visitor]
) -> None:
    """The read is recorded and the permission checked again after the view, where Flask calls no error handlers."""

    def end_connection(sender: object, **_: object) -> None:
        own = db.session.scalar(text("SELECT pg_backend_pid()"))
        with db.engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": own})

    amelia = visit(cast.amelia)
    with template_rendered.connected_to(end_connection, shared_app):
        response = amelia.get(f"/clients/{client.id}")

    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert amelia.get(f"/clients/{client.id}").status_code == 200


def test_error_of_the_database_outside_of_a_view_is_503(
    monkeypatch: pytest.MonkeyPatch, shared_app: Flask, visit: type[Visitor]
) -> None:
    errors = [OperationalError("ROLLBACK", None, psycopg2.OperationalError("server closed the connection"))]

    def fail(response: Response) -> Response:
        if errors:
            raise errors.pop()
        return response

    monkeypatch.setitem(shared_app.config, "PROPAGATE_EXCEPTIONS", False)  # as outside of tests
    monkeypatch.setitem(shared_app.after_request_funcs, None, [fail])

    assert visit(None).get("/sign-in").status_code == 503


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_write_to_a_read_only_database_is_503_and_discards_the_connection(
    make_app: MakeApp, cast: Cast, client: Client, database_url: str, change: Callable[[Visitor], TestResponse]
) -> None:
    """These connections take what they are given; when the database takes changes again, so do they."""
    amelia = reconnecting(make_app(database_url=with_hosts(database_url, target_session_attrs="any")), cast.amelia)
    with read_only(database_url):
        assert amelia.with_token().get("/clients").status_code == 200
        answer = change(amelia)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0

    assert change(amelia).status_code != 503


def test_no_page_is_read_from_a_read_only_host_unless_the_url_says_so(
    make_app: MakeApp, cast: Cast, database_url: str
) -> None:
    amelia = reconnecting(make_app(), cast.amelia)
    with read_only(database_url):
        assert amelia.get("/clients").status_code == 503
        assert amelia.get("/readyz").status_code == 503
    assert amelia.get("/clients").status_code == 200


def test_server_on_a_read_only_database_is_not_ready(make_app: MakeApp, database_url: str) -> None:
    browser = visitors_of(make_app(database_url=with_hosts(database_url, target_session_attrs="any")))(None)
    with read_only(database_url):
        answer = browser.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (503, "the database is read-only")
