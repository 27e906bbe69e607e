"""Answer ordinary heartbeats before Flask does.

Flask's part of a request (context, routing, hooks, response object) takes 60 % of a worker's time for a heartbeat, and
most requests are heartbeats. Every other case, for example a missing cookie, continues to Flask unchanged, so errors
are answered in one place. Both paths call the same functions for identity, CSRF, parsing and the statement.
"""

import io
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

import orjson
from flask import Flask
from itsdangerous import BadData
from werkzeug.http import parse_cookie

from portal.errors import NotSignedIn, PortalError
from portal.presence.heartbeat import MAX_BEAT_BODY_BYTES, handle_beat
from portal.presence.store import store_of
from portal.web import session_cookie
from portal.web.allowed_hosts import Hosts
from portal.web.csrf import HEADER, is_token_of
from portal.web.security_headers import data_response_headers

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/user_page_presence"
DEFERRED_ERROR = "portal.presence.error"  # the error of a heartbeat; the view raises it and does not repeat the work
CSRF_HEADER_KEY = "HTTP_" + HEADER.upper().replace("-", "_")
MAX_CACHED_CALLERS = 4096
FALL_BACK_ON = (BadData, KeyError, ValueError, RecursionError, PortalError)


def init_fast_path(app: Flask) -> None:
    """Put the fast path in front of the application. Call it last, so that it is the outermost layer."""
    app.wsgi_app = HeartbeatFastPath(app, app.wsgi_app)  # type: ignore[method-assign]


class HeartbeatFastPath:
    """A WSGI application that answers ordinary heartbeats and passes all other requests on."""

    def __init__(self, app: Flask, next_app: "WSGIApplication") -> None:
        self._app = app
        self._next_app = next_app
        self._cookie_name: str = app.config["SESSION_COOKIE_NAME"]
        self._hosts: Hosts = app.extensions["hosts"]
        self._store = store_of(app)  # needs no application context, which would take 5 % of a heartbeat's time
        self._headers = [("Content-Type", "application/json"), *data_response_headers(app.config["SETTINGS"])]
        self._verified = lru_cache(maxsize=MAX_CACHED_CALLERS)(self._verify)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if not (_is_beat(environ) and self._hosts.is_served(environ.get("HTTP_HOST", ""))):
            return self._next_app(environ, start_response)
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        content = self._respond(environ, body)
        if content is None:
            environ["wsgi.input"] = io.BytesIO(body)
            return self._next_app(environ, start_response)
        start_response("200 OK", [*self._headers, ("Content-Length", str(len(content)))])
        return [content]

    def _respond(self, environ: "WSGIEnvironment", body: bytes) -> bytes | None:
        """Return the response's JSON, or None if Flask must respond. Stores the error of a refused heartbeat."""
        try:
            caller = self._caller(environ)
            content = orjson.loads(body)
        except FALL_BACK_ON:
            return None
        try:
            response = handle_beat(self._store, caller, content)
        except Exception as error:  # Flask answers and logs it; raised here, the user would see gunicorn's own page
            environ[DEFERRED_ERROR] = error
            return None
        return orjson.dumps(response, option=orjson.OPT_APPEND_NEWLINE)

    def _caller(self, environ: "WSGIEnvironment") -> session_cookie.Identity:
        """Return the caller, by session cookie and CSRF token. Raises one of FALL_BACK_ON."""
        caller, signed_at = self._verified(environ["HTTP_COOKIE"], environ[CSRF_HEADER_KEY])
        if session_cookie.is_too_old(self._app, signed_at):
            raise NotSignedIn
        return caller

    def _verify(self, cookies: str, token: str) -> tuple[session_cookie.Identity, float]:
        """Return the caller and the time of the user's last activity, as the signed cookie states them.

        Cached, because the same text always has the same result. The clock and the database check at each heartbeat
        whether the session is still valid.
        """
        content, signed_at = session_cookie.decode_cookie(self._app, parse_cookie(cookies)[self._cookie_name])
        if not is_token_of(self._app, content, token):
            raise NotSignedIn
        return session_cookie.parse_identity(content[session_cookie.IDENTITY_KEY]), signed_at


def _is_beat(environ: "WSGIEnvironment") -> bool:
    """Return whether this is a POST to PATH with a JSON body of a known, small length."""
    length = environ.get("CONTENT_LENGTH") or ""
    return (
        environ["PATH_INFO"] == PATH
        and environ["REQUEST_METHOD"] == "POST"
        and environ.get("CONTENT_TYPE") == "application/json"
        and length.isascii()
        and length.isdigit()
        and len(length) <= len(str(MAX_BEAT_BODY_BYTES))
        and int(length) <= MAX_BEAT_BODY_BYTES
    )
