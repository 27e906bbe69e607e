"""The express lane: an ordinary beat is answered here, before Flask's request machinery.

That machinery (request context, routing, hooks, response object) is 60 % of a worker's time in a beat, and beats are
nearly all of the portal's requests. Whatever is not the ordinary case, down to a missing cookie, goes on to Flask
untouched, so that every error is worded in one place; both lanes call the same functions for identity, CSRF, parsing
and the statement. Called by `create_app`, last.
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
from portal.extensions import PRESENCE_BIND, db
from portal.presence.heartbeat import MAX_BEAT_BODY_BYTES, handle_beat
from portal.web import session_cookie
from portal.web.allowed_hosts import Hosts
from portal.web.csrf import HEADER, is_token_of
from portal.web.security_headers import headers_of_data

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/user_page_presence"
DEFERRED_ERROR = (
    "portal.presence.failure"  # why the express lane refused a beat: the view raises it, and asks nobody again
)
CSRF_HEADER_KEY = "HTTP_" + HEADER.upper().replace("-", "_")
MAX_CACHED_CALLERS = 4096
FALL_BACK_ON = (BadData, KeyError, ValueError, RecursionError, PortalError)


def init_fast_path(app: Flask) -> None:
    app.wsgi_app = HeartbeatFastPath(app, app.wsgi_app)  # type: ignore[method-assign]


class HeartbeatFastPath:
    """A WSGI application in front of Flask's."""

    def __init__(self, app: Flask, flask: "WSGIApplication") -> None:
        self._app = app
        self._flask = flask
        self._cookie_name: str = app.config["SESSION_COOKIE_NAME"]
        self._hosts: Hosts = app.extensions["hosts"]
        with app.app_context():  # beats do without: one of their own for each would be a twentieth of their time
            self._engine = db.engines[PRESENCE_BIND]
        self._timings = app.config["SETTINGS"].presence
        self._headers = [("Content-Type", "application/json"), *headers_of_data(app.config["SETTINGS"])]
        self._verified = lru_cache(maxsize=MAX_CACHED_CALLERS)(self._verify)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if not (_is_beat(environ) and self._hosts.is_served(environ.get("HTTP_HOST", ""))):
            return self._flask(environ, start_response)
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        answer = self._answer(environ, body)
        if answer is None:
            environ["wsgi.input"] = io.BytesIO(body)
            return self._flask(environ, start_response)
        start_response("200 OK", [*self._headers, ("Content-Length", str(len(answer)))])
        return [answer]

    def _answer(self, environ: "WSGIEnvironment", body: bytes) -> bytes | None:
        """The answer's JSON; None where Flask must look at it, with FAILURE where the beat has been refused."""
        try:
            caller = self._caller(environ)
            beat = orjson.loads(body)
        except FALL_BACK_ON:
            return None
        try:
            answer = handle_beat(caller, beat, self._timings, self._engine)
        except Exception as error:  # Flask answers and logs it as any other; past it a person would see gunicorn's page
            environ[DEFERRED_ERROR] = error
            return None
        return orjson.dumps(answer, option=orjson.OPT_APPEND_NEWLINE)

    def _caller(self, environ: "WSGIEnvironment") -> session_cookie.Identity:
        """Who calls, by session cookie and CSRF token. Raises one of UNUSUAL."""
        caller, signed_at = self._verified(environ["HTTP_COOKIE"], environ[CSRF_HEADER_KEY])
        if session_cookie.is_too_old(self._app, signed_at):
            raise NotSignedIn
        return caller

    def _verify(self, cookies: str, token: str) -> tuple[session_cookie.Identity, float]:
        """The caller and when a person last did something. What a signature says of the same text never changes, so
        it is verified once; whether the session still holds is asked of the clock and the database at every beat."""
        content, signed_at = session_cookie.decode_cookie(self._app, parse_cookie(cookies)[self._cookie_name])
        if not is_token_of(self._app, content, token):
            raise NotSignedIn
        return session_cookie.parse_identity(content[session_cookie.IDENTITY_KEY]), signed_at


def _is_beat(environ: "WSGIEnvironment") -> bool:
    """A POST to the one path with a JSON body of a known, small length."""
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
