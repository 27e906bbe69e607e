"""Check that the user of a request is signed in and has the required role."""

from flask import request
from flask_login import current_user

from portal.errors import NotAllowed, NotSignedIn

# The only endpoints that respond without a sign-in session.
PUBLIC_ENDPOINTS = frozenset(
    {
        "auth.sign_in",
        "auth.enter_code",
        "auth.set_up_second_factor",
        "passwords.choose_password",
        "health.healthz",
        "health.readyz",
        "health.show_metrics",
        "static",
    }
)
# Endpoints that check the session themselves. Those of presence check it in their one SQL statement. Those of drafts
# first wait for concurrent requests of the profile, and must read the session after that.
SELF_CHECKING_ENDPOINTS = frozenset(
    {
        "presence.beat",
        "presence.clear",
        "presence.events",
        "presence.leave",
        "presence.nudge",
        "presence.own_events",
        "presence.roster",
        "presence.rosters",
        "presence.shared_drafts",
        "drafts.discard",
        "drafts.save",
    }
)


def guard_request() -> None:
    """Require a sign-in session for the current request, unless its endpoint is listed above.

    Unknown URLs have no endpoint and continue to the 404 page.
    """
    if request.endpoint and request.endpoint not in PUBLIC_ENDPOINTS | SELF_CHECKING_ENDPOINTS:
        require_sign_in()


def require_sign_in() -> None:
    """Raise NotSignedIn (401) unless the session belongs to an active profile; pages then redirect to /sign-in."""
    if not current_user.is_authenticated:
        raise NotSignedIn("Please sign in.")


def require_admin() -> None:
    """Raise NotAllowed (403) unless the user is an administrator."""
    if current_user.role != "admin":
        raise NotAllowed("Only administrators can do this.")


def require_oversight() -> None:
    """Raise NotAllowed (403) unless the user is an administrator or has the role compliance."""
    if not current_user.has_oversight:
        raise NotAllowed("Only administrators and compliance can see this.")
