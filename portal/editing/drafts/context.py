"""Build the template context of an editor's draft (templates/editing/_draft.html and _form_attributes.html)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask import url_for
from wtforms import Field, Form

from portal.editing.drafts.store import DraftKey, EditDraft


@dataclass(frozen=True)
class Offer:
    """A draft that the user can restore or discard. `labels` are those of its fields."""

    key: DraftKey
    draft: EditDraft
    labels: Sequence[str]

    @property
    def discard_url(self) -> str:
        return url_for(
            "drafts.discard",
            page_identifier=self.key.page_identifier,
            form=self.key.form,
            mark=str(self.draft.mark),
        )

    @property
    def discard_by_hand_url(self) -> str:
        return url_for("drafts_by_hand.discard_by_hand", page_identifier=self.key.page_identifier, form=self.key.form)


@dataclass(frozen=True)
class EditorDraft:
    """The draft that the page writes, and those that it offers.

    `base` has the record's values of the fields that show other values, as the form would send them. This is the case
    for a restored draft and for a form with errors. `labels` are the fields of a restored draft. `aside` has the values
    that the user typed and replaced by another user's value. `stored` is the draft on the server, for a page without
    its fields.
    """

    key: DraftKey
    draft_id: str
    offers: Sequence[Offer] = ()
    base: Mapping[str, str] = field(default_factory=dict)
    is_restored: bool = False
    labels: Sequence[str] = ()
    stored: EditDraft | None = None
    aside: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return url_for("drafts.save", page_identifier=self.key.page_identifier, form=self.key.form, draft=self.draft_id)

    @property
    def stored_json(self) -> str:
        """Return the stored draft as the page would send it."""
        draft = self.stored
        return json.dumps(
            {"version": draft.base_version, "seen": draft.seen, "values": draft.values} if draft else None
        )

    @property
    def base_json(self) -> str:
        return json.dumps(self.base)


def values_of(form: Form) -> dict[str, str]:
    """Return what a browser would send of the form's visible fields, as {name: text}."""
    return {field.name: _value(field) for field in form if field.widget.__class__.__name__ != "HiddenInput"}


def base_of(shown: Form, untouched: Form) -> dict[str, str]:
    """Return the values of `untouched` for the fields that have other values in `shown`."""
    base, now = values_of(untouched), values_of(shown)
    return {name: value for name, value in base.items() if now.get(name) != value}


def _value(field: Field) -> str:
    if hasattr(field, "_value"):
        return str(field._value())
    return "" if field.data is None else str(field.data)
