"""A browser without a screen: the test client with a sign-in session and its CSRF token."""

import contextvars
import secrets
from typing import Any, ClassVar, Self

from flask import Flask, has_app_context
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import inspect, text
from werkzeug.test import TestResponse

from portal.auth import Profile
from portal.extensions import db
from portal.web import csrf
from portal.web.session_cookie import (
    IDENTITY_KEY,
    TOKEN_BYTES,
    Identity,
    SessionInterface,
    parse_identity,
    session_id_of,
)

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
SIGN_IN = text(
    "INSERT INTO sign_in_sessions (id, profile_id, session_epoch, ends_at)"
    " SELECT :id, id, session_epoch, now() + interval '12 hours' FROM profiles WHERE id = :profile_id"
)


class Visitor:
    """Calls the application as one person would. CSRF stays switched on: `post` and `delete` send the token."""

    application: ClassVar[Flask]

    def __init__(self, profile: Profile | None) -> None:
        self.browser = self.application.test_client()
        self._token: str | None = None
        if profile is not None:
            csrf_secret = secrets.token_hex(20)
            identity_text = signed_in_text(self.application, profile)
            self.browser.set_cookie(*_cookie(self.application, identity_text, csrf_secret))
            # As GET /session would return it, which takes as much CPU as many a test's own call.
            self._token = _csrf_token(self.application, csrf_secret)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.call("GET", path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        return self.call("POST", path, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        return self.call("DELETE", path, **options)

    def call(self, method: str, path: str, **options: Any) -> TestResponse:
        """Any method; all but GET, HEAD and OPTIONS carry the token."""
        if method not in SAFE_METHODS:
            options["headers"] = self._headers(options)
        return self._call(method, path, options)

    def beat(self, page_identifier: str, **members: Any) -> TestResponse:
        return self.post("/user_page_presence", json={"page_identifier": page_identifier, **members})

    def leave(self, page_identifier: str, tab_id: str | None = None) -> TestResponse:
        query = f"?tab_id={tab_id}" if tab_id else ""
        return self.delete(f"/user_page_presence/{page_identifier}{query}")

    def roster(self, page_identifier: str) -> list[dict[str, Any]]:
        """Who is on the page, as this person is told."""
        answer = self.get(f"/user_page_presence/{page_identifier}")
        assert answer.status_code == 200, answer.text
        return answer.json

    def cookie(self) -> str | None:
        """The session cookie as the browser keeps it."""
        found = self.browser.get_cookie("kingston_session")
        return found.value if found else None

    def without_token(self) -> Self:
        """The same browser, tricked into a call that carries no CSRF token."""
        self._token = ""
        return self

    def with_token(self) -> Self:
        """The same browser, with its token fetched by now: for tests that count what one call costs."""
        self._headers({})
        return self

    def _call(self, method: str, path: str, options: dict[str, Any]) -> TestResponse:
        # In a context of its own, as on a server: the test's application context would lend the request its `g`.
        answer = contextvars.Context().run(self.browser.open, path, method=method, **{"buffered": True, **options})
        if has_app_context():  # a thread of a test has none
            db.session.rollback()  # the test's own session must see what the request has committed
        return answer

    def _headers(self, options: dict[str, Any]) -> dict[str, str]:
        if self._token is None:
            answer = self.get("/session")
            self._token = answer.json["csrf_token"] if answer.status_code == 200 else ""
        return {**options.get("headers", {}), **({"X-CSRFToken": self._token} if self._token else {})}


def _csrf_token(app: Flask, csrf_secret: str) -> str:
    return str(URLSafeTimedSerializer(str(app.secret_key), salt=csrf.SALT).dumps(csrf_secret))


def _cookie(app: Flask, identity_text: str, csrf_secret: str) -> tuple[str, str]:
    """Return the name and value of the session cookie, without the request that a session of Flask would need."""
    content = {IDENTITY_KEY: identity_text, csrf.SESSION_KEY: csrf_secret, "_permanent": True}
    serializer: Any = SessionInterface().get_signing_serializer(app)
    return app.config["SESSION_COOKIE_NAME"], serializer.dumps(content)


def signed_in_text(app: Flask, profile: Profile) -> str:
    """A sign-in session of the profile's, begun and committed without asking for a password: what its cookie says.

    One statement instead of the six of `store.begin`, because the tests sign in more than five thousand times.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    (profile_id,) = inspect(profile).identity  # without a query, though the profile may have expired
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(SIGN_IN, {"id": session_id_of(token), "profile_id": profile_id})
    return f"{profile_id}.{token}"


def identity_of(app: Flask, profile: Profile) -> Identity:
    """As the presence store wants it: the caller of a beat, signed in."""
    return parse_identity(signed_in_text(app, profile))


def visitors_of(app: Flask) -> type[Visitor]:
    """Browsers that call this application."""
    return type("Visitor", (Visitor,), {"application": app})
