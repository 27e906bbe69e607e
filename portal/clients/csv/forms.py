"""Define the forms of an import in the browser."""

from flask_wtf import FlaskForm
from wtforms import HiddenField, MultipleFileField
from wtforms.validators import InputRequired

from portal.auth.views.forms import ReauthenticationForm


class UploadForm(FlaskForm):
    files = MultipleFileField("CSV files", [InputRequired("Choose the files.")])


class ApplyForm(ReauthenticationForm):
    """`mark` identifies the changes that the page has shown."""

    mark = HiddenField()
