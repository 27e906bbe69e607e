"""Who acts, and from where, as sign-in sessions, the audit and the throttle note it.

`whence()` and `acting()` read the request, for views; what is below them takes a Whence or an Actor as an argument.
Must not import a feature.
"""

import getpass
from dataclasses import dataclass

from flask import request
from flask_login import current_user

LONGEST_ADDRESS = 45
LONGEST_USER_AGENT = 200
LONGEST_REQUEST_ID = 64


@dataclass(frozen=True)
class Whence:
    """The client's address (see portal.web.proxies), its user agent and the request's id."""

    address: str = ""
    user_agent: str = ""
    request_id: str = ""


NOWHERE = Whence()


@dataclass(frozen=True)
class Actor:
    """The profile that acts; None is nobody signed in, or an operator at the command line."""

    profile_id: int | None
    whence: Whence


NOBODY = Actor(None, NOWHERE)


def whence() -> Whence:
    """That of the present request; bounded, and without control characters."""
    return Whence(
        address=_plain(request.remote_addr, LONGEST_ADDRESS),
        user_agent=_plain(request.headers.get("User-Agent"), LONGEST_USER_AGENT),
        request_id=request.environ.get("portal.request_id", ""),
    )


def acting() -> Actor:
    """Who acts with the present request."""
    return Actor(current_user.id if current_user.is_authenticated else None, whence())


def at_the_command_line(command: str) -> Actor:
    """The operator who runs `command`, "flask users add" for instance, by the name of the account on the machine."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number without a name
        name = "somebody"
    return Actor(None, Whence(user_agent=_plain(f"{command}, by {name}", LONGEST_USER_AGENT)))


def _plain(text: str | None, longest: int) -> str:
    return "".join(letter for letter in (text or "")[:longest] if letter.isprintable())
