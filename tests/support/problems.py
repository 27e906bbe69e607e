"""Assertions about problem+json, the API's format of errors (RFC 9457)."""

from typing import Any

from werkzeug.test import TestResponse


def assert_problem(response: TestResponse, status: int) -> None:
    """Assert that the response is a problem of this status and reveals no internals."""
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    assert response.json["status"] == status
    assert response.json["title"]
    assert response.json["detail"]
    assert "Traceback" not in response.text


def assert_whole_problem(response: TestResponse, status: int, title: str, detail: str) -> None:
    """Assert that the response is this problem, with the request's id and no other member."""
    assert_problem(response, status)
    expected: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    assert response.json == {"request_id": response.headers["X-Request-ID"], **expected}
