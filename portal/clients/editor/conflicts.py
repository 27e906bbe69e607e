"""Build the questions of the conflict page and parse the resolutions that it sends.

Works for every kind of entry, and for several entries that are saved together (`MergedValues`). It needs the form as it
was sent, and a second, prefixed one for custom values.
Must not import views.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from werkzeug.datastructures import MultiDict
from wtforms import Field, Form

from portal.auth import Profile
from portal.auth.directory import name_of
from portal.clients.editor.form_fields import EntryForm
from portal.clients.records.revisions import ClientRevision, to_json
from portal.clients.saving.edits import MergedValues
from portal.clients.saving.write_request import WriteRequest
from portal.editing.merge.budget import Budget
from portal.editing.merge.inline_diff import Segment, abridged_diff
from portal.editing.merge.resolutions import CHOICES, Resolution
from portal.editing.merge.three_way import UNKNOWN, Conflict

# Release 0.1 calls a custom value "third". The page sends that name until 0.3, because a worker of 0.1 may receive it
# during a deployment. The server accepts both names.
CUSTOM_PREFIX = "third-"
CUSTOM_PREFIX_TO_COME = "custom-"
SENT_CUSTOM = "third"
PREFIXES = (CUSTOM_PREFIX, CUSTOM_PREFIX_TO_COME, "decide-", "asked-")
UNKNOWN_BASE = "not known: this was opened before the history began"


@dataclass(frozen=True)
class Option:
    """One possible value of a conflicting field.

    `segments` is the diff from the base. It is None if the field is not a text or the diff is too costly.
    """

    choice: str
    heading: str
    text: str
    segments: Sequence[Segment] | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Question:
    """One conflicting field with its options beside a custom value.

    `has_changed_again`: another user has saved a newer value since this user was shown the conflict.
    """

    name: str
    label: str
    base: str
    options: Sequence[Option]
    custom: Field
    choice: str
    error: str
    has_changed_again: bool
    is_text: bool


@dataclass(frozen=True)
class AutoMergedField:
    """A field that is saved without a question. `whose` names the users who changed it."""

    label: str
    whose: str
    text: str
    segments: Sequence[Segment] | None = None


class FormMaker(Protocol):
    """What has a form, such as an editor."""

    def make_form(self, sent: MultiDict[str, str] | None, prefix: str = "") -> EntryForm: ...


def fields_of(form: Form) -> set[str]:
    """Return the names that a form may send: its fields, and those that the conflict page adds for each field."""
    added = {f"{prefix}{name}" for name in form._fields for prefix in PREFIXES}
    return {"seen_version", *form._fields, *added}


def make_custom_form(editor: FormMaker, fields: MultiDict[str, str]) -> EntryForm:
    """Return the form of the custom values, whatever their prefix."""
    renamed = [(_page_name(name), text) for name, text in fields.items(multi=True)]
    return editor.make_form(MultiDict(renamed), prefix=CUSTOM_PREFIX)


def parse_resolutions(custom_form: Form, sent: Mapping[str, str], names: Sequence[str]) -> dict[str, Resolution]:
    """Return the resolutions that the conflict page has sent. An invalid custom value is no resolution."""
    resolutions: dict[str, Resolution] = {}
    for name in names:
        choice = _choice(sent, name)
        if choice in CHOICES and (
            choice != "custom" or (custom_form[name].raw_data and custom_form[name].validate(custom_form))
        ):
            resolutions[name] = Resolution(choice, custom_form[name].data if choice == "custom" else None)
    return resolutions


def conflict_questions(merged: MergedValues, custom_form: Form, write_request: WriteRequest) -> list[Question]:
    """Return the conflicting fields in the order of the form. Fields with a resolution keep it.

    A custom value starts as the user's own value, in a text as both texts together.
    """
    for conflict in merged.resolved.conflicts:
        if not custom_form[conflict.field].raw_data:
            custom_form[conflict.field].data = conflict.yours if conflict.both is None else conflict.both
    return [_question(conflict, merged, custom_form, write_request) for conflict in merged.resolved.conflicts]


def conflict_to_dict(merged: MergedValues) -> list[dict[str, object]]:
    """Return the conflicting fields for a program: the three values as JSON, and the author of the saved one."""
    return [
        {
            "field": conflict.field,
            "label": merged.labels[conflict.field],
            "base": None if conflict.base is UNKNOWN else to_json(conflict.base),
            "theirs": to_json(conflict.theirs),
            "yours": to_json(conflict.yours),
            **({} if conflict.both is None else {"both": conflict.both}),
            "version": revision.version if revision else None,
            "by": (name_of(revision.changed_by) or None) if revision else None,
            "at": revision.changed_at.isoformat() if revision else None,
        }
        for conflict, revision in (
            (conflict, merged.last_change_of(conflict.field)) for conflict in merged.resolved.unresolved
        )
    ]


def auto_merged_fields(merged: MergedValues, write_request: WriteRequest) -> list[AutoMergedField]:
    """Return the fields that a save merges without a question: those that one side has changed, and merged texts."""
    changes = merged.resolved.changes
    questioned = {conflict.field for conflict in merged.resolved.conflicts}
    found = []
    for name, label in merged.labels.items():
        revision = merged.last_change_of(name)
        if name in questioned or (name not in changes and revision is None):
            continue
        theirs = merged.saved_value(name)
        value = changes.get(name, theirs)
        whose = [_whose(revision, write_request.by)] if revision else []
        whose += ["yours"] if name in changes else []
        is_merged = merged.is_by_lines(name) and name in changes
        segments = _segments(theirs, value, write_request.context.budget) if is_merged else None
        found.append(AutoMergedField(label, " and ".join(whose), merged.display(name, value), segments))
    return found


def _page_name(name: str) -> str:
    """Return `custom-phone` as `third-phone`, and any other name as it is."""
    is_to_come = name.startswith(CUSTOM_PREFIX_TO_COME)
    return CUSTOM_PREFIX + name.removeprefix(CUSTOM_PREFIX_TO_COME) if is_to_come else name


def _choice(fields: Mapping[str, str], name: str) -> str:
    """Return what was chosen for the field, "" if nothing was."""
    sent = fields.get(f"decide-{name}", "")
    return "custom" if sent == SENT_CUSTOM else sent


def _question(conflict: Conflict, merged: MergedValues, custom_form: Form, write_request: WriteRequest) -> Question:
    name = conflict.field
    shown_version = write_request.context.base_version.seen_version
    revision = merged.last_change_of(name)
    was_asked = shown_version is not None and f"asked-{name}" in write_request.fields
    has_changed_again = was_asked and revision is not None and revision.version > (shown_version or 0)
    chosen = _choice(write_request.fields, name)
    return Question(
        name=name,
        label=merged.labels[name],
        base=UNKNOWN_BASE if conflict.base is UNKNOWN else merged.display(name, conflict.base),
        options=list(_options(conflict, merged, revision, write_request)),
        custom=custom_form[name],
        choice="" if has_changed_again else chosen,
        error=_error(custom_form[name], chosen) if was_asked and not has_changed_again else "",
        has_changed_again=has_changed_again,
        is_text=conflict.both is not None,
    )


def _options(
    conflict: Conflict, merged: MergedValues, revision: ClientRevision | None, write_request: WriteRequest
) -> Iterator[Option]:
    whose = _whose(revision, write_request.by) if revision else "Theirs"
    at = revision.changed_at if revision else None
    headings = {"both": "Keep both", "theirs": whose, "yours": "Yours"}
    for choice, heading in headings.items():
        value = getattr(conflict, choice)
        if value is None and choice == "both":
            continue
        segments = None if conflict.both is None else _segments(conflict.base, value, write_request.context.budget)
        shown_at = at if choice == "theirs" else None
        yield Option(choice, heading, merged.display(conflict.field, value), segments, shown_at)


def _segments(base: Any, text: str, budget: Budget) -> Sequence[Segment] | None:
    """Return the diff from the base to the text, if there is a base."""
    return abridged_diff(base, text, budget) if base and base is not UNKNOWN else None


def _error(custom: Field, chosen: str) -> str:
    if chosen not in CHOICES:
        return "Choose one of these."
    return " ".join(custom.errors) if chosen != "theirs" else ""


def _whose(revision: ClientRevision, reader: Profile) -> str:
    profile_id = revision.changed_by
    if profile_id is None:
        return "The import’s" if revision.source == "import" else "A command’s"
    return "Yours, saved elsewhere" if profile_id == reader.id else f"{name_of(profile_id)}’s"
