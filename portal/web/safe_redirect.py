"""Where a page may send somebody on to: only to a path of this portal. Pure; called by views."""

from urllib.parse import urlsplit


def safe_redirect_target(wanted: str | None, home: str) -> str:
    """`wanted` when it is a path of this portal, else `home`: what a request names must not lead elsewhere.

    Browsers take a backslash for a slash and drop control characters, so neither is let through (CWE-601).
    """
    if not wanted or not wanted.startswith("/") or wanted.startswith("//"):
        return home
    if "\\" in wanted or not wanted.isprintable():
        return home
    parts = urlsplit(wanted)
    return home if parts.scheme or parts.netloc else wanted
