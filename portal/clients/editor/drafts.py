"""Open an editor's form together with its drafts. A restored draft is merged with the current record.

Reads, never writes: opening a draft does not settle it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms import Field, SelectField

from portal.clients.editor.editor import Editor
from portal.clients.editor.form_fields import EntryForm
from portal.clients.records.revisions import last_change
from portal.clients.saving.edits import Edit
from portal.clients.saving.merging import merge_with_current
from portal.clients.saving.write_context import preview_context
from portal.clients.saving.write_request import WriteRequest
from portal.editing.drafts import store
from portal.editing.drafts.context import EditorDraft, Offer, base_of
from portal.editing.drafts.store import DraftKey, EditDraft
from portal.editing.merge.budget import Budget
from portal.editing.seen import format_seen
from portal.errors import InvalidInput
from portal.text_input import clean_line

MAX_OFFERS = 3  # each is merged with the record; the user sees the next ones after settling these


def open_form(editor: Editor, *, restore: str | None) -> tuple[EntryForm, EditorDraft]:
    """Return the form to show, and its draft with offers of the other drafts.

    The form has the values of the record, or of the draft with the id `restore`.
    """
    form = editor.make_form(None)
    found = store.drafts_of(editor.draft_key)
    chosen = next((draft for draft in found if draft.draft_id == restore), None)
    budget = Budget()
    unsaved = _unsaved_changes(editor, chosen, budget) if chosen else None
    others = [draft for draft in found if draft is not chosen]
    own = EditorDraft(editor.draft_key, store.new_id(), _offers(editor, others, budget))
    if chosen is None or unsaved is None or not unsaved.labels:
        return _with(form, own)
    unsaved.form.restored.data = str(chosen.mark)
    base = base_of(unsaved.form, form)
    restored = replace(
        own, labels=unsaved.labels, base=base, is_restored=True, aside=aside_of(editor.labels, chosen.values)
    )
    return _with(unsaved.form, restored)


def resubmitted_form(editor: Editor, form: EntryForm, write_request: WriteRequest) -> tuple[EntryForm, EditorDraft]:
    """Return a form that was sent and rejected, with the same offers as before."""
    draft_id = form.draft.data or store.new_id()
    restored = store.mark_from(form.restored.data or "")
    known = {draft_id, *([restored.draft_id] if restored else [])}
    others = [draft for draft in store.drafts_of(editor.draft_key) if draft.draft_id not in known]
    base = base_of(form, editor.make_form(None))
    offers, aside = _offers(editor, others, write_request.context.budget), aside_of(editor.labels, write_request.fields)
    return _with(form, EditorDraft(editor.draft_key, draft_id, offers, base=base, aside=aside))


def aside_of(fields: Iterable[str], values: Mapping[str, str]) -> dict[str, str]:
    """Return the values of these fields that the user has set aside."""
    names = {f"{store.ASIDE}{name}" for name in fields}
    return {name: value for name, value in values.items() if name in names}


def unchanged_draft(key: DraftKey, draft_id: str) -> EditorDraft:
    """Return the draft unchanged, for a page without the form's fields, such as the conflict page."""
    found = next((draft for draft in store.drafts_of(key) if draft.draft_id == draft_id), None)
    return EditorDraft(key, draft_id, stored=found)


def _offers(editor: Editor, found: Sequence[EditDraft], budget: Budget) -> list[Offer]:
    """Return offers of the newest drafts with unsaved values."""
    offers: list[Offer] = []
    for draft in found:
        unsaved = _unsaved_changes(editor, draft, budget)
        if unsaved and unsaved.labels:
            offers.append(Offer(editor.draft_key, draft, unsaved.labels))
        if len(offers) == MAX_OFFERS:
            break
    return offers


@dataclass(frozen=True)
class _Unsaved:
    """A draft merged with the current record: the form that shows it, and the labels of its unsaved fields."""

    form: EntryForm
    labels: list[str]


def _unsaved_changes(editor: Editor, draft: EditDraft, budget: Budget) -> _Unsaved | None:
    """Merge a draft with the record. Returns None if the draft's version does not exist yet, so it is forged."""
    form = editor.make_form(MultiDict(draft.values))
    form.version.data, form.seen.data = str(draft.base_version), draft.seen
    labels = editor.labels
    names = [name for name in labels if name in draft.values and name in form and _is_on_offer(form[name])]
    aside = aside_of(editor.labels, draft.values)
    if editor.is_new:
        return _Unsaved(form, [labels[name] for name in names if clean_line(draft.values[name])])
    try:
        differing = _merge_into(form, editor, draft, names, budget)
    except InvalidInput:
        return None
    return _Unsaved(
        form, [label for name, label in labels.items() if name in differing or f"{store.ASIDE}{name}" in aside]
    )


def _is_on_offer(field: Field) -> bool:
    """Return whether the field can show the draft's value.

    A drop-down that no longer offers a value, such as a former adviser, would send another one.
    """
    if not isinstance(field, SelectField):
        return True
    choices: Any = field.iter_choices()
    return not field.process_errors and any(choice.selected for choice in choices)


def _merge_into(form: EntryForm, editor: Editor, draft: EditDraft, names: list[str], budget: Budget) -> set[str]:
    """Show the merge of the draft with the record in the form. Returns the names of the unsaved fields.

    Invalid values, such as half a date, stay as the user typed them. So do values that other users have changed too:
    the editor marks them, and the save asks.
    """
    parsed = {name: form[name].data for name in names if not form[name].process_errors}
    edit = Edit(preview_context(draft.started_from, budget), parsed)
    merged = merge_with_current(editor.client, editor.entry, edit)
    unresolved = {conflict.field for conflict in merged.resolved.unresolved} | (set(names) - set(parsed))
    for name in set(parsed) - unresolved:
        form[name].data = merged.resolved.changes.get(name, getattr(editor.row, name))
        form[name].raw_data = None
    seen = dict(edit.context.base_version.seen)
    for name in set(editor.entry.kind.labels) - unresolved:
        if revision := last_change(merged.newer_revisions, editor.entry.key(name)):
            seen[name] = revision.version
    form.seen.data = format_seen(seen)
    return unresolved | set(merged.resolved.changes)


def _with(form: EntryForm, draft: EditorDraft) -> tuple[EntryForm, EditorDraft]:
    form.draft.data = draft.draft_id
    return form, draft
