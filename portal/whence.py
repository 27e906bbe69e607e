"""From where a request comes, as sign-in sessions, the audit and the throttle note it.

`whence()` reads the request, for views; what is below them takes a `Whence` as an argument. Must not import a feature.
"""

from dataclasses import dataclass

from flask import request

LONGEST_ADDRESS = 45
LONGEST_USER_AGENT = 200


@dataclass(frozen=True)
class Whence:
    """The client's address (portal.proxies says whose word counts), what its browser calls itself, the request's id."""

    address: str = ""
    user_agent: str = ""
    request_id: str = ""


def whence() -> Whence:
    """That of the present request; bounded, and without control characters."""
    return Whence(
        address=_plain(request.remote_addr, LONGEST_ADDRESS),
        user_agent=_plain(request.headers.get("User-Agent"), LONGEST_USER_AGENT),
        request_id=request.environ.get("portal.request_id", ""),
    )


def _plain(text: str | None, longest: int) -> str:
    return "".join(letter for letter in (text or "")[:longest] if letter.isprintable())
