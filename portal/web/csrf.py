"""Check the CSRF tokens of JSON requests, which carry Flask-WTF's token in a header. Forms use Flask-WTF itself."""

import hmac
from collections.abc import Mapping
from typing import Any

from flask import Flask, current_app, request, session
from flask_wtf.csrf import CSRFError
from itsdangerous import BadData, URLSafeTimedSerializer

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
HEADER = "X-CSRFToken"
SESSION_KEY = "csrf_token"  # the key and the salt are those of Flask-WTF
SALT = "wtf-csrf-token"


def check_csrf() -> None:
    """Raise CSRFError (403) if an unsafe request lacks its session's token in the X-CSRFToken header."""
    if request.method not in SAFE_METHODS and not is_token_of(current_app, session, request.headers.get(HEADER, "")):
        raise CSRFError("The CSRF token is missing or does not belong to this session.")


def is_token_of(app: Flask, session: Mapping[str, Any], signed: str) -> bool:
    """Return whether `signed` is a token of this sign-in session."""
    expected = session.get(SESSION_KEY, "")
    try:
        token = URLSafeTimedSerializer(app.config["SECRET_KEY"], salt=SALT).loads(signed)
    except BadData:
        return False
    return bool(expected) and hmac.compare_digest(str(token), expected)
