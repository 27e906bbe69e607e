"""Read request bodies: JSON of the APIs, and the fields of a write, sent as a form or as JSON.

A browser sends forms. A program may send one JSON object with the fields of the form; names, checks and responses are
the same.
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
    """Return whether the request contains JSON, so that the response must be JSON too."""
    return request.is_json


def reject_json() -> None:
    """Raise UnsupportedMediaType (415) for a request with JSON. For pages that accept only forms.

    Flask-WTF would parse the JSON itself, without limiting its depth or shape.
    """
    if request.is_json and request.content_length:
        raise UnsupportedMediaType


def read_json_body(max_bytes: int) -> object:
    """Return the parsed body. Raises RequestEntityTooLarge (413), UnsupportedMediaType (415) or BadRequest (400)."""
    request.max_content_length = max_bytes
    if not request.is_json:
        raise UnsupportedMediaType
    return _parse_json()


def request_fields() -> MultiDict[str, str]:
    """Return the fields of the request as text.

    Raises UnsupportedMediaType (415), BadRequest (400) for malformed JSON, InvalidInput (422) for JSON that is not an
    object of simple values.
    """
    if not request.is_json:
        if request.content_length and request.mimetype not in FORM_TYPES:
            raise UnsupportedMediaType
        return request.form
    if "json_fields" not in g:
        # Decimals stay as they are written, because a float would change them.
        g.json_fields = MultiDict(_fields(_parse_json(parse_float=str, parse_constant=_reject_constant)))
    fields: MultiDict[str, str] = g.json_fields
    return fields


def reject_unknown_fields(known: Collection[str]) -> None:
    """Raise InvalidInput (422) for an unknown field of a JSON object, because a misspelt field would be lost.

    Unknown fields of a form are ignored: buttons and browser extensions add their own.
    """
    unknown = sorted(set(request_fields()) - set(known)) if request.is_json else []
    if unknown:
        raise InvalidInput(unknown[0], "is not a field of this form")


def _parse_json(**options: Any) -> object:
    try:
        return json.loads(request.get_data(), **options)
    except (ValueError, RecursionError):
        raise BadRequest("The body is not valid JSON.") from None


def _reject_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _fields(body: object) -> dict[str, str]:
    if not isinstance(body, dict) or len(body) > MAX_FORM_FIELDS:
        raise InvalidInput("body", f"must be a JSON object of at most {MAX_FORM_FIELDS} fields")
    return {name: _text(name, value) for name, value in body.items()}


def _text(name: str, value: object) -> str:
    """Return the value as a form would send it: null is an empty field."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise InvalidInput(name, "must be text, a number or null")
