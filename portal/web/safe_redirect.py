"""Restrict redirects to paths of the portal."""

from urllib.parse import urlsplit


def safe_redirect_target(url: str | None, default: str) -> str:
    """Return `url` if it is a path of the portal, and `default` otherwise.

    Browsers treat a backslash as a slash and ignore control characters, so both are rejected (CWE-601).
    """
    if not url or not url.startswith("/") or url.startswith("//"):
        return default
    if "\\" in url or not url.isprintable():
        return default
    parts = urlsplit(url)
    return default if parts.scheme or parts.netloc else url
