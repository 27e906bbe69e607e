"""The JSON body of a call to an API, bounded before it is read. Called by views."""

from typing import Any

from flask import json, request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType


def read_json_body(largest_bytes: int) -> Any:
    """The parsed body. Raises RequestEntityTooLarge (413), UnsupportedMediaType (415) or BadRequest (400)."""
    request.max_content_length = largest_bytes
    if not request.is_json:
        raise UnsupportedMediaType
    try:
        return json.loads(request.get_data())
    except (ValueError, RecursionError):
        raise BadRequest("The body is not valid JSON.") from None
