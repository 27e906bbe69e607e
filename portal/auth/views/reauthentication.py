"""Require the user's password again before a sensitive action (OWASP ASVS 5.0.0, 7.5.1)."""

from flask_login import current_user

from portal.auth import verification
from portal.auth.views.forms import ReauthenticationForm
from portal.errors import InvalidInput
from portal.web import session_cookie
from portal.web.actor import request_origin


def is_reauthenticated(form: ReauthenticationForm) -> bool:
    """Validate the form and verify its password. Add the error of a wrong password to the field.

    Commits before it hashes, and locks the session afterwards. Raises TooManyAttempts (429), ServiceBusy (503) or
    NotSignedIn (401).
    """
    if not form.validate():
        return False
    try:
        verification.reauthenticate(
            current_user, form.current_password.data or "", session_cookie.identity(), request_origin()
        )
    except InvalidInput as error:
        form.current_password.errors = [f"That {error.problem}."]
        return False
    return True
