"""Who acts, and from where, as sign-in sessions, the audit and the throttle note it.

`request_origin()` and `current_actor()` read the request, for views. Code below the views takes a RequestOrigin or an
Actor as an argument. Must not import a feature.
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
    """The client's address (see portal.web.proxies), its user agent and the request's id."""

    address: str = ""
    user_agent: str = ""
    request_id: str = ""


UNKNOWN_ORIGIN = RequestOrigin()


@dataclass(frozen=True)
class Actor:
    """The profile that acts; None is nobody signed in, or an operator at the command line."""

    profile_id: int | None
    request_origin: RequestOrigin


NOBODY = Actor(None, UNKNOWN_ORIGIN)


def request_origin() -> RequestOrigin:
    """That of the present request; bounded, and without control characters."""
    return RequestOrigin(
        address=_plain(request.remote_addr, MAX_ADDRESS_LENGTH),
        user_agent=_plain(request.headers.get("User-Agent"), MAX_USER_AGENT_LENGTH),
        request_id=request.environ.get("portal.request_id", ""),
    )


def current_actor() -> Actor:
    """Who acts with the present request."""
    return Actor(current_user.id if current_user.is_authenticated else None, request_origin())


def cli_actor(command: str) -> Actor:
    """The operator who runs `command`, "flask users add" for instance, by the name of the account on the machine."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number without a name
        name = "somebody"
    return Actor(None, RequestOrigin(user_agent=_plain(f"{command}, by {name}", MAX_USER_AGENT_LENGTH)))


def _plain(text: str | None, longest: int) -> str:
    return "".join(letter for letter in (text or "")[:longest] if letter.isprintable())
