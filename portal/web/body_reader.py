"""Read the whole request body before the application uses the database.

This is the outermost WSGI layer. Otherwise a body that arrives slowly would hold the request's database connection.
gunicorn's parser raises its own errors for a malformed body, and treats a body that ends early as complete. Half a form
must not be saved.
"""

import io
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from flask import Flask, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import BadRequest, HTTPException, RequestTimeout

from portal.web.security_headers import MAX_BODY_BYTES

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# The time for the largest body, 256 KB, at 100 kbit/s. nginx forwards a body once it is complete.
MAX_BODY_SECONDS = 20.0
FAILURE = "portal.web.body_reader.failure"


def init_request_bodies(app: Flask) -> None:
    """Respond with 400 or 408, before any other processing, if BodyLayer could not read the body."""

    @app.before_request
    def reject_unreadable_body() -> None:
        failure: HTTPException | None = request.environ.get(FAILURE)
        if failure:
            app.logger.info("request body not read: %s", failure.description)
            raise failure


def init_body_layer(app: Flask) -> None:
    app.wsgi_app = BodyLayer(app.wsgi_app)  # type: ignore[method-assign]


class BodyLayer:
    """A WSGI application that passes each request on with its whole body in memory and a known length."""

    def __init__(self, application: "WSGIApplication", max_seconds: float = MAX_BODY_SECONDS) -> None:
        self._application = application
        self._max_seconds = max_seconds

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ.get("CONTENT_LENGTH") or "HTTP_TRANSFER_ENCODING" in environ:
            self._read_body(environ)
        else:
            environ["wsgi.input"] = io.BytesIO()
        return self._application(environ, start_response)

    def _read_body(self, environ: "WSGIEnvironment") -> None:
        """Replace the stream of the request. A body that is too large is not read: Flask responds with 413."""
        length = _declared_length(environ)
        body = b""
        if length is None or length <= MAX_BODY_BYTES:
            try:
                with self._time_limit():
                    body = environ["wsgi.input"].read(MAX_BODY_BYTES + 1 if length is None else length)
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

    def _time_limit(self) -> AbstractContextManager[object]:
        gevent = sys.modules.get("gevent")
        if gevent is None:  # in tests, whose bodies are in memory
            return nullcontext()
        limit: AbstractContextManager[object] = gevent.Timeout(
            self._max_seconds, RequestTimeout("the body took too long to arrive")
        )
        return limit


def _declared_length(environ: "WSGIEnvironment") -> int | None:
    """Return the declared length, or None for a chunked body. gunicorn rejects a length that is not a number."""
    text = environ.get("CONTENT_LENGTH") or ""
    return int(text) if text.isascii() and text.isdigit() else None
