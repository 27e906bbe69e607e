"""Test that pasted text is never cut. Text that is too long is rejected with the number of excess characters."""

import pytest
from flask import Flask
from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField

from portal.admin.users import forms as admin_forms
from portal.auth.views import forms as auth_forms
from portal.clients.editor import forms as client_forms
from portal.clients.editor.form_fields import NumberField
from portal.config import PROJECT_ROOT
from portal.web.max_length import MaxLength
from tests.support.cast import Cast
from tests.support.test_client import Visitor

FORMS = [
    form
    for module in (admin_forms, auth_forms, client_forms)
    for form in vars(module).values()
    if isinstance(form, type) and issubclass(form, FlaskForm) and form.__module__ == module.__name__
]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_text_field_has_a_limit_without_maxlength(app: Flask, form: type[FlaskForm]) -> None:
    with app.test_request_context():
        texts = [field for field in form() if isinstance(field, StringField) and not isinstance(field, HiddenField)]
        for field in texts:
            assert "maxlength" not in field().lower(), field.name
            is_number = isinstance(field, NumberField)  # whose column bounds it
            assert is_number or any(isinstance(check, MaxLength) for check in field.validators), field.name


def test_no_template_sets_maxlength() -> None:
    for path in (PROJECT_ROOT / "templates").rglob("*.html"):
        assert "maxlength" not in path.read_text(), path


@pytest.mark.parametrize("path", ["/clients?q=", "/users?q=", "/audit?who="])
def test_search_says_that_it_shortened_the_text(visit: type[Visitor], cast: Cast, path: str) -> None:
    ada = visit(cast.ada)

    assert "Only the first 100 characters are searched for." in ada.get(path + "x" * 101).text
    assert "characters are searched for" not in ada.get(path + "x" * 100).text
