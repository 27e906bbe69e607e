"""Who is really calling, where proxies stand in between: the client's address, the scheme, the request's id.

A WSGI layer directly around Flask. What a proxy adds to a request is believed only where PORTAL_TRUSTED_PROXIES says
so; from anybody else the same headers are taken away before the application sees them (OWASP ASVS 5.0.0, 4.1.3). Called
by `create_app`.
"""

import re
import secrets
from collections.abc import Iterable
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

from flask import Flask

from portal.config import Settings, TrustedProxies

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REQUEST_ID = "portal.request_id"
WELL_FORMED_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
FORWARDED_HEADERS = (
    *("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT"),
    *("HTTP_X_FORWARDED_PREFIX", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_X_REQUEST_ID"),
)


def init_proxies(app: Flask, settings: Settings) -> None:
    app.wsgi_app = ProxyLayer(app.wsgi_app, settings.trusted_proxies)  # type: ignore[method-assign]


class ProxyLayer:
    """A WSGI application in front of Flask's."""

    def __init__(self, flask: "WSGIApplication", trusted: TrustedProxies) -> None:
        self._flask = flask
        self._trusted = trusted

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        told = {name: str(environ.pop(name, "")) for name in FORWARDED_HEADERS}
        address = str(environ.get("REMOTE_ADDR") or "")
        request_id = ""
        if self._trusted.is_one(address):
            environ["REMOTE_ADDR"] = client_address(address, told["HTTP_X_FORWARDED_FOR"], self._trusted)
            scheme = told["HTTP_X_FORWARDED_PROTO"].rpartition(",")[2].strip().lower()
            if scheme in ("http", "https"):
                environ["wsgi.url_scheme"] = scheme
            request_id = told["HTTP_X_REQUEST_ID"]
        environ[REQUEST_ID] = request_id if WELL_FORMED_ID.fullmatch(request_id) else secrets.token_hex(8)
        return self._flask(environ, start_response)


def client_address(peer: str, forwarded_for: str, trusted: TrustedProxies) -> str:
    """The address that the outermost trusted proxy was called from.

    Read from the right, where each proxy writes whom it was called by: what stands further left than the trusted ones
    is the client's own claim. What is no address ends the walk.
    """
    nearest = peer
    hops_left = trusted.hops
    for claimed in reversed(forwarded_for.split(",")):
        address = _plain_address(claimed)
        if address is None:
            break
        nearest = address
        hops_left -= 1
        if hops_left == 0 or (not trusted.hops and not trusted.is_one(address)):
            break
    return nearest


def network_of(address: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 of an IPv6 one, which is one customer's."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(IPv6Network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address


def _plain_address(text: str) -> str | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
