"""Add the security headers to each response, and limit request bodies."""

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
# Two years and all subdomains, as browsers' preload lists require (OWASP ASVS 5.0.0, 3.4.1).
HTTPS_ONLY = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}
MAX_BODY_BYTES = 256 * 1024


def init_security(app: Flask, settings: Settings) -> None:
    """Limit request bodies and add the headers to each response."""
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = MAX_BODY_BYTES
    app.config["MAX_FORM_PARTS"] = 200
    headers = response_headers(settings)

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.extend(headers)
        if request.endpoint != "static":
            # Pages and rosters contain client data, so no cache may store them, not even the browser's.
            response.headers["Cache-Control"] = "no-store"
        return response


def response_headers(settings: Settings) -> dict[str, str]:
    """Return the headers of each response. The demo uses plain HTTP, so it omits HTTPS_ONLY."""
    return HEADERS | (HTTPS_ONLY if settings.cookies_are_secure else {})


def data_response_headers(settings: Settings) -> list[tuple[str, str]]:
    """Return the headers of a response with client data, as `add_headers` sets them."""
    return [*response_headers(settings).items(), ("Cache-Control", "no-store"), ("Vary", "Cookie")]
