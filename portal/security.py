"""The headers that tell a browser what no page of the portal may do. Called once by `create_app`."""

from flask import Flask, Response, request

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
LARGEST_BODY_BYTES = 256 * 1024


def init_security(app: Flask) -> None:
    """Bound every request body and add the headers to every answer."""
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = LARGEST_BODY_BYTES
    app.config["MAX_FORM_PARTS"] = 200
    app.after_request(_add_headers)


def headers_of_data() -> list[tuple[str, str]]:
    """The headers of an answer that shows client data, as `_add_headers` would leave them."""
    return [*HEADERS.items(), ("Cache-Control", "no-store"), ("Vary", "Cookie")]


def _add_headers(response: Response) -> Response:
    response.headers.extend(HEADERS)
    if request.endpoint != "static":
        # Pages and rosters show client data: no cache, the browser's own included, may keep them.
        response.headers["Cache-Control"] = "no-store"
    return response
