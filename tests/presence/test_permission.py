"""Refuse presence to callers who may not see the page (rule 9 of presence in ARCHITECTURE.md)."""

import json
from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from tests.support.cast import Cast
from tests.support.problems import assert_whole_problem
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
def test_rule_9_every_call_checks_the_permission_of_its_page(
    visit: Visit, cast: Cast, page_identifier: str, call: Callable[[Visitor, str], TestResponse]
) -> None:
    """Missing and forbidden pages have the same response, which reveals no viewer."""
    visit(cast.daniel).beat(page_identifier)
    response = call(visit(cast.amelia), page_identifier)

    assert_whole_problem(response, 404, "Not Found", "Page not found, or you do not have access to it.")
    assert rows() == []


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_reader_has_presence_like_other_users(
    visit: Visit, cast: Cast, page_identifier: str, call: Callable[[Visitor, str], TestResponse]
) -> None:
    assert call(visit(cast.rhys), page_identifier).status_code == 200


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_caller_without_session_is_401_on_every_call(
    visit: Visit,
    cast: Cast,
    olgas_browser: Visitor,
    page_identifier: str,
    call: Callable[[Visitor, str], TestResponse],
) -> None:
    visit(cast.daniel).beat(page_identifier)
    for visitor in (visit(None), olgas_browser):
        response = call(visitor, page_identifier)
        assert response.status_code == 401
        assert response.content_type == "application/problem+json"
        assert "Daniel" not in json.dumps(response.json)
    assert rows() == [(cast.daniel.id, page_identifier)]


def test_rule_9_bulk_read_and_clearing_check_the_session(
    visit: Visit, olgas_browser: Visitor, page_identifier: str
) -> None:
    for visitor in (visit(None), olgas_browser):
        assert visitor.get(f"/user_page_presence?page={page_identifier}").status_code == 401
        assert visitor.delete("/user_page_presence").status_code == 401


@pytest.mark.parametrize("call", ["beat", "leave", "clear"])
def test_unsafe_call_without_csrf_token_is_403_and_changes_nothing(
    visit: Visit, cast: Cast, page_identifier: str, call: str
) -> None:
    visit(cast.amelia).beat(page_identifier)
    tricked = visit(cast.amelia).without_token()
    other = "client-999999"

    response = {
        "beat": lambda: tricked.beat(other),
        "leave": lambda: tricked.leave(page_identifier),
        "clear": lambda: tricked.delete("/user_page_presence"),
    }[call]()

    assert response.status_code == 403
    assert response.json["status"] == 403
    assert rows() == [(cast.amelia.id, page_identifier)]


@pytest.mark.parametrize("token", ["x", "ä", "." * 5000, "IjEyMyI.aaaa.bbbb"])
def test_csrf_token_of_another_session_is_403(visit: Visit, cast: Cast, page_identifier: str, token: str) -> None:
    amelia = visit(cast.amelia).with_token()
    amelia._token = token

    assert amelia.beat(page_identifier).status_code == 403


def test_csrf_token_of_another_profile_is_403(visit: Visit, cast: Cast, page_identifier: str) -> None:
    amelia, daniel = visit(cast.amelia).with_token(), visit(cast.daniel).with_token()
    amelia._token = daniel._token

    assert amelia.beat(page_identifier).status_code == 403


def test_missing_session_is_reported_before_missing_token(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """On 401 the browser offers to sign in again; after 403 it would have to give up."""
    assert visit(None).without_token().beat(page_identifier).status_code == 401
