"""Where the sender of a change started from, read from what was sent. Every write of a record begins with it.

Views read it with `parse_base_version(request_fields())` after they have loaded the record, and pass it to the
operation. A test walks through the unsafe routes and fails for one that accepts
a change without it. Pure; must not import a feature.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from portal.errors import InvalidInput
from portal.integers import MAX_INTEGER

MAX_SEEN_FIELDS = 100
SEEN = re.compile(r"(?P<field>[a-z][a-z0-9_]{0,59}):(?P<version>[1-9][0-9]{0,9})", re.ASCII)


@dataclass(frozen=True)
class BaseVersion:
    """Which version a change started from.

    `seen` has the fields whose newer value, of that version, the person has been shown in the open editor and has taken
    in or overruled. `seen_version` is the version that a conflict page showed when decisions were made there.
    """

    version: int
    seen: Mapping[str, int] = field(default_factory=dict)
    seen_version: int | None = None

    def of(self, name: str) -> int:
        """The version that the field's value started from."""
        return max(self.version, self.seen.get(name, 0))


def parse_base_version(sent: Mapping[str, str]) -> BaseVersion:
    """Read `version`, `seen` ("phone:7 notes:8") and `seen_version`. Raises InvalidInput (422)."""
    if "version" not in sent:
        raise InvalidInput("version", "is missing: reload the page")
    seen_version = sent.get("seen_version")
    return BaseVersion(
        version=_parse_version("version", sent["version"]),
        seen=_parse_seen(sent.get("seen", "")),
        seen_version=_parse_version("seen_version", seen_version) if seen_version else None,
    )


def _parse_version(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) <= MAX_INTEGER):
        raise InvalidInput(name, "is not the number of a version: reload the page")
    return int(text)


def _parse_seen(text: str) -> dict[str, int]:
    words = text.split()
    found = [SEEN.fullmatch(word) for word in words[:MAX_SEEN_FIELDS]]
    if len(words) > MAX_SEEN_FIELDS or not all(found):
        raise InvalidInput("seen", "must be fields with versions, such as phone:7 notes:8")
    return {match["field"]: int(match["version"]) for match in found if match}
