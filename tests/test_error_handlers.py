"""Test the responses to errors: a page with a link back, or problem+json."""

import logging
from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.exceptions import ImATeapot

from portal import errors
from portal.web.error_handlers import STATUSES
from tests.support.cast import Cast
from tests.support.html import links_of, text_of
from tests.support.test_client import Visitor, visitors_of

Visit = type[Visitor]


@pytest.fixture
def failing(make_app: Callable[..., Flask]) -> tuple[Flask, dict[str, BaseException]]:
    """Return an application with a page and an API route that raise the error in the dictionary."""
    app = make_app()
    to_raise: dict[str, BaseException] = {}

    def fail() -> None:
        raise to_raise["error"]

    app.add_url_rule("/fail", "fail", fail)
    app.add_url_rule("/session-fail", "session-fail", fail)
    return app, to_raise


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.NotAllowed("You may look but not touch."), 403),
        (errors.NotFound("There is no such thing."), 404),
        (errors.StaleVersion("Somebody was quicker."), 409),
        (errors.InvalidInput("phone", "is too long"), 422),
        (errors.DatabaseUnavailable("Too slow."), 503),
        (ImATeapot(), 418),
    ],
)
def test_expected_error_has_its_status_as_page_and_as_json(
    failing: tuple[Flask, dict[str, BaseException]], cast: Cast, error: Exception, status: int
) -> None:
    app, to_raise = failing
    to_raise["error"] = error
    amelia = visitors_of(app)(cast.amelia)

    page, problem = amelia.get("/fail"), amelia.get("/session-fail")

    assert (page.status_code, problem.status_code) == (status, status)
    assert page.content_type == "text/html; charset=utf-8"
    assert problem.content_type == "application/problem+json"
    assert {"type", "title", "status", "detail", "request_id"} <= problem.json.keys()
    assert problem.json["request_id"] == problem.headers["X-Request-ID"] != page.headers["X-Request-ID"]
    assert page.headers["X-Request-ID"] in text_of(page) or status == 404
    if isinstance(error, errors.PortalError):
        assert str(error) in text_of(page)
        assert problem.json["detail"] == str(error)
    assert problem.json.get("field") == ("phone" if status == 422 else None)
    assert ("Retry-After" in page.headers) == ("Retry-After" in problem.headers) == (status == 503)


def test_each_error_of_a_request_has_a_status() -> None:
    at_start_up = {errors.ConfigurationError, errors.PostgresNotFound, errors.PostgresDidNotStart}
    foreseen = {error for error in errors.PortalError.__subclasses__() if error.__module__ == errors.__name__}

    assert foreseen - at_start_up == set(STATUSES)


def test_unexpected_error_is_logged_but_not_shown(
    failing: tuple[Flask, dict[str, BaseException]], cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    app, to_raise = failing
    to_raise["error"] = RuntimeError("secret detail")
    amelia = visitors_of(app)(cast.amelia)

    for path in ("/fail", "/session-fail"):
        caplog.clear()
        with caplog.at_level(logging.ERROR):
            answer = amelia.get(path)
        assert answer.status_code == 500
        assert "secret detail" not in answer.text
        assert "Something went wrong. The error has been logged" in answer.text
        [record] = caplog.records
        assert record.message == f"unexpected error in GET {path}"
        assert "secret detail" in caplog.text
        assert "Traceback" in caplog.text


@pytest.mark.parametrize(
    "path", ["/nowhere", "/clients/1/nowhere", "/static/old/js/main.js", "/%00", "/\N{PILE OF POO}"]
)
def test_page_of_a_404_links_to_the_clients(visit: Visit, cast: Cast, path: str) -> None:
    amelia, nobody = visit(cast.amelia).get(path), visit(None).get(path)

    assert (amelia.status_code, nobody.status_code) == (404, 404)
    assert "/clients" in links_of(amelia)
    assert "/" in links_of(nobody)


def test_error_is_json_if_the_request_accepts_json(visit: Visit, cast: Cast) -> None:
    amelia = visit(cast.amelia)

    assert amelia.get("/nowhere", headers={"Accept": "application/json"}).content_type == "application/problem+json"
    assert amelia.get("/nowhere", headers={"Accept": "text/html,*/*;q=0.8"}).content_type.startswith("text/html")
    assert visit(None).get("/clients", headers={"Accept": "application/json"}).status_code == 401


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "BREW"])
def test_method_that_a_page_does_not_accept_is_405(visit: Visit, cast: Cast, method: str) -> None:
    answer = visit(cast.amelia).call(method, "/clients")

    assert answer.status_code == 405
    assert set(answer.allow) == {"GET", "HEAD", "OPTIONS"}


def test_url_in_an_error_page_is_escaped(visit: Visit, cast: Cast) -> None:
    answer = visit(cast.amelia).get("/<script>alert(1)</script>?q=<img src=x>")

    assert "<script>alert" not in answer.text
    assert "<img" not in answer.text
