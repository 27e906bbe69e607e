"""Determine the client's address, the scheme and the request id behind proxies.

This is the WSGI layer directly around Flask. Headers that proxies add are accepted only from the proxies named in
PORTAL_TRUSTED_PROXIES. From any other sender they are removed before Flask sees them (OWASP ASVS 5.0.0, 4.1.3).
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
    """The WSGI application around Flask's."""

    def __init__(self, application: "WSGIApplication", trusted: TrustedProxies) -> None:
        self._application = application
        self._trusted = trusted

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        headers = {name: str(environ.pop(name, "")) for name in FORWARDED_HEADERS}
        address = str(environ.get("REMOTE_ADDR") or "")
        request_id = ""
        if self._trusted.is_one(address):
            environ["REMOTE_ADDR"] = client_address(address, headers["HTTP_X_FORWARDED_FOR"], self._trusted)
            scheme = headers["HTTP_X_FORWARDED_PROTO"].rpartition(",")[2].strip().lower()
            if scheme in ("http", "https"):
                environ["wsgi.url_scheme"] = scheme
            request_id = headers["HTTP_X_REQUEST_ID"]
        environ[REQUEST_ID] = request_id if WELL_FORMED_ID.fullmatch(request_id) else secrets.token_hex(8)
        return self._application(environ, start_response)


def client_address(peer: str, forwarded_for: str, trusted: TrustedProxies) -> str:
    """Return the address from which the outermost trusted proxy was called.

    X-Forwarded-For is read from the right, because each proxy appends its caller. Entries further left than those of
    trusted proxies are claims of the client. Reading stops at an entry that is not an address.
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
    """Return the network that counts as one client: an IPv4 address, or the /64 of an IPv6 address."""
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
