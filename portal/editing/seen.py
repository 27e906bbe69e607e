"""Encode and decode `seen`, the versions of the values that a user was shown while editing: "notes:8 phone:7".

static/js/editing/seen.js is the browser's side. tests/seen.json has examples that both sides are tested with. Pure.
"""

import re
from collections.abc import Mapping

from portal.errors import InvalidInput

MAX_SEEN_FIELDS = 300  # the products of a client, in the grid of their valuations
MAX_SEEN_LENGTH = 10_000
PAIR = re.compile(r"(?P<field>[a-z][a-z0-9_]{0,59}):(?P<version>[1-9][0-9]{0,9})", re.ASCII)


def parse_seen(text: str) -> dict[str, int]:
    """Return the version of each field; the last one counts if a field is repeated. Raises InvalidInput (422)."""
    words = text.split()
    pairs = [PAIR.fullmatch(word) for word in words[:MAX_SEEN_FIELDS]]
    if len(words) > MAX_SEEN_FIELDS or not all(pairs):
        raise InvalidInput("seen", "must be fields with versions, such as phone:7 notes:8")
    return {pair["field"]: int(pair["version"]) for pair in pairs if pair}


def format_seen(versions: Mapping[str, int]) -> str:
    """Return the text of the versions, sorted by field."""
    return " ".join(f"{field}:{version}" for field, version in sorted(versions.items()))
