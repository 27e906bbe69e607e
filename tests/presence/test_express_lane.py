"""The express lane answers ordinary beats before Flask is asked. Nobody may notice which lane it was.

A charset in the content type sends a beat down Flask's lane; everything else about the two calls is the same.
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
from tests.support.postgres_proxy import Wiretap
from tests.support.test_client import Visitor, visitors_of

Visit = type[Visitor]
LANES = {"express": "application/json", "flask": "application/json; charset=utf-8"}


@pytest.fixture
def lanes_taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which lane has answered beats, in order."""
    taken: list[str] = []
    for lane, module in (("express", fast_path), ("flask", views)):
        answer = module.handle_beat

        def noted(*arguments: Any, lane: str = lane, answer: Callable[..., Any] = answer) -> Any:
            taken.append(lane)
            return answer(*arguments)

        monkeypatch.setattr(module, "handle_beat", noted)
    return taken


def by(lane: str, visitor: Visitor, body: Any, **options: Any) -> TestResponse:
    data = body if isinstance(body, bytes) else json.dumps(body)
    return visitor.post("/user_page_presence", data=data, content_type=LANES[lane], **options)


def test_an_ordinary_beat_takes_the_express_lane(
    visit: Visit, cast: Cast, page_identifier: str, lanes_taken: list[str]
) -> None:
    amelia = visit(cast.amelia).with_token()
    amelia.beat(page_identifier)
    by("flask", amelia, {"page_identifier": page_identifier})

    assert lanes_taken == ["express", "flask"]


def test_both_lanes_answer_alike(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """The body to the byte, but for the moment, and every header."""
    visit(cast.daniel).beat(page_identifier)
    amelia = visit(cast.amelia).with_token()
    body = {"page_identifier": page_identifier, "tab_id": "t", "activity": "editing", "fields": ["Phone"]}

    one, other = (by(lane, amelia, body) for lane in LANES)

    assert (one.status, one.content_type) == (other.status, other.content_type) == ("200 OK", "application/json")
    assert _without_moments(one) == _without_moments(other)
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
def test_both_lanes_refuse_alike(visit: Visit, cast: Cast, page_identifier: str, body: Any) -> None:
    amelia = visit(cast.amelia).with_token()

    one, other = (by(lane, amelia, body) for lane in LANES)

    assert one.status_code == other.status_code >= 400
    assert without_its_id(one) == without_its_id(other)


@pytest.mark.parametrize("lane", LANES)
def test_both_lanes_know_the_same_callers(
    visit: Visit, cast: Cast, olgas_browser: Visitor, page_identifier: str, lane: str
) -> None:
    body = {"page_identifier": page_identifier}
    somebody_elses = visit(cast.amelia)
    somebody_elses._token = visit(cast.daniel).with_token()._token

    assert by(lane, visit(None), body).status_code == 401
    assert by(lane, olgas_browser, body).status_code == 401
    assert by(lane, visit(cast.amelia).without_token(), body).status_code == 403
    assert by(lane, somebody_elses, body).status_code == 403
    assert by(lane, visit(cast.rhys), body).status_code == 200


@pytest.mark.parametrize("lane", LANES)
def test_both_lanes_end_with_the_session(visit: Visit, cast: Cast, page_identifier: str, lane: str) -> None:
    """What the express lane remembers of a cookie is its signature alone, not that the session holds."""
    amelia, body = visit(cast.amelia).with_token(), {"page_identifier": page_identifier}
    assert by(lane, amelia, body).status_code == 200
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=31)):
        assert by(lane, amelia, body).status_code == 401
    assert by(lane, amelia, body).status_code == 200

    cast.amelia.session_epoch += 1
    db.session.commit()
    assert by(lane, amelia, body).status_code == 401


def test_applications_with_different_keys_do_not_mix(
    make_app: Callable[..., Flask], visit: Visit, cast: Cast, page_identifier: str
) -> None:
    amelia = visit(cast.amelia).with_token()
    amelia.beat(page_identifier)
    other = visitors_of(make_app(secret_key="x" * 40))(None)
    other.browser.set_cookie("kingston_session", amelia.cookie())
    other._token = amelia._token

    assert other.beat(page_identifier).status_code == 401


@pytest.mark.parametrize("lane", LANES)
def test_both_lanes_say_that_the_database_is_away(
    tapped_visit: Visit, cast: Cast, wiretap: Wiretap, page_identifier: str, lane: str
) -> None:
    amelia, body = tapped_visit(cast.amelia).with_token(), {"page_identifier": page_identifier}
    by(lane, amelia, body)
    with wiretap.cut():
        answer = by(lane, amelia, body)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("body", [{"page_identifier": "client-999999"}, {"page_identifier": "client-1"}])
def test_a_beat_that_the_express_lane_has_refused_is_not_asked_again(
    tapped_visit: Visit, cast: Cast, wiretap: Wiretap, body: dict[str, str]
) -> None:
    """One statement also for those who are no longer signed in, and for pages that are not theirs."""
    amelia = tapped_visit(cast.amelia).with_token()
    by("express", amelia, body)
    cast.amelia.session_epoch += 1
    db.session.commit()

    with wiretap.listening() as heard:
        assert by("express", amelia, body).status_code == 401
    assert len(heard) == 1


@pytest.mark.parametrize("length", ["", "-1", "+5", "1_0", "5.0", "\xb2", "99999999999999999999", " 5"])
def test_a_length_that_is_none_is_left_to_flask(visit: Visit, cast: Cast, page_identifier: str, length: str) -> None:
    amelia = visit(cast.amelia).with_token()

    answer = amelia.post(
        "/user_page_presence",
        data=json.dumps({"page_identifier": page_identifier}),
        content_type="application/json",
        environ_overrides={"CONTENT_LENGTH": length},
    )

    assert answer.status_code in (200, 400, 413)


def test_another_path_with_the_same_beginning_is_not_a_beat(visit: Visit, cast: Cast, page_identifier: str) -> None:
    amelia = visit(cast.amelia).with_token()

    for path in ("/user_page_presence/", "/user_page_presence/x", "//user_page_presence", "/USER_PAGE_PRESENCE"):
        assert amelia.post(path, json={"page_identifier": page_identifier}).status_code in (400, 404, 405)


def without_its_id(answer: TestResponse) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Body and headers of an error but for what tells two requests apart."""
    problem = answer.json
    assert problem.pop("request_id") == answer.headers["X-Request-ID"]
    return problem, sorted(header for header in answer.headers.items() if header[0] != "X-Request-ID")


def _without_moments(answer: TestResponse) -> Any:
    body = answer.json
    del body["read_at"]
    for user in body["users"]:
        del user["last_seen"], user["seconds_ago"]
    return body


def _without_length(answer: TestResponse) -> list[tuple[str, str]]:
    """A moment is written with as many decimals as it has."""
    return sorted(header for header in answer.headers if header[0] != "Content-Length")


def test_an_error_that_nobody_foresaw_is_answered_and_logged_by_flask(
    visit: Visit, cast: Cast, page_identifier: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Past the lane a person would see gunicorn's bare page, and the log would name neither request nor person."""

    def fail(*_: object) -> None:
        raise RuntimeError("nobody foresaw this")

    amelia = visit(cast.amelia).with_token()
    monkeypatch.setattr(fast_path, "handle_beat", fail)

    answer = by("express", amelia, {"page_identifier": page_identifier})
    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
    assert "unforeseen error in POST /user_page_presence" in caplog.text
