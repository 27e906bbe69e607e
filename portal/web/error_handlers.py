"""The one map from what can go wrong to what the caller reads: a page, or problem+json (RFC 9457).

Called once by `create_app`. No traceback reaches a person and none is swallowed: what the portal did not
foresee is logged with its traceback and answered with a 500 that says nothing of it.
"""

import http
import time
from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, current_app, g, json, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from portal import errors
from portal.driver.errors import DATABASE_ERRORS, first_line, kind_of_trouble
from portal.extensions import login_manager
from portal.web import session_cookie
from portal.web.proxies import REQUEST_ID

STATUSES: dict[type[errors.PortalError], int] = {
    errors.NotSignedIn: 401,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.StaleVersion: 409,
    errors.InvalidInput: 422,
    errors.TooSoon: 429,
    errors.ServiceBusy: 503,
    errors.DatabaseUnavailable: 503,
}
RETRY_AFTER_SECONDS = 5
# A database that is away fails every request: one traceback in a while is enough.
TRACEBACK_EVERY_SECONDS = 60
JSON_BLUEPRINTS = {"client_changes"}
JSON_PATHS = ("/user_page_presence", "/edit_drafts", "/session")
PAGE_TITLES = {
    403: "Not allowed",
    404: "Not found",
    408: "Too slow",
    413: "Too large",
    429: "Too many tries",
    500: "Something went wrong",
    503: "Back in a moment",
}
DETAILS = {
    400: "The request could not be understood.",
    403: "The page was open for too long or came from elsewhere. Go back, reload it and try again.",
    404: "There is no such page, or you do not have access to it.",
    405: "This address does not take that kind of request.",
    408: "The request took too long to arrive. Nothing was changed; please try again.",
    413: "That is more than the portal takes in one request.",
    415: "Send JSON, with Content-Type: application/json.",
    500: "Something went wrong on our side. It has been noted; nothing was changed.",
    503: "The database cannot be reached just now. Please try again in a moment.",
}


def init_error_handlers(app: Flask) -> None:
    for kind, status in STATUSES.items():
        app.register_error_handler(kind, _handler_for(status))
    for trouble in DATABASE_ERRORS:
        app.register_error_handler(trouble, _handle_database_unavailable)
    app.register_error_handler(CSRFError, _handle_csrf_error)
    app.register_error_handler(HTTPException, _handle_http_error)
    app.register_error_handler(Exception, _handle_unexpected)
    login_manager.unauthorized_handler(lambda: _handle_not_signed_in(errors.NotSignedIn("Please sign in.")))


def error_response(
    status: int, detail: str | None = None, *, typed: Mapping[str, str] | None = None, **members: Any
) -> Response:
    """The error as the caller can read it. `members` go into the JSON only, `typed` (see PortalError) into the page."""
    title = http.HTTPStatus(status).phrase
    detail = detail or DETAILS.get(status, f"{title}.")
    request_id = request.environ.get(REQUEST_ID, "")
    if _wants_json():
        told = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        problem = told | {"request_id": request_id} | members
        body = json.dumps(problem)
        mimetype = "application/problem+json"
    else:
        _know_profile()
        title = PAGE_TITLES.get(status, title)
        shown = {"title": title, "detail": detail, "request_id": request_id, "typed": typed or {}}
        body = render_template("errors/error.html", status=status, **shown)
        mimetype = "text/html"
    response = current_app.response_class(body, status=status, mimetype=mimetype)
    response.headers["X-Request-ID"] = request_id
    if status == http.HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _handler_for(status: int) -> Any:
    def handle(error: errors.PortalError) -> ResponseReturnValue:
        if isinstance(error, errors.NotSignedIn):
            return _handle_not_signed_in(error)
        if isinstance(error, errors.NotAllowed):
            current_app.logger.info("not allowed: profile %s, %s", _caller(), request.endpoint)
        members = {"field": error.field} if isinstance(error, errors.InvalidInput) else {}
        response = error_response(status, str(error) or None, typed=error.typed, **members)
        if isinstance(error, errors.TooSoon):
            response.headers["Retry-After"] = str(error.wait_seconds)
        return response

    return handle


def _caller() -> int | None:
    """The profile by the session alone: while the database is away it cannot be asked."""
    try:
        return session_cookie.identity().profile_id
    except errors.NotSignedIn:
        return None


def _handle_not_signed_in(error: errors.NotSignedIn) -> ResponseReturnValue:
    if _wants_json():
        return error_response(401, str(error))
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("auth.sign_in", next=wanted))


def _handle_csrf_error(error: Exception) -> ResponseReturnValue:
    current_app.logger.info("no valid CSRF token: profile %s, %s", _caller(), request.endpoint)
    return error_response(403)


def _handle_database_unavailable(error: Exception) -> ResponseReturnValue:
    kind = kind_of_trouble(error)
    traceback = error if _is_traceback_due(kind) else None
    current_app.logger.warning("database %s: %s", kind, first_line(error), exc_info=traceback)
    _render_without_profile()
    return error_response(503)


def _is_traceback_due(kind: str) -> bool:
    now = time.monotonic()
    logged_at: dict[str, float] = current_app.extensions.setdefault("database_tracebacks", {})
    is_due = now - logged_at.get(kind, -TRACEBACK_EVERY_SECONDS) >= TRACEBACK_EVERY_SECONDS
    if is_due:
        logged_at[kind] = now
    return is_due


def _handle_http_error(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < http.HTTPStatus.BAD_REQUEST:
        return error
    response = error_response(error.code)
    if error.code == http.HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = dict(error.get_headers()).get("Allow", "")
    return response


def _handle_unexpected(error: Exception) -> ResponseReturnValue:
    current_app.logger.error("unforeseen error in %s %s", request.method, request.url_rule, exc_info=error)
    _render_without_profile()
    return error_response(500)


def _know_profile() -> None:
    """Ask who is signed in before the page's header does, for then the database may be away."""
    try:
        current_user.is_authenticated  # noqa: B018  # loads the profile
    except DATABASE_ERRORS:
        _render_without_profile()


def _render_without_profile() -> None:
    # The page's header shows who is signed in; asking the database for it again could fail again.
    g._login_user = login_manager.anonymous_user()


def _wants_json() -> bool:
    """Whoever calls an API, sends JSON or asks for it."""
    return (
        request.is_json
        or request.path.startswith(JSON_PATHS)
        or request.blueprint in JSON_BLUEPRINTS
        or request.accept_mimetypes.best == "application/json"
    )
