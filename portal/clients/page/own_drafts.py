"""List the reader's own drafts of a client, for the client page.

Drafts are not merged here. The editor shows which of their values are unsaved.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import url_for

from portal.auth import Profile
from portal.clients.editor.editor import kind_of, match_form, title_of
from portal.clients.notes import composer
from portal.clients.records.entries import CLIENT, PRODUCT, Entry
from portal.clients.records.models import Client
from portal.clients.records.part_names import full_name, names_of
from portal.clients.valuations import grid
from portal.editing.drafts.store import DraftSummary
from portal.formatting import day as day_in_words


@dataclass(frozen=True)
class OwnDraft:
    """A draft. `label` names its entry within a sentence; `url` opens the editor with the draft restored.

    `card` is that of `Editor`. `collides` is false for a new note: its editor opens without the
    question about other users.
    """

    label: str
    url: str
    at: datetime
    card: str
    collides: bool = True


def own_drafts_of(client: Client, reader: Profile, found: Sequence[DraftSummary]) -> list[OwnDraft]:
    """Return the drafts in `found` that belong to an editor. A reader without write permission has none."""
    if not reader.may_write:
        return []
    forms = [(written, form) for written in found if (form := match_form(written.form))]
    parts = {part: client.id for _, form in forms if (part := _named_part(form))}
    names = names_of(parts, {}, full_name) if parts else {}
    of_notes = [
        OwnDraft(*_note_label_and_url(client.id, written.draft_id, form), written.updated_at, "", collides=False)
        for written in found
        if (form := composer.FORM_NAME.fullmatch(written.form))
    ]
    of_grids = [
        OwnDraft(*_grid_label_and_url(client.id, day), written.updated_at, "")
        for written in found
        if (day := grid.day_of_form(written.form))
    ]
    return (
        of_notes
        + of_grids
        + [
            OwnDraft(*_label_and_url(client.id, written.draft_id, form, names), written.updated_at, form["card"] or "")
            for written, form in forms
        ]
    )


def label_and_url(client_id: int, draft_id: str, form_name: str, part_name: str | None) -> tuple[str, str] | None:
    """Return what the draft edits and the address that restores it, None for a form without an editor.

    `part_name` is the name of the part that the form edits, if it is known.
    """
    if note_form := composer.FORM_NAME.fullmatch(form_name):
        return _note_label_and_url(client_id, draft_id, note_form)
    if day := grid.day_of_form(form_name):
        return _grid_label_and_url(client_id, day)
    form = match_form(form_name)
    if form is None:
        return None
    part = _named_part(form)
    return _label_and_url(client_id, draft_id, form, {part: part_name} if part and part_name else {})


def _note_label_and_url(client_id: int, draft_id: str, form: re.Match[str]) -> tuple[str, str]:
    """Return the label and the address of the form of a note."""
    if form[0] == composer.REVIEW:
        return "the review", url_for("client_review.ask", client_id=client_id)
    if form["id"]:
        return "the correction of a note", url_for("client_note.edit", client_id=client_id, note_id=form["id"])
    return "a new note", url_for("clients.show", client_id=client_id, note_draft=draft_id, _anchor="notes")


def _grid_label_and_url(client_id: int, day: date) -> tuple[str, str]:
    """Return the label and the address of the grid of valuations."""
    return f"the valuations of {day_in_words(day)}", grid.url_of(client_id, day)


def _named_part(form: re.Match[str]) -> Entry | None:
    """Return the part that the form edits, or the product of a new valuation."""
    if form["id"]:
        return Entry(kind_of(form), int(form["id"]))
    return Entry(PRODUCT, int(form["product_id"])) if form["product_id"] else None


def _label_and_url(client_id: int, draft_id: str, form: re.Match[str], names: Mapping[Entry, str]) -> tuple[str, str]:
    """Return the label and the address of the draft's editor."""
    query: dict[str, Any] = {"client_id": client_id, "draft": draft_id}
    if form["card"]:
        return title_of(form["card"]), url_for("client_editors.edit_client", card=form["card"], **query)
    kind, part = kind_of(form), _named_part(form)
    if kind is CLIENT:
        return "this record", url_for("client_editors.edit_client", **query)
    name = names.get(part, "") if part else ""
    if form["id"]:
        url = url_for("client_editors.edit_part", kind=kind.name, part_id=form["id"], **query)
        return name or f"a {kind.label}", url
    if form["product_id"]:
        url = url_for("client_editors.new_valuation", product_id=form["product_id"], **query)
    else:
        url = url_for("client_editors.new_part", kind=kind.name, **query)
    return f"a new {kind.label}{f' of {name}' if name else ''}", url
