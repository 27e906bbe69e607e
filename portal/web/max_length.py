"""The limit on what a text field of a form may hold.

WTForms' own gives the control a `maxlength`, by which a browser cuts what is pasted without a word.
"""

from typing import Any

from wtforms import Field, ValidationError
from wtforms.form import BaseForm


def too_long(length: int, max_characters: int) -> str:
    """Say how much a text is too long; static/js/editing/too-long.js says the same."""
    too_many = length - max_characters
    return f"Use at most {max_characters:,} characters. This has {length:,}: {too_many:,} too many."


class MaxLength:
    """A validator: at most so many characters."""

    def __init__(self, max_characters: int) -> None:
        self._max_characters = max_characters

    def __call__(self, form: BaseForm, field: Field) -> None:
        length = len(field.data or "")
        if length > self._max_characters:
            raise ValidationError(too_long(length, self._max_characters))


def told_to_browser(max_characters: int) -> dict[str, Any]:
    """Attributes of a control by which a script counts while somebody types."""
    return {"data-max-characters": max_characters}
