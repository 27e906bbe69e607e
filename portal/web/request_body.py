"""What a write was sent, as a form or as JSON: the same names, the same checks, the same answers.

A browser sends forms; a program may send one JSON object with the fields of the form. Called by views and the guard.
"""

import json
from collections.abc import Collection
from typing import Any

from flask import g, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from portal.errors import InvalidInput

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
MAX_FORM_FIELDS = 100


def is_json() -> bool:
    """Whether the caller speaks JSON, and is to be answered in it."""
    return request.is_json


def reject_json() -> None:
    """Before each request of pages that take forms alone: raise UnsupportedMediaType (415).

    Flask-WTF would parse JSON by itself, and neither its depth nor its shape is bounded there.
    """
    if request.is_json and request.content_length:
        raise UnsupportedMediaType


def request_fields() -> MultiDict[str, str]:
    """The fields that were sent, as text. Raises BadRequest (400) or InvalidInput (422) for JSON that is no form."""
    if not request.is_json:
        if request.content_length and request.mimetype not in FORM_TYPES:
            raise UnsupportedMediaType
        return request.form
    if "sent_form" not in g:
        g.sent_form = MultiDict(_fields(_parsed()))
    sent: MultiDict[str, str] = g.sent_form
    return sent


def reject_unknown_fields(known: Collection[str]) -> None:
    """Raise InvalidInput (422) for a field of a JSON object that is none of the form's: a misspelt one would be lost.

    Of a browser's form the same is no error: its buttons and extensions have names of their own.
    """
    unknown = sorted(set(request_fields()) - set(known)) if request.is_json else []
    if unknown:
        raise InvalidInput(unknown[0], "is not a field of this form")


def _parsed() -> dict[str, Any]:
    try:
        # Decimals as they are written: a float in between would change them.
        body = json.loads(request.get_data(), parse_float=str, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        raise BadRequest("The body is not valid JSON.") from None
    if not isinstance(body, dict) or len(body) > MAX_FORM_FIELDS:
        raise InvalidInput("body", f"must be a JSON object of at most {MAX_FORM_FIELDS} fields")
    return body


def _reject_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _fields(body: dict[str, Any]) -> dict[str, str]:
    return {name: _text(name, value) for name, value in body.items()}


def _text(name: str, value: Any) -> str:
    """As a form would send it: null is an empty field."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise InvalidInput(name, "must be text, a number or null")
