"""Return the same responses to heartbeats by the fast path and by Flask.

A charset in the content type makes Flask respond. Everything else is the same in both calls.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from portal.extensions import db
from portal.presence import fast_path, views
from tests.support.cast import Cast
from tests.support.heartbeats import PATHS, by
from tests.support.postgres_proxy import Wiretap
from tests.support.test_client import Visitor, visitors_of

Visit = type[Visitor]


@pytest.fixture
def paths_taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The path of each heartbeat, in order."""
    paths: list[str] = []
    for path, module in (("fast", fast_path), ("flask", views)):
        handler = module.handle_beat

        def recorded(*arguments: Any, path: str = path, handler: Callable[..., Any] = handler) -> Any:
            paths.append(path)
            return handler(*arguments)

        monkeypatch.setattr(module, "handle_beat", recorded)
    return paths


def test_ordinary_heartbeat_takes_the_fast_path(
    visit: Visit, cast: Cast, page_identifier: str, paths_taken: list[str]
) -> None:
    amelia = visit(cast.amelia).with_token()
    amelia.beat(page_identifier)
    by("flask", amelia, {"page_identifier": page_identifier})

    assert paths_taken == ["fast", "flask"]


def test_both_paths_return_the_same_response(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """The bodies are equal except for times, and all headers are equal."""
    visit(cast.daniel).beat(page_identifier)
    amelia = visit(cast.amelia).with_token()
    body = {"page_identifier": page_identifier, "tab_id": "t", "activity": "editing", "fields": ["Phone"]}

    one, other = (by(path, amelia, body) for path in PATHS)

    assert (one.status, one.content_type) == (other.status, other.content_type) == ("200 OK", "application/json")
    assert _without_times(one) == _without_times(other)
    assert _without_length(one) == _without_length(other)
    assert one.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "body",
    [
        {"page_identifier": "client-999999"},
        {"page_identifier": "nowhere"},
        {"page_identifier": 7},
        {"page_identifier": "client-1", "tab_id": "a b"},
        {"page_identifier": "client-1", "activity": "sleeping"},
        [],
        None,
        b"{",
        b"",
        b"\xff",
        b"[" * 5_000,
        b'{"page_identifier": ' + b"9" * 5_000 + b"}",
        b"x" * 20_000,
    ],
)
def test_both_paths_return_the_same_error(visit: Visit, cast: Cast, page_identifier: str, body: Any) -> None:
    amelia = visit(cast.amelia).with_token()

    one, other = (by(path, amelia, body) for path in PATHS)

    assert one.status_code == other.status_code >= 400
    assert without_request_id(one) == without_request_id(other)


@pytest.mark.parametrize("path", PATHS)
def test_both_paths_accept_the_same_callers(
    visit: Visit, cast: Cast, olgas_browser: Visitor, page_identifier: str, path: str
) -> None:
    body = {"page_identifier": page_identifier}
    with_foreign_token = visit(cast.amelia)
    with_foreign_token._token = visit(cast.daniel).with_token()._token

    assert by(path, visit(None), body).status_code == 401
    assert by(path, olgas_browser, body).status_code == 401
    assert by(path, visit(cast.amelia).without_token(), body).status_code == 403
    assert by(path, with_foreign_token, body).status_code == 403
    assert by(path, visit(cast.rhys), body).status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_both_paths_reject_an_ended_session(visit: Visit, cast: Cast, page_identifier: str, path: str) -> None:
    """The fast path caches the signature of a cookie, not the validity of its session."""
    amelia, body = visit(cast.amelia).with_token(), {"page_identifier": page_identifier}
    assert by(path, amelia, body).status_code == 200
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=31)):
        assert by(path, amelia, body).status_code == 401
    assert by(path, amelia, body).status_code == 200

    cast.amelia.session_epoch += 1
    db.session.commit()
    assert by(path, amelia, body).status_code == 401


