"""Parse and validate the requests of the drafts API. Pure."""

import re
from collections.abc import Callable, Collection

from portal.editing.base_version import parse_base_version
from portal.editing.drafts.store import ASIDE, MAX_DRAFT_ID_LENGTH, DraftPayload, Mark, mark_from
from portal.editing.seen import MAX_SEEN_LENGTH
from portal.errors import InvalidInput

DRAFT_ID = re.compile(rf"[A-Za-z0-9_-]{{0,{MAX_DRAFT_ID_LENGTH}}}", re.ASCII)
# Pages that were opened before drafts had ids send `mine`. It has no effect.
MEMBERS = {"version", "seen", "values", "restored", "mine"}
MAX_FORM_NAME_LENGTH = 60
# Ten times the longest column: a value that is too long to be saved is kept, so that the user can shorten it.
MAX_VALUE_LENGTH = 100_000


def parse_draft(body: object, fields: Collection[str]) -> DraftPayload:
    """Return the draft in parsed JSON: `version`, `seen`, `values` and `restored`. `fields` are those of the form.

    Raises InvalidInput (422) naming the member.
    """
    if not isinstance(body, dict):
        raise InvalidInput("body", "must be a JSON object")
    for name in body.keys() - MEMBERS:
        raise InvalidInput(name, "is not a member of a draft and would not be kept")
    version, seen = body.get("version"), body.get("seen", "")
    if not isinstance(version, int) or isinstance(version, bool):
        raise InvalidInput("version", "must be the number of the version that the edit started from")
    if not isinstance(seen, str) or len(seen) > MAX_SEEN_LENGTH:
        raise InvalidInput("seen", f"must be text of at most {MAX_SEEN_LENGTH:,} characters, such as phone:7 notes:8")
    parse_base_version({"version": str(version), "seen": seen})
    restored = mark_of(body["restored"], "restored") if "restored" in body else None
    return DraftPayload(version, seen, _values(body.get("values"), fields), restored)


def parse_form_name(name: str | None, fields_of: Callable[[str], Collection[str]]) -> str:
    """Return the name of a form that the page has. Raises InvalidInput (422)."""
    if not name or len(name) > MAX_FORM_NAME_LENGTH or not fields_of(name):
        raise InvalidInput("form", "must name a form, such as record, person/12 or person/new")
    return name


def draft_id_from(text: str) -> str:
    """Return the draft's id, which is empty for pages of an earlier release. Raises InvalidInput (422)."""
    if not DRAFT_ID.fullmatch(text):
        raise InvalidInput("draft", f"must be at most {MAX_DRAFT_ID_LENGTH} letters, digits, hyphens and underscores")
    return text


def mark_of(text: object, field: str) -> Mark:
    """Return the mark of a draft. Raises InvalidInput (422) naming `field`."""
    mark = mark_from(text) if isinstance(text, str) else None
    if mark is None:
        raise InvalidInput(field, "must be the mark that the server gave to a draft")
    return mark


def _values(values: object, fields: Collection[str]) -> dict[str, str]:
    if not isinstance(values, dict):
        raise InvalidInput("values", "must be an object of fields with their texts")
    for name, value in values.items():
        if name.removeprefix(ASIDE) not in fields:
            raise InvalidInput("values", "must have names of fields that the form has")
        if not isinstance(value, str) or len(value) > MAX_VALUE_LENGTH or not _is_storable(value):
            raise InvalidInput("values", f"must be texts of at most {MAX_VALUE_LENGTH:,} characters without NUL")
    return values


def _is_storable(value: str) -> bool:
    """Return whether PostgreSQL can store the text: it stores neither NUL nor half of a surrogate pair."""
    return not re.search("[\0\ud800-\udfff]", value)
