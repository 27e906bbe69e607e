"""Define the forms of signing in and of the user's own account. They limit lengths; other modules check the content."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import EmailField, HiddenField, PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired

from portal.auth.passwords.hashing import MAX_PASSWORD_LENGTH
from portal.auth.passwords.policy import MIN_PASSWORD_LENGTH
from portal.text_input import clean_line
from portal.web.max_length import MaxLength

MAX_CODE_LENGTH = 60
PASSWORD_HINT = f"{MIN_PASSWORD_LENGTH} characters or more; a few words are easy to remember and hard to guess."


def _password(label: str, missing: str, *checks: EqualTo, **options: Any) -> PasswordField:
    return PasswordField(label, [InputRequired(missing), MaxLength(MAX_PASSWORD_LENGTH), *checks], **options)


def _code(label: str, missing: str, **options: Any) -> StringField:
    return StringField(label, [InputRequired(missing), MaxLength(MAX_CODE_LENGTH)], filters=[_clean], **options)


def _email(missing: str) -> EmailField:
    return EmailField("Email", [InputRequired(missing), MaxLength(254)], filters=[_clean])


def _clean(text: str | None) -> str:
    return clean_line(text or "")


class SignInForm(FlaskForm):
    email = _email("Enter your email address.")
    password = _password("Password", "Enter your password.")
    next = HiddenField()


class CodeForm(FlaskForm):
    """Asks for a code of the authenticator app, or a recovery code while signing in."""

    code = _code("Code", "Enter the code that the app shows.")
    next = HiddenField()


class ReauthenticationForm(FlaskForm):
    """Asks for the password again before a sensitive action."""

    current_password = _password("Your password", "Enter your password.")


class NewPasswordForm(ReauthenticationForm):
    new_password = _password("New password", "Choose a password.", description=PASSWORD_HINT)
    again = _password("New password again", "Enter it once more.", EqualTo("new_password", "The two are not the same."))


class ChoosePasswordForm(FlaskForm):
    """Asks a user who received a code from an administrator for a new password."""

    email = _email("Enter your email address.")
    code = _code("Code", "Enter the code that you were given.")
    new_password = _password("New password", "Choose a password.", description=PASSWORD_HINT)
    again = _password("New password again", "Enter it once more.", EqualTo("new_password", "The two are not the same."))
