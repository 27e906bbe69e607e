"""Parse and validate the body of a heartbeat. Pure."""

import re
from dataclasses import dataclass
from itertools import accumulate

from portal import page_kinds
from portal.editing.drafts.payload import MAX_FORM_NAME_LENGTH
from portal.editing.drafts.store import MAX_DRAFT_ID_LENGTH
from portal.errors import InvalidInput

ACTIVITIES = ("viewing", "editing")
NUDGE_REPLIES = ("soon", "done")
STREAM_NUMBER = re.compile(r"[0-9]{1,7}", re.ASCII)
TAB_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
# The tab of a caller that names none. No valid tab_id equals it.
DEFAULT_TAB_ID = "."
# A name without an editor of its own has no drafts.
FORM_NAME = re.compile(rf"[a-z0-9/_-]{{1,{MAX_FORM_NAME_LENGTH}}}", re.ASCII)
DRAFT_ID = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_DRAFT_ID_LENGTH}}}", re.ASCII)
DRAFT_ID_FORMAT = f"1 to {MAX_DRAFT_ID_LENGTH} letters, digits, hyphens or underscores"
MAX_IDENTIFIER_LENGTH = 255
MAX_TABS = 10
MAX_FIELDS = 50
MAX_FIELD_LENGTH = 100
MAX_FIELDS_BYTES = 900  # of the names that are kept, because every roster of the page contains them
MAX_STREAM_NUMBER = 1_000_000


@dataclass(frozen=True)
class Beat:
    """One heartbeat of a tab.

    `fields` are changed and not yet saved. `focus` is the field with the keyboard focus. `waiting`: the user waits for
    the others to finish. `nudge_reply` answers the nudge of a waiting user. `stream_number` counts the event streams
    that the tab has opened, including the one that it is about to open. `form` is the form that the tab's editor has
    open, and `draft` the id of the draft that it writes.
    """

    page: page_kinds.Page
    tab_id: str = DEFAULT_TAB_ID
    activity: str = "viewing"
    visible: bool = True
    fields: tuple[str, ...] = ()
    focus: str | None = None
    waiting: bool = False
    nudge_reply: str | None = None
    stream_number: int = 0
    form: str | None = None
    draft: str | None = None

    @property
    def state(self) -> dict[str, object]:
        """Return what the table stores of the tab, without rare members that are not set."""
        rare = {
            "focus": self.focus,
            "waiting": self.waiting,
            "answer": self.nudge_reply,
            "stream": self.stream_number,
            "form": self.form,
            "draft": self.draft,
        }
        usual = {"activity": self.activity, "visible": self.visible, "fields": self.fields}
        return usual | {name: value for name, value in rare.items() if value}


def parse_beat(body: object) -> Beat:
    """Return the heartbeat in parsed JSON. Raises InvalidInput (422) naming the field, or NotFound (404) for the page.

    Ignores unknown members, and a `user_id` in particular: the session identifies the sender.
    """
    if not isinstance(body, dict):
        raise InvalidInput("body", "must be a JSON object")
    return Beat(
        page=page_kinds.parse(_parse_page_identifier(body.get("page_identifier"))),
        tab_id=parse_tab_id(body.get("tab_id")),
        activity=_parse_activity(body.get("activity", "viewing")),
        visible=_parse_bool("visible", body.get("visible", True)),
        fields=_parse_fields(body.get("fields", [])),
        focus=_parse_focus(body.get("focus")),
        waiting=_parse_bool("waiting", body.get("waiting", False)),
        nudge_reply=_parse_nudge_reply(body.get("answer")),
        stream_number=_parse_stream(body.get("stream", 0)),
        form=_parse_name("form", body.get("form"), FORM_NAME, "the name of a form, such as record or person/12"),
        draft=_parse_name("draft", body.get("draft"), DRAFT_ID, DRAFT_ID_FORMAT),
    )


def parse_tab_id(value: object) -> str:
    """Return a tab's id, DEFAULT_TAB_ID for None. Raises InvalidInput (422)."""
    if value is None:
        return DEFAULT_TAB_ID
    if not isinstance(value, str) or not TAB_ID.fullmatch(value):
        raise InvalidInput("tab_id", "must be 1 to 64 letters, digits, hyphens or underscores")
    return value


def _parse_page_identifier(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_IDENTIFIER_LENGTH or not value.isprintable():
        raise InvalidInput(
            "page_identifier", f"must be text of 1 to {MAX_IDENTIFIER_LENGTH} characters, such as client-42"
        )
    return value


def _parse_activity(value: object) -> str:
    if value not in ACTIVITIES:
        raise InvalidInput("activity", f"must be {' or '.join(ACTIVITIES)}")
    return str(value)


def _parse_bool(field: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput(field, "must be true or false")
    return value


def _parse_stream(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_STREAM_NUMBER:
        raise InvalidInput("stream", f"must be a whole number from 0 to {MAX_STREAM_NUMBER}")
    return value


def parse_stream_number(text: str | None) -> int:
    """Return the stream number in a query string, 0 for None. Raises InvalidInput (422)."""
    if not text:
        return 0
    return _parse_stream(int(text) if STREAM_NUMBER.fullmatch(text) else text)


def _parse_nudge_reply(value: object) -> str | None:
    if value is not None and value not in NUDGE_REPLIES:
        raise InvalidInput("answer", f"must be {' or '.join(NUDGE_REPLIES)}, or null")
    return value and str(value)


def _parse_fields(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_FIELDS:
        raise InvalidInput("fields", f"must be a list of at most {MAX_FIELDS} names")
    if not all(_is_field_name(name) for name in value):
        raise InvalidInput("fields", f"must be names of 1 to {MAX_FIELD_LENGTH} printable characters")
    return _within_byte_limit(value) if value else ()


def _parse_focus(value: object) -> str | None:
    if value is not None and not _is_field_name(value):
        raise InvalidInput("focus", f"must be a name of 1 to {MAX_FIELD_LENGTH} printable characters, or null")
    return str(value) if value else None


def _parse_name(field: str, value: object, pattern: re.Pattern[str], description: str) -> str | None:
    if value is not None and not (isinstance(value, str) and pattern.fullmatch(value)):
        raise InvalidInput(field, f"must be {description}, or null")
    return value and str(value)


def _is_field_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_FIELD_LENGTH and value.isprintable()


def _within_byte_limit(names: list[str]) -> tuple[str, ...]:
    """Return the first names, up to MAX_FIELDS_BYTES. All fields of the largest form take 200."""
    sizes = accumulate(len(name.encode("utf-8", "surrogatepass")) for name in names)
    return tuple(name for name, size in zip(names, sizes, strict=True) if size <= MAX_FIELDS_BYTES)
