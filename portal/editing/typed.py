"""What a call to keep a draft may say, checked value by value. Pure; called by views.py."""

import re
from typing import Any

from portal.editing.drafts import LONGEST_ID, MOST_VALUES, Mark, Typed, mark_from
from portal.editing.guard import origin_from
from portal.errors import InvalidInput

FORM = re.compile(r"[a-z][a-z0-9_]*(/[a-z0-9_]+)*", re.ASCII)
FIELD = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)
DRAFT_ID = re.compile(rf"[A-Za-z0-9_-]{{0,{LONGEST_ID}}}", re.ASCII)
# `mine` is sent by pages that were opened before drafts had ids; it no longer matters.
MEMBERS = {"version", "seen", "values", "restored", "mine"}
LONGEST_FORM = 60
LONGEST_SEEN = 2_000
# Ten times the longest column: what is too long to be saved is kept all the same, to be shortened.
LONGEST_VALUE = 100_000


def typed_from(body: object) -> Typed:
    """Read `version`, `seen`, `values` and `restored` from parsed JSON. Raises InvalidInput (422) naming the field."""
    if not isinstance(body, dict):
        raise InvalidInput("body", "must be a JSON object")
    for name in body.keys() - MEMBERS:
        raise InvalidInput(name, "is no member of a draft: what is not understood would not be kept")
    version, seen = body.get("version"), body.get("seen", "")
    if not isinstance(version, int) or isinstance(version, bool):
        raise InvalidInput("version", "must be the number of the version that the person started from")
    if not isinstance(seen, str) or len(seen) > LONGEST_SEEN:
        raise InvalidInput("seen", f"must be text of at most {LONGEST_SEEN:,} characters, such as phone:7 notes:8")
    origin_from({"version": str(version), "seen": seen})
    restored = mark_of(body["restored"], "restored") if "restored" in body else None
    return Typed(version, seen, _values(body.get("values")), restored)


def form_from(name: Any) -> str:
    """The form's name. Raises InvalidInput (422)."""
    if not isinstance(name, str) or len(name) > LONGEST_FORM or not FORM.fullmatch(name):
        raise InvalidInput("form", "must name a form, such as record, person/12 or person/new")
    return name


def draft_id_from(text: str) -> str:
    """The draft's id, '' of a page that has none. Raises InvalidInput (422)."""
    if not DRAFT_ID.fullmatch(text):
        raise InvalidInput("draft", f"must be at most {LONGEST_ID} letters, digits, hyphens and underscores")
    return text


def mark_of(text: Any, field: str) -> Mark:
    """The draft that is meant, as it was. Raises InvalidInput (422)."""
    mark = mark_from(text) if isinstance(text, str) else None
    if mark is None:
        raise InvalidInput(field, "must be the mark of a draft, as the editor has it")
    return mark


def _values(values: Any) -> dict[str, str]:
    if not isinstance(values, dict) or len(values) > MOST_VALUES:
        raise InvalidInput("values", f"must be an object of at most {MOST_VALUES} fields")
    for name, value in values.items():
        if not FIELD.fullmatch(name):
            raise InvalidInput("values", "must have names of 1 to 60 small letters, digits or underscores")
        if not isinstance(value, str) or len(value) > LONGEST_VALUE or not _can_be_kept(value):
            raise InvalidInput("values", f"must be texts of at most {LONGEST_VALUE:,} characters without NUL")
    return values


def _can_be_kept(value: str) -> bool:
    """PostgreSQL holds neither NUL nor half of a surrogate pair."""
    return not re.search("[\0\ud800-\udfff]", value)
