"""Define the forms of the users pages. portal.auth.profiles checks the values."""

from flask_wtf import FlaskForm
from wtforms import EmailField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import InputRequired

from portal.auth.models import ROLES
from portal.web.max_length import MaxLength

CHOICES = [SelectChoice(role, label) for role, label in ROLES.items()]


class NewUserForm(FlaskForm):
    first_name = StringField("First name", [InputRequired("Enter the first name."), MaxLength(100)])
    last_name = StringField("Last name", [InputRequired("Enter the last name."), MaxLength(100)])
    email = EmailField("Email", [InputRequired("Enter the email address."), MaxLength(254)])
    role = SelectField("Role", choices=CHOICES)

    def values(self) -> dict[str, str]:
        return {name: self[name].data or "" for name in ("first_name", "last_name", "email", "role")}


class RoleForm(FlaskForm):
    role = SelectField("Role", choices=CHOICES)
