"""The first thing asked of every page: is somebody signed in?"""

from flask_login import current_user

from portal.errors import NotAllowed, NotSignedIn


def require_sign_in() -> None:
    """Raise NotSignedIn (401; a page sends the person to /sign-in) unless the session belongs to an active profile."""
    if not current_user.is_authenticated:
        raise NotSignedIn("Please sign in.")


def require_admin() -> None:
    """Raise NotSignedIn (401), or NotAllowed (403) for anybody who is no administrator."""
    require_sign_in()
    if current_user.role != "admin":
        raise NotAllowed("That is for administrators.")
