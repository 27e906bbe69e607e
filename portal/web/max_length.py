"""Limit the length of text fields in forms.

The validator of WTForms also sets the attribute `maxlength`, with which browsers silently cut pasted text.
"""

from wtforms import Field, ValidationError
from wtforms.form import BaseForm


def too_long(length: int, max_characters: int) -> str:
    """Return the message for a text that is too long. static/js/editing/too-long.js shows the same message."""
    excess = length - max_characters
    return f"Use at most {max_characters:,} characters. This has {length:,}: {excess:,} too many."


class MaxLength:
    """A validator that limits the number of characters."""

    def __init__(self, max_characters: int) -> None:
        self._max_characters = max_characters

    def __call__(self, form: BaseForm, field: Field) -> None:
        length = len(field.data or "")
        if length > self._max_characters:
            raise ValidationError(too_long(length, self._max_characters))


def max_length_attributes(max_characters: int) -> dict[str, int]:
    """Return the attributes with which a script counts characters while the user types."""
    return {"data-max-characters": max_characters}
