"""Flask-WTF's CSRF check for JSON calls, whose token comes in a header and which may come by the express lane.

Forms use Flask-WTF as it is. Called by the presence API, after it knows that somebody is signed in.
"""

import hmac
from collections.abc import Mapping
from typing import Any

from flask import Flask, current_app, request, session
from flask_wtf.csrf import CSRFError
from itsdangerous import BadData, URLSafeTimedSerializer

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
HEADER = "X-CSRFToken"
SESSION_KEY = "csrf_token"  # Flask-WTF's, as is the salt
SALT = "wtf-csrf-token"


def check_csrf() -> None:
    """Raise CSRFError (403) unless an unsafe request carries its session's token in the X-CSRFToken header."""
    if request.method not in SAFE_METHODS and not is_token_of(current_app, session, request.headers.get(HEADER, "")):
        raise CSRFError("The CSRF token is missing or does not belong to this session.")


def is_token_of(app: Flask, session: Mapping[str, Any], signed: str) -> bool:
    """Whether `signed` is a token that was made for this sign-in session."""
    expected = session.get(SESSION_KEY, "")
    try:
        token = URLSafeTimedSerializer(app.config["SECRET_KEY"], salt=SALT).loads(signed)
    except BadData:
        return False
    return bool(expected) and hmac.compare_digest(str(token), expected)
