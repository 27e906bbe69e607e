"""Describe who acts and from where, for sign-in sessions, the audit log and throttling.

Views call `request_origin()` and `current_actor()`, which read the request. Code below the views takes a RequestOrigin
or an Actor as an argument. Must not import a feature.
"""

import getpass
from dataclasses import dataclass

from flask import request
from flask_login import current_user

MAX_ADDRESS_LENGTH = 45
MAX_USER_AGENT_LENGTH = 200
MAX_REQUEST_ID_LENGTH = 64


@dataclass(frozen=True)
class RequestOrigin:
    """The client's address (see portal.web.proxies), its user agent and the request id."""

    address: str = ""
    user_agent: str = ""
    request_id: str = ""


UNKNOWN_ORIGIN = RequestOrigin()


@dataclass(frozen=True)
class Actor:
    """The acting profile. `profile_id` is None without a sign-in session and for commands."""

    profile_id: int | None
    request_origin: RequestOrigin


UNKNOWN_ACTOR = Actor(None, UNKNOWN_ORIGIN)


def request_origin() -> RequestOrigin:
    """Return the origin of the current request, limited in length and without control characters."""
    return RequestOrigin(
        address=_plain(request.remote_addr, MAX_ADDRESS_LENGTH),
        user_agent=_plain(request.headers.get("User-Agent"), MAX_USER_AGENT_LENGTH),
        request_id=request.environ.get("portal.request_id", ""),
    )


def current_actor() -> Actor:
    """Return the actor of the current request."""
    return Actor(current_user.id if current_user.is_authenticated else None, request_origin())


def cli_actor(command: str) -> Actor:
    """Return the actor of a command, for example "flask users add", with the operating system account's name."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # the user id of a container may have no name
        name = "unknown"
    return Actor(None, RequestOrigin(user_agent=_plain(f"{command}, by {name}", MAX_USER_AGENT_LENGTH)))


def _plain(text: str | None, max_length: int) -> str:
    return "".join(letter for letter in (text or "")[:max_length] if letter.isprintable())
