"""Check that the user of a request is signed in and has the required role."""

from flask_login import current_user

from portal.errors import NotAllowed, NotSignedIn


def require_sign_in() -> None:
    """Raise NotSignedIn (401) unless the session belongs to an active profile; pages then redirect to /sign-in."""
    if not current_user.is_authenticated:
        raise NotSignedIn("Please sign in.")


def require_admin() -> None:
    """Raise NotSignedIn (401) without a session, NotAllowed (403) unless the user is an administrator."""
    require_sign_in()
    if current_user.role != "admin":
        raise NotAllowed("Only administrators can do this.")
