"""What a beat may say, checked value by value. Pure; called by views.py."""

import re
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from portal import page_kinds
from portal.errors import InvalidInput

ACTIVITIES = ("viewing", "editing")
NUDGE_REPLIES = ("soon", "done")
STREAM_NUMBER = re.compile(r"[0-9]{1,7}", re.ASCII)
TAB_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
# A caller that names no tab has one all the same; no tab_id can be this.
DEFAULT_TAB_ID = "."
MAX_IDENTIFIER_LENGTH = 255
MAX_TABS = 10
MAX_FIELDS = 50
MAX_FIELD_LENGTH = 100
MAX_FIELDS_BYTES = 900  # of the names kept: everybody's rosters hold them
MAX_STREAM_NUMBER = 1_000_000


@dataclass(frozen=True)
class Beat:
    """One "I am here": on which page, in which tab, doing what. `fields` are changed but not yet saved.

    `waiting` for the others to finish; `answer` to somebody who waits and has asked this tab to; `stream` counts the
    event streams that the tab has opened, the one that it is about to open included.
    """

    page: page_kinds.Page
    tab_id: str = DEFAULT_TAB_ID
    activity: str = "viewing"
    visible: bool = True
    fields: tuple[str, ...] = ()
    waiting: bool = False
    answer: str | None = None
    stream: int = 0

    @property
    def state(self) -> dict[str, Any]:
        """What the table keeps of the tab. What hardly any tab says is left out where it is not said."""
        said: dict[str, Any] = {"activity": self.activity, "visible": self.visible, "fields": self.fields}
        if self.waiting:
            said["waiting"] = True
        if self.answer:
            said["answer"] = self.answer
        if self.stream:
            said["stream"] = self.stream
        return said


def parse_beat(body: object) -> Beat:
    """Read a beat from parsed JSON. Raises InvalidInput (422) naming the field, or NotFound (404) for the page.

    Members that it does not know are ignored, a `user_id` above all: who beats is the session's to say.
    """
    if not isinstance(body, dict):
        raise InvalidInput("body", "must be a JSON object")
    return Beat(
        page=page_kinds.parse(_parse_page_identifier(body.get("page_identifier"))),
        tab_id=parse_tab_id(body.get("tab_id")),
        activity=_parse_activity(body.get("activity", "viewing")),
        visible=_parse_bool("visible", body.get("visible", True)),
        fields=_parse_fields(body.get("fields", [])),
        waiting=_parse_bool("waiting", body.get("waiting", False)),
        answer=_parse_nudge_reply(body.get("answer")),
        stream=_parse_stream(body.get("stream", 0)),
    )


def parse_tab_id(value: Any) -> str:
    """A tab's id, DEFAULT_TAB_ID for None. Raises InvalidInput (422)."""
    if value is None:
        return DEFAULT_TAB_ID
    if not isinstance(value, str) or not TAB_ID.fullmatch(value):
        raise InvalidInput("tab_id", "must be 1 to 64 letters, digits, hyphens or underscores")
    return value


def _parse_page_identifier(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_IDENTIFIER_LENGTH or not value.isprintable():
        raise InvalidInput(
            "page_identifier", f"must be text of 1 to {MAX_IDENTIFIER_LENGTH} characters, such as client-42"
        )
    return value


def _parse_activity(value: Any) -> str:
    if value not in ACTIVITIES:
        raise InvalidInput("activity", f"must be {' or '.join(ACTIVITIES)}")
    return str(value)


def _parse_bool(field: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput(field, "must be true or false")
    return value


def _parse_stream(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_STREAM_NUMBER:
        raise InvalidInput("stream", f"must be a whole number from 0 to {MAX_STREAM_NUMBER}")
    return value


def parse_stream_number(text: str | None) -> int:
    """Which of its tab's streams an address is for, 0 for None. Raises InvalidInput (422)."""
    if not text:
        return 0
    return _parse_stream(int(text) if STREAM_NUMBER.fullmatch(text) else text)


def _parse_nudge_reply(value: Any) -> str | None:
    if value is not None and value not in NUDGE_REPLIES:
        raise InvalidInput("answer", f"must be {' or '.join(NUDGE_REPLIES)}, or null")
    return value and str(value)


def _parse_fields(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_FIELDS:
        raise InvalidInput("fields", f"must be a list of at most {MAX_FIELDS} names")
    for name in value:
        if not isinstance(name, str) or not 0 < len(name) <= MAX_FIELD_LENGTH or not name.isprintable():
            raise InvalidInput("fields", f"must be names of 1 to {MAX_FIELD_LENGTH} printable characters")
    return _that_fit(value) if value else ()


def _that_fit(names: list[str]) -> tuple[str, ...]:
    """The first of the names, up to MAX_FIELDS_BYTES. All fields of the largest form take 200."""
    sizes = accumulate(len(name.encode("utf-8", "surrogatepass")) for name in names)
    return tuple(name for name, size in zip(names, sizes, strict=True) if size <= MAX_FIELDS_BYTES)
