"""Read the whole request body before the application uses the database.

This is the outermost WSGI layer. Otherwise a body that arrives slowly would hold the request's database connection.
gunicorn's parser raises its own errors for a malformed body, and treats a body that ends early as complete. Half a form
must not be saved.
"""

import io
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from flask import Flask, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import BadRequest, HTTPException, RequestTimeout

from portal.driver.errors import DATABASE_ERRORS
from portal.errors import DatabaseUnavailable, PortalError, ServiceBusy
from portal.web.security_headers import MAX_BODY_BYTES

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# The time for the largest body, 256 KB, at 100 kbit/s. nginx forwards a body once it is complete.
MAX_BODY_SECONDS = 20.0
FAILURE = "portal.web.body_reader.failure"
MAX_BYTES = "portal.web.body_reader.max_bytes"
MAX_LARGE_BODIES = 2  # at a time, in one process
TOO_MANY = "Other files are being uploaded. Try again in a minute."
EXTENSION = "portal.large_bodies"


@dataclass(frozen=True)
class LargeBody:
    """The limits of a POST whose body may be larger than all others, if `is_allowed(environ)`."""

    max_bytes: int
    max_seconds: float
    is_allowed: Callable[["WSGIEnvironment"], bool]
    places: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(MAX_LARGE_BODIES))


def init_request_bodies(app: Flask) -> None:
    """Respond with 400, 408 or 503, before any other processing, if BodyLayer could not read the body."""

    @app.before_request
    def reject_unreadable_body() -> None:
        failure: HTTPException | PortalError | None = request.environ.get(FAILURE)
        if failure:
            text = failure.description if isinstance(failure, HTTPException) else failure
            app.logger.info("request body not read: %s", text)
            raise failure
        if MAX_BYTES in request.environ:
            request.max_content_length = request.environ[MAX_BYTES]


def allow_large_body(app: Flask, path: str, limits: LargeBody) -> None:
    """Let a POST to this path have a larger body, for callers that are allowed to."""
    app.extensions.setdefault(EXTENSION, {})[path] = limits


def init_body_layer(app: Flask) -> None:
    app.wsgi_app = BodyLayer(app.wsgi_app, large=app.extensions.get(EXTENSION, {}))  # type: ignore[method-assign]


class BodyLayer:
    """A WSGI application that passes each request on with its whole body in memory and a known length.

    `large` has the paths with a larger limit. Its caller is checked before the body is read, in a transaction that
    ends before that.
    """

    def __init__(
        self,
        application: "WSGIApplication",
        max_seconds: float = MAX_BODY_SECONDS,
        large: Mapping[str, LargeBody] | None = None,
    ) -> None:
        self._application = application
        self._max_seconds = max_seconds
        self._large = large or {}

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if not (environ.get("CONTENT_LENGTH") or "HTTP_TRANSFER_ENCODING" in environ):
            environ["wsgi.input"] = io.BytesIO()
            return self._application(environ, start_response)
        limits = self._large_limits(environ)
        if limits is None:
            self._read_body(environ, MAX_BODY_BYTES, self._max_seconds)
            return self._application(environ, start_response)
        if not limits.places.acquire(blocking=False):
            environ[FAILURE] = ServiceBusy(TOO_MANY)
            self._read_body(environ, 0, 0)
            return self._application(environ, start_response)
        try:
            self._read_body(environ, limits.max_bytes, limits.max_seconds)
            environ[MAX_BYTES] = limits.max_bytes
            return self._application(environ, start_response)
        finally:
            limits.places.release()

    def _large_limits(self, environ: "WSGIEnvironment") -> LargeBody | None:
        """Return the limits of a body that is larger than others may be, if it may."""
        limits = self._large.get(environ.get("PATH_INFO", "")) if environ.get("REQUEST_METHOD") == "POST" else None
        length = _declared_length(environ)
        if limits is None or (length is not None and not MAX_BODY_BYTES < length <= limits.max_bytes):
            return None
        try:
            return limits if limits.is_allowed(environ) else None
        except DATABASE_ERRORS:
            environ[FAILURE] = DatabaseUnavailable("The database cannot be reached at the moment. Try again.")
            return None

    def _read_body(self, environ: "WSGIEnvironment", max_bytes: int, max_seconds: float) -> None:
        """Replace the stream of the request. A body that is too large is not read: Flask responds with 413."""
        length = _declared_length(environ)
        body = b""
        if FAILURE not in environ and (length is None or length <= max_bytes):
            try:
                with _time_limit(max_seconds):
                    body = environ["wsgi.input"].read(max_bytes + 1 if length is None else length)
                if length is not None and len(body) < length:
                    raise BadRequest("the body ended early")
            except HTTPException as failure:
                environ[FAILURE] = failure
            except (ParseException, OSError) as error:  # the error's text contains input, so it is not logged
                environ[FAILURE] = BadRequest(f"the body was malformed or ended early ({type(error).__name__})")
        if FAILURE in environ:
            body, length = b"", None
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body) if length is None else length)
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ.pop("wsgi.input_terminated", None)  # with it Werkzeug refuses a body of exactly the limit


def _time_limit(max_seconds: float) -> AbstractContextManager[object]:
    gevent = sys.modules.get("gevent")
    if gevent is None:  # in tests, whose bodies are in memory
        return nullcontext()
    limit: AbstractContextManager[object] = gevent.Timeout(
        max_seconds, RequestTimeout("the body took too long to arrive")
    )
    return limit


def _declared_length(environ: "WSGIEnvironment") -> int | None:
    """Return the declared length, or None for a chunked body. gunicorn rejects a length that is not a number."""
    text = environ.get("CONTENT_LENGTH") or ""
    return int(text) if text.isascii() and text.isdigit() else None
