"""Define the forms of the users pages. portal.auth.profiles checks the values."""

from flask_wtf import FlaskForm
from wtforms import EmailField, HiddenField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import InputRequired

from portal.auth.models import ROLES
from portal.auth.views.forms import ReauthenticationForm
from portal.web.max_length import MaxLength

CHOICES = [SelectChoice(role, label) for role, label in ROLES.items()]


class _Names(FlaskForm):
    first_name = StringField("First name", [InputRequired("Enter the first name."), MaxLength(100)])
    last_name = StringField("Last name", [InputRequired("Enter the last name."), MaxLength(100)])
    email = EmailField("Email", [InputRequired("Enter the email address."), MaxLength(254)])


class DetailsForm(_Names, ReauthenticationForm):
    """Names and email of a user. `shown` identifies the values with which the form was opened."""

    shown = HiddenField("This form")

    def values(self) -> dict[str, str]:
        return {name: self[name].data or "" for name in ("first_name", "last_name", "email")}


class NewUserForm(_Names):
    role = SelectField("Role", choices=CHOICES)

    def values(self) -> dict[str, str]:
        return {name: self[name].data or "" for name in ("first_name", "last_name", "email", "role")}


class RoleForm(FlaskForm):
    role = SelectField("Role", choices=CHOICES)
