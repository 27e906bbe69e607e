"""Test that requests for other hosts than those of PORTAL_ALLOWED_HOSTS are rejected."""

from collections.abc import Callable

import pytest
from flask import Flask

from portal.web.allowed_hosts import Hosts
from tests.support.cast import Cast
from tests.support.factories import make_client
from tests.support.test_client import Visitor, visitors_of

OWN = ["portal.firm.example", "PORTAL.firm.example", "portal.firm.example:8443", "[::1]", "[::1]:8000", "10.0.0.7:80"]
OTHERS = [
    "evil.example",
    "portal.firm.example.evil.example",
    "evil.portal.firm.example",
    "portal.firm.example:80:80",
    "portal.firm.example:x",
    "portal.firm.example:²",
    "portal.firm.example@evil.example",
    "a\\b",
    "[::1",
    "localhost",
    "",
]
CALLS: dict[str, Callable[..., int]] = {
    "page": lambda visitor, host: visitor.get("/clients", headers={"Host": host}).status_code,
    "sign-in": lambda visitor, host: visitor.get("/sign-in", headers={"Host": host}).status_code,
    "nowhere": lambda visitor, host: visitor.get("/nowhere", headers={"Host": host}).status_code,
    "beat": lambda visitor, host: (
        visitor.post("/user_page_presence", json={"page_identifier": "client-1"}, headers={"Host": host}).status_code
    ),
}


@pytest.mark.parametrize("host", OWN)
def test_allowed_host_is_accepted_with_any_port(host: str) -> None:
    assert Hosts(("portal.firm.example", "[::1]", "10.0.0.7")).is_served(host)


@pytest.mark.parametrize("host", OTHERS)
def test_other_host_is_rejected(host: str) -> None:
    assert not Hosts(("portal.firm.example", "[::1]", "10.0.0.7")).is_served(host)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_heartbeat_under_another_host_is_rejected(
    make_app: Callable[..., Flask], cast: Cast, call: Callable[..., int]
) -> None:
    make_client()
    amelia = visitors_of(make_app())(cast.amelia).with_token()

    assert call(amelia, "localhost") in (200, 302, 404)
    for host in ("evil.example", "portal.firm.example", "a\\b", "[::1"):
        assert call(amelia, host) == 400


def test_rejection_page_does_not_contain_the_requested_host(visit: type[Visitor]) -> None:
    answer = visit(None).get("/sign-in", headers={"Host": "evil.example"})

    assert (answer.status_code, "evil" in answer.text, "Location" in answer.headers) == (400, False, False)


@pytest.mark.parametrize(("path", "status"), [("/healthz", 200), ("/readyz", 200), ("/metrics", 404)])
def test_health_checks_and_metrics_may_be_requested_by_address(visit: type[Visitor], path: str, status: int) -> None:
    assert visit(None).get(path, headers={"Host": "10.1.2.3:8000"}).status_code == status
