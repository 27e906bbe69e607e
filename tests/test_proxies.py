"""Test that X-Forwarded-* headers are accepted from trusted proxies only."""

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest
from flask import Flask, request

from portal.config import TrustedProxies
from portal.web.proxies import client_address, network_of
from tests.support.test_client import visitors_of

NOBODY = TrustedProxies()
NGINX = TrustedProxies(networks=(ip_network("127.0.0.1/32"), ip_network("10.0.0.0/8"), ip_network("fd00::/8")))
ONE, TWO = TrustedProxies(hops=1), TrustedProxies(hops=2)
CLIENT = "203.0.113.9"


@pytest.fixture
def ask(make_app: Callable[..., Flask]) -> Callable[..., dict[str, Any]]:
    """`ask(trusted, peer, **headers)`: what the application takes the request for."""

    def ask_app(trusted: TrustedProxies, peer: str, **headers: str) -> dict[str, Any]:
        app = make_app(trusted_proxies=trusted)

        def request_as_seen() -> dict[str, Any]:
            return {
                "address": request.remote_addr,
                "scheme": request.scheme,
                "id": request.environ["portal.request_id"],
                "headers": sorted(name for name in dict(request.headers) if name.startswith(("X-F", "Forw", "X-R"))),
            }

        app.view_functions["health.healthz"] = request_as_seen  # an endpoint that needs no sign-in session
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        response = visitors_of(app)(None).get("/healthz", headers=sent, environ_overrides={"REMOTE_ADDR": peer})
        seen: dict[str, Any] = response.json
        return seen

    return ask_app


FORGED = {
    "X_Forwarded_For": CLIENT,
    "X_Forwarded_Proto": "https",
    "X_Request_ID": "abc",
    "X_Forwarded_Host": "evil.example",
    "Forwarded": f"for={CLIENT}",
    "X_Real_IP": CLIENT,
}


@pytest.mark.parametrize(
    ("trusted", "peer"), [(NOBODY, "127.0.0.1"), (NOBODY, CLIENT), (NGINX, "198.51.100.7"), (NGINX, "x"), (NOBODY, "")]
)
def test_headers_of_an_untrusted_peer_are_ignored(
    ask: Callable[..., dict[str, Any]], trusted: TrustedProxies, peer: str
) -> None:
    told = ask(trusted, peer, **FORGED)

    assert (told["address"] or "", told["scheme"], told["headers"]) == (peer, "http", [])
    assert told["id"] != "abc"
    assert len(told["id"]) == 16


@pytest.mark.parametrize(
    ("trusted", "peer"), [(NGINX, "127.0.0.1"), (NGINX, "10.9.9.9"), (NGINX, ""), (ONE, "198.51.100.7")]
)
def test_headers_of_a_trusted_proxy_are_used(
    ask: Callable[..., dict[str, Any]], trusted: TrustedProxies, peer: str
) -> None:
    told = ask(trusted, peer, **FORGED)

    assert (told["address"], told["scheme"], told["id"], told["headers"]) == (CLIENT, "https", "abc", [])


@pytest.mark.parametrize(
    ("trusted", "forwarded_for", "expected"),
    [
        (NGINX, f"6.6.6.6, {CLIENT}", CLIENT),
        (NGINX, f"6.6.6.6, {CLIENT}, 10.0.0.3, 10.0.0.2", CLIENT),
        (NGINX, f"10.0.0.9,{CLIENT}", CLIENT),
        (NGINX, "10.0.0.3,10.0.0.2", "10.0.0.3"),
        (NGINX, "2001:db8::7", "2001:db8::7"),
        (NGINX, f"::ffff:{CLIENT}", CLIENT),
        (NGINX, f"{CLIENT}, unknown, 10.0.0.2", "10.0.0.2"),
        (NGINX, "<script>", "127.0.0.1"),
        (NGINX, "", "127.0.0.1"),
        (ONE, f"6.6.6.6, {CLIENT}", CLIENT),
        (TWO, f"6.6.6.6, {CLIENT}, 198.51.100.1", CLIENT),
        (TWO, CLIENT, CLIENT),
    ],
)
def test_address_claimed_by_the_client_is_ignored(trusted: TrustedProxies, forwarded_for: str, expected: str) -> None:
    """The client wrote 6.6.6.6 itself, left of the entries that the proxies added."""
    assert client_address("127.0.0.1", forwarded_for, trusted) == expected


@pytest.mark.parametrize("request_id", ["", "a b", "x" * 65, "a\tb", "<b>", "ä"])
def test_malformed_request_id_is_replaced(ask: Callable[..., dict[str, Any]], request_id: str) -> None:
    assert ask(NGINX, "127.0.0.1", X_Request_ID=request_id)["id"] not in ("", request_id)


def test_addresses_of_one_ipv6_network_count_as_one() -> None:
    assert network_of("2001:db8:1:2:3:4:5:6") == network_of("2001:db8:1:2::") == "2001:db8:1:2::/64"
    assert network_of("203.0.113.9") == "203.0.113.9"
    assert network_of("") == ""
