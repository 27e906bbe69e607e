"""Parse the version that a change started from. Every write of a record carries it.

Views pass `parse_base_version(request_fields())` to the operation after they have loaded the record. A test walks
through the unsafe routes and fails for one that accepts a change without it. Pure; must not import a feature.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from portal.editing.seen import parse_seen
from portal.errors import InvalidInput

MAX_VERSION = 2**31 - 1


@dataclass(frozen=True)
class BaseVersion:
    """The version from which a change started.

    `seen` has the fields whose newer value the user was shown in the open editor and has accepted or overruled, with
    the version of that value. `seen_version` is the version that a conflict page showed when the user decided there.
    """

    version: int
    seen: Mapping[str, int] = field(default_factory=dict)
    seen_version: int | None = None

    def version_of(self, name: str) -> int:
        """Return the version from which the field's value started."""
        return max(self.version, self.seen.get(name, 0))


def parse_base_version(fields: Mapping[str, str]) -> BaseVersion:
    """Read `version`, `seen` ("phone:7 notes:8") and `seen_version`. Raises InvalidInput (422)."""
    if "version" not in fields:
        raise InvalidInput("version", "is missing: reload the page")
    seen_version = fields.get("seen_version")
    return BaseVersion(
        version=_parse_version("version", fields["version"]),
        seen=parse_seen(fields.get("seen", "")),
        seen_version=_parse_version("seen_version", seen_version) if seen_version else None,
    )


def _parse_version(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) <= MAX_VERSION):
        raise InvalidInput(name, "is not the number of a version: reload the page")
    return int(text)