def test_cookie_signed_with_another_key_is_401(
    make_app: Callable[..., Flask], visit: Visit, cast: Cast, page_identifier: str
) -> None:
    amelia = visit(cast.amelia).with_token()
    amelia.beat(page_identifier)
    other = visitors_of(make_app(secret_key="x" * 40))(None)
    other.browser.set_cookie("kingston_session", amelia.cookie())
    other._token = amelia._token

    assert other.beat(page_identifier).status_code == 401


@pytest.mark.parametrize("path", PATHS)
def test_both_paths_return_503_during_a_database_outage(
    tapped_visit: Visit, cast: Cast, wiretap: Wiretap, page_identifier: str, path: str
) -> None:
    amelia, body = tapped_visit(cast.amelia).with_token(), {"page_identifier": page_identifier}
    by(path, amelia, body)
    with wiretap.cut():
        response = by(path, amelia, body)

    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert response.content_type == "application/problem+json"


@pytest.mark.parametrize("body", [{"page_identifier": "client-999999"}, {"page_identifier": "client-1"}])
def test_heartbeat_that_the_fast_path_has_rejected_is_one_statement(
    tapped_visit: Visit, cast: Cast, wiretap: Wiretap, body: dict[str, str]
) -> None:
    """This covers ended sessions and pages without permission."""
    amelia = tapped_visit(cast.amelia).with_token()
    by("fast", amelia, body)
    cast.amelia.session_epoch += 1
    db.session.commit()

    with wiretap.listening() as statements:
        assert by("fast", amelia, body).status_code == 401
    assert len(statements) == 1


@pytest.mark.parametrize("length", ["", "-1", "+5", "1_0", "5.0", "\xb2", "99999999999999999999", " 5"])
def test_invalid_content_length_is_passed_to_flask(visit: Visit, cast: Cast, page_identifier: str, length: str) -> None:
    amelia = visit(cast.amelia).with_token()

    response = amelia.post(
        "/user_page_presence",
        data=json.dumps({"page_identifier": page_identifier}),
        content_type="application/json",
        environ_overrides={"CONTENT_LENGTH": length},
    )

    assert response.status_code in (200, 400, 413)


def test_path_with_the_same_prefix_is_not_a_heartbeat(visit: Visit, cast: Cast, page_identifier: str) -> None:
    amelia = visit(cast.amelia).with_token()

    for path in ("/user_page_presence/", "/user_page_presence/x", "//user_page_presence", "/USER_PAGE_PRESENCE"):
        assert amelia.post(path, json={"page_identifier": page_identifier}).status_code in (400, 404, 405)


def without_request_id(response: TestResponse) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return the body and headers of an error without its request id."""
    problem = response.json
    assert problem.pop("request_id") == response.headers["X-Request-ID"]
    return problem, sorted(header for header in response.headers.items() if header[0] != "X-Request-ID")


def _without_times(response: TestResponse) -> Any:
    body = response.json
    del body["read_at"]
    for user in body["users"]:
        del user["last_seen"], user["seconds_ago"]
    return body


def _without_length(response: TestResponse) -> list[tuple[str, str]]:
    """Return the headers without the length, which varies with the decimals of the times."""
    return sorted(header for header in response.headers if header[0] != "Content-Length")


def test_unexpected_error_is_answered_and_logged_by_flask(
    visit: Visit, cast: Cast, page_identifier: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Raised in the fast path, it would give the user gunicorn's own page, and the log would name neither request nor
    user.
    """

    def fail(*_: object) -> None:
        raise RuntimeError("unexpected")

    amelia = visit(cast.amelia).with_token()
    monkeypatch.setattr(fast_path, "handle_beat", fail)

    response = by("fast", amelia, {"page_identifier": page_identifier})
    assert (response.status_code, response.content_type) == (500, "application/problem+json")
    assert "unexpected error in POST /user_page_presence" in caplog.text
