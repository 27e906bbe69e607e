"""What any value of a client record may be, whoever writes it; used by the form and the importer alike.

Must not import anything of the portal.
"""

import re
from datetime import date

EARLIEST = date(1900, 1, 1)
LATEST = date(2199, 12, 31)

# C0 and C1 controls, the line and paragraph separators, and the marks that turn the direction of writing
# around, with which a text can show other words than it holds; half a surrogate pair is no character and no column
# can hold it. Joiners stay: names and emoji need them.
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_CONTROL_CHARACTERS_OF_SEVERAL_LINES = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def control_character_in(text: str, *, several_lines: bool = False) -> str | None:
    """The first character that cannot be kept, or None. Text of several lines may hold line feeds and tabs."""
    refused = _CONTROL_CHARACTERS_OF_SEVERAL_LINES if several_lines else _CONTROL_CHARACTERS
    found = refused.search(text)
    return found.group() if found else None
