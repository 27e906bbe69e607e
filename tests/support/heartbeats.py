"""Send heartbeats by the fast path or by Flask."""

import json
from typing import Any

from werkzeug.test import TestResponse

from tests.support.test_client import Visitor

# A charset in the content type makes Flask respond.
PATHS = {"fast": "application/json", "flask": "application/json; charset=utf-8"}


def by(path: str, visitor: Visitor, body: Any, **options: Any) -> TestResponse:
    """Send a heartbeat by one of PATHS. `body` is JSON as bytes, or a value to encode."""
    data = body if isinstance(body, bytes) else json.dumps(body)
    return visitor.post("/user_page_presence", data=data, content_type=PATHS[path], **options)
