"""The headers that tell a browser what no page of the portal may do. Called once by `create_app`."""

from flask import Flask, Response, request

from portal.config import Settings

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "object-src 'none'",
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
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
# For two years and every name below, as the lists that browsers ship want it (OWASP ASVS 5.0.0, 3.4.1).
HTTPS_ONLY = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}
LARGEST_BODY_BYTES = 256 * 1024


def init_security(app: Flask, settings: Settings) -> None:
    """Bound every request body and add the headers to every answer."""
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = LARGEST_BODY_BYTES
    app.config["MAX_FORM_PARTS"] = 200
    headers = headers_of_every_answer(settings)

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.extend(headers)
        if request.endpoint != "static":
            # Pages and rosters show client data: no cache, the browser's own included, may keep them.
            response.headers["Cache-Control"] = "no-store"
        return response


def headers_of_every_answer(settings: Settings) -> dict[str, str]:
    """HTTPS_ONLY where the cookies are too: not in the demo, which speaks plain HTTP."""
    return HEADERS | (HTTPS_ONLY if settings.cookies_are_secure else {})


def headers_of_data(settings: Settings) -> list[tuple[str, str]]:
    """The headers of an answer that shows client data, as `add_headers` would leave them."""
    return [*headers_of_every_answer(settings).items(), ("Cache-Control", "no-store"), ("Vary", "Cookie")]
