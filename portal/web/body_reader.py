"""Request bodies, read whole before anything asks the database.

The outermost WSGI layer. Read later, a body that arrives slowly would hold the database connection of its request for
as long as the sender likes. gunicorn's parser raises errors of its own for a malformed body, and passes on one that has
ended early as if it were complete: half a form must not be saved. Used by `assemble`.
"""

import io
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from flask import Flask, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import BadRequest, HTTPException, RequestTimeout

from portal.web.security_headers import LARGEST_BODY_BYTES

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# The largest body, 256 KB, on a telephone line of 100 kbit/s. nginx sends bodies on when it has them whole.
MAX_BODY_SECONDS = 20.0
FAILURE = "portal.web.body_reader.failure"


def init_request_bodies(app: Flask) -> None:
    """Answer 400 or 408, before anything else looks at the request, where the layer below could not read the body."""

    @app.before_request
    def refuse_what_cannot_be_read() -> None:
        failure: HTTPException | None = request.environ.get(FAILURE)
        if failure:
            app.logger.info("the body was not read: %s", failure.description)
            raise failure


def init_body_layer(app: Flask) -> None:
    app.wsgi_app = BodyLayer(app.wsgi_app)  # type: ignore[method-assign]


class BodyLayer:
    """A WSGI application that hands every request on with its whole body in memory, of known length."""

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
        """Replace the stream of the request. One that is too large is left out: Flask answers 413 by its length."""
        length = _declared_length(environ)
        body = b""
        if length is None or length <= LARGEST_BODY_BYTES:
            try:
                with self._time_limit():
                    body = environ["wsgi.input"].read(LARGEST_BODY_BYTES + 1 if length is None else length)
                if length is not None and len(body) < length:
                    raise BadRequest("it ended early")
            except HTTPException as failure:
                environ[FAILURE] = failure
            except (ParseException, OSError) as error:  # what was sent is in the error's text: it stays out of the log
                environ[FAILURE] = BadRequest(f"it was malformed or ended early ({type(error).__name__})")
        if FAILURE in environ:
            body, length = b"", None
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body) if length is None else length)
        environ.pop("HTTP_TRANSFER_ENCODING", None)

    def _time_limit(self) -> AbstractContextManager[object]:
        gevent = sys.modules.get("gevent")
        if gevent is None:  # a test, whose bodies are there already
            return nullcontext()
        limit: AbstractContextManager[object] = gevent.Timeout(
            self._max_seconds, RequestTimeout("it took too long to arrive")
        )
        return limit


def _declared_length(environ: "WSGIEnvironment") -> int | None:
    """None for a chunked body. gunicorn refuses a length that is no number."""
    text = environ.get("CONTENT_LENGTH") or ""
    return int(text) if text.isascii() and text.isdigit() else None
