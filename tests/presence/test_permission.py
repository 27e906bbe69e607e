"""Presence rule 9 of ARCHITECTURE.md: who may not see a client may not learn who is on it."""

import json
from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from tests.support.cast import Cast
from tests.support.test_client import Visitor
from tests.support.time_travel import rows

Visit = type[Visitor]
CALLS: dict[str, Callable[[Visitor, str], TestResponse]] = {
    "beat": lambda visitor, page: visitor.beat(page),
    "roster": lambda visitor, page: visitor.get(f"/user_page_presence/{page}"),
    "leave": lambda visitor, page: visitor.leave(page),
    "leave one tab": lambda visitor, page: visitor.leave(page, "t"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("page_identifier", ["client-999999", "product-1", "client-2147483648", "nonsense", "a-%00"])
def test_rule_9_every_presence_call_checks_the_pages_own_permission(
    visit: Visit, cast: Cast, page_identifier: str, call: Callable[[Visitor, str], TestResponse]
) -> None:
    """Rule 9: what does not exist and what is not for the caller look the same, and tell nothing of anybody."""
    visit(cast.daniel).beat(page_identifier)
    answer = call(visit(cast.amelia), page_identifier)

    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert answer.json == {
        "request_id": answer.headers["X-Request-ID"],
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no such page, or you do not have access to it.",
    }
    assert rows() == []


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_reader_meets_others_like_anybody(
    visit: Visit, cast: Cast, page_identifier: str, call: Callable[[Visitor, str], TestResponse]
) -> None:
    assert call(visit(cast.rhys), page_identifier).status_code == 200


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_who_is_not_signed_in_is_told_nothing(
    visit: Visit,
    cast: Cast,
    olgas_browser: Visitor,
    page_identifier: str,
    call: Callable[[Visitor, str], TestResponse],
) -> None:
    visit(cast.daniel).beat(page_identifier)
    for somebody in (visit(None), olgas_browser):
        answer = call(somebody, page_identifier)
        assert answer.status_code == 401
        assert answer.content_type == "application/problem+json"
        assert "Daniel" not in json.dumps(answer.json)
    assert rows() == [(cast.daniel.id, page_identifier)]


def test_rule_9_the_bulk_read_and_clearing_know_the_session_too(
    visit: Visit, olgas_browser: Visitor, page_identifier: str
) -> None:
    for somebody in (visit(None), olgas_browser):
        assert somebody.get(f"/user_page_presence?page={page_identifier}").status_code == 401
        assert somebody.delete("/user_page_presence").status_code == 401


@pytest.mark.parametrize("call", ["beat", "leave", "clear"])
def test_an_unsafe_call_without_its_csrf_token_is_403_and_does_nothing(
    visit: Visit, cast: Cast, page_identifier: str, call: str
) -> None:
    visit(cast.amelia).beat(page_identifier)
    tricked = visit(cast.amelia).without_token()
    other = "client-999999"

    answer = {
        "beat": lambda: tricked.beat(other),
        "leave": lambda: tricked.leave(page_identifier),
        "clear": lambda: tricked.delete("/user_page_presence"),
    }[call]()

    assert answer.status_code == 403
    assert answer.json["status"] == 403
    assert rows() == [(cast.amelia.id, page_identifier)]


@pytest.mark.parametrize("token", ["x", "ä", "." * 5000, "IjEyMyI.aaaa.bbbb"])
def test_a_token_that_is_not_the_sessions_is_403(visit: Visit, cast: Cast, page_identifier: str, token: str) -> None:
    amelia = visit(cast.amelia).with_token()
    amelia._token = token

    assert amelia.beat(page_identifier).status_code == 403


def test_the_token_of_somebody_else_is_403(visit: Visit, cast: Cast, page_identifier: str) -> None:
    amelia, daniel = visit(cast.amelia).with_token(), visit(cast.daniel).with_token()
    amelia._token = daniel._token

    assert amelia.beat(page_identifier).status_code == 403


def test_not_signed_in_comes_before_the_missing_token(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """The browser offers to sign in again on 401; on 403 it could only give up."""
    assert visit(None).without_token().beat(page_identifier).status_code == 401
