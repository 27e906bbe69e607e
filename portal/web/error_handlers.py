"""Turn errors into responses: a page, or application/problem+json (RFC 9457).

No response contains a traceback. Unexpected errors are logged with their traceback and get a generic 500.
"""

import http
import time
from collections.abc import Callable, Mapping

from flask import Flask, Response, current_app, g, json, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from portal import errors
from portal.driver.errors import DATABASE_ERRORS, first_line, kind_of_trouble
from portal.extensions import login_manager
from portal.page_kinds import PAGE_NOT_FOUND
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
# While the database is unavailable each request fails. One traceback a minute is enough.
TRACEBACK_EVERY_SECONDS = 60
JSON_BLUEPRINTS = {"client_changes", "client_search"}
JSON_PATHS = ("/user_page_presence", "/edit_drafts", "/session")
PAGE_TITLES = {
    403: "Not allowed",
    404: "Not found",
    408: "Too slow",
    413: "Too large",
    429: "Too many attempts",
    500: "Something went wrong",
    503: "Back in a moment",
}
DETAILS = {
    400: "The request could not be understood.",
    403: "The page was open for too long or was opened by another site. Go back, reload it and try again.",
    404: PAGE_NOT_FOUND,
    405: "This address does not accept that kind of request.",
    408: "The request took too long to arrive. Nothing was changed. Try again.",
    415: "Send JSON, with Content-Type: application/json.",
    500: "Something went wrong. The error has been logged and nothing was changed.",
    503: "The database cannot be reached at the moment. Try again in a moment.",
}


def init_error_handlers(app: Flask) -> None:
    for kind, status in STATUSES.items():
        app.register_error_handler(kind, _handler_for(status))
    for trouble in DATABASE_ERRORS:
        app.register_error_handler(trouble, _handle_database_unavailable)
    app.register_error_handler(CSRFError, _handle_csrf_error)
    app.register_error_handler(HTTPException, handle_http_error)
    app.register_error_handler(Exception, _handle_unexpected)
    login_manager.unauthorized_handler(lambda: _handle_not_signed_in(errors.NotSignedIn("Please sign in.")))


def error_response(
    status: int, detail: str | None = None, *, typed: Mapping[str, str] | None = None, **members: object
) -> Response:
    """Return an error as a page or as JSON. `members` are added to the JSON, `typed` (see PortalError) to the page."""
    title = http.HTTPStatus(status).phrase
    detail = detail or DETAILS.get(status, f"{title}.")
    request_id = request.environ.get(REQUEST_ID, "")
    if _wants_json():
        problem = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        body = json.dumps(problem | {"request_id": request_id} | members)
        mimetype = "application/problem+json"
    else:
        _load_profile()
        title = PAGE_TITLES.get(status, title)
        values = {"title": title, "detail": detail, "request_id": request_id, "typed": typed or {}}
        body = render_template("errors/error.html", status=status, **values)
        mimetype = "text/html"
    response = current_app.response_class(body, status=status, mimetype=mimetype)
    response.headers["X-Request-ID"] = request_id
    if status == http.HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _handler_for(status: int) -> Callable[[errors.PortalError], ResponseReturnValue]:
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
    """Return the caller's profile id from the cookie alone, because the database may be unavailable."""
    try:
        return session_cookie.identity().profile_id
    except errors.NotSignedIn:
        return None


def _handle_not_signed_in(error: errors.NotSignedIn) -> ResponseReturnValue:
    if _wants_json():
        return error_response(401, str(error))
    next_url = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("auth.sign_in", next=next_url))


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


def handle_http_error(error: HTTPException) -> ResponseReturnValue:
    """Return an error of HTTP as a page or as JSON. A redirect is returned as it is."""
    if error.code is None or error.code < http.HTTPStatus.BAD_REQUEST:
        return error
    cause = getattr(error, "original_exception", None)
    if isinstance(cause, DATABASE_ERRORS):  # raised outside of a view, where Flask looks only for the handler of 500
        return _handle_database_unavailable(cause)
    detail = _too_large() if error.code == http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE else None
    response = error_response(error.code, detail)
    if error.code == http.HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = dict(error.get_headers()).get("Allow", "")
    return response


def _too_large() -> str:
    """Return which limit the body exceeds. The server has not read it, so it cannot name a field."""
    limit, length = request.max_content_length or 0, request.content_length or 0
    if length <= limit:
        return "The form has too many fields. Nothing was saved."
    if _wants_json():
        return f"The body has more than {limit // 1024} KB."
    size = f"The form has more than {limit // 1024} KB, so nothing was saved."
    return f"{size} Go back, shorten the longest text and send it again."


def _handle_unexpected(error: Exception) -> ResponseReturnValue:
    current_app.logger.error("unexpected error in %s %s", request.method, request.url_rule, exc_info=error)
    _render_without_profile()
    return error_response(500)


def _load_profile() -> None:
    """Load the profile before the page's header needs it. Continue without it if the database is unavailable."""
    try:
        current_user.is_authenticated  # noqa: B018  # loads the profile
    except DATABASE_ERRORS:
        _render_without_profile()


def _render_without_profile() -> None:
    # The page's header shows the profile, and loading it again could fail again.
    g._login_user = login_manager.anonymous_user()


def _wants_json() -> bool:
    """Return whether the request is for an API, contains JSON or accepts JSON."""
    return (
        request.is_json
        or request.path.startswith(JSON_PATHS)
        or request.blueprint in JSON_BLUEPRINTS
        or request.accept_mimetypes.best == "application/json"
    )
