"""Build the responses to a save: a page for a browser, JSON for a program.

The view has committed or rolled back before. Every page contains the user's input, so no outcome loses it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import NamedTuple, Protocol

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from wtforms import Form

from portal import clock
from portal.clients.editor import conflicts, drafts
from portal.clients.editor.editor import Editor
from portal.clients.editor.form_fields import EntryForm
from portal.clients.editor.forms import ValuationForm
from portal.clients.presence import presence_on_client
from portal.clients.records import queries
from portal.clients.records.entries import PRODUCT, Entry
from portal.clients.records.models import Client, Product
from portal.clients.records.revisions import to_json
from portal.clients.records.valuation_jumps import PreviousValuation
from portal.clients.saving.edits import MergedValues, PossibleDuplicate, Saved, UnusualAmount, ValueRejected
from portal.clients.saving.write_request import WriteRequest
from portal.clients.wording import overruled, sentences
from portal.clients.wording.names import names_in
from portal.editing.drafts import store
from portal.editing.drafts.context import EditorDraft, values_of
from portal.editing.drafts.store import DraftKey
from portal.extensions import db
from portal.formatting import gbp
from portal.presence.context import EditWarning
from portal.web.error_handlers import error_response

HIDDEN_FIELDS = ("version", "seen", "proceeded", "draft", "restored")


class Confirmation(NamedTuple):
    """A checkbox `confirm_amount` that confirms an amount far from the previous valuation."""

    value: str
    label: str


class ConflictSubject(Protocol):
    """What a conflict page is about: an editor, or several entries that are saved together. `labels` are its fields."""

    @property
    def client(self) -> Client: ...

    @property
    def labels(self) -> Mapping[str, str]: ...

    @property
    def name(self) -> str: ...

    @property
    def full_name(self) -> str: ...

    @property
    def is_named_by_client(self) -> bool: ...

    @property
    def shown_product(self) -> Product | None: ...

    @property
    def back_url(self) -> str: ...

    @property
    def draft_key(self) -> DraftKey: ...


def editor_page(
    editor: Editor,
    form: EntryForm,
    draft: EditorDraft,
    rejection: ValueRejected | None = None,
    warning: EditWarning | None = None,
) -> str:
    """Return the page with the form. With a `warning` it asks first whether to edit."""
    same = rejection if isinstance(rejection, PossibleDuplicate) else None
    if isinstance(form, ValuationForm) and (last := _last_valuation(editor)):
        form.show_last(last)
    return render_template(
        "clients/editor/edit.html",
        client=editor.client,
        editor=editor,
        form=form,
        draft=draft,
        confirmations=confirmations_of(rejection),
        same=same,
        same_url=url_of_part(editor.client, same.entry) if same else "",
        same_question_url=_same_question_url(editor),
        overruled=overruled.notices_for(editor.profile_id, editor.client),
        may_edit=True,
        now=clock.now(),
        presence=presence_on_client(editor.client, "editing", editor.name, warning),
    )


def saved_response(editor: Editor, result: Saved, write_request: WriteRequest) -> ResponseReturnValue:
    """Redirect to the page of the entry, with a message that names the merged changes. A program gets JSON."""
    names = names_in(editor.client.id, result.merged_with)
    if write_request.wants_json:
        return {
            "status": "added" if editor.is_new else "saved",
            "version": result.version,
            "key": (result.entry or editor.entry).prefix,
            "merged_with": [sentences.describe_revision(revision, names) for revision in result.merged_with],
        }
    flash(_added(editor, result) if editor.is_new else sentences.saved_message(result, write_request.by, names))
    return redirect(editor.back_url)


def _added(editor: Editor, result: Saved) -> str:
    """Return a message with a link to the added entry. `Markup.format` escapes its arguments."""
    entry = result.entry or editor.entry
    row = db.session.get(entry.kind.model, entry.id)
    if row is None:  # another user has removed it since
        return "Added."
    added = replace(editor, entry=entry, row=row)
    shown_url = added.back_url if added.entry.kind is PRODUCT else added.url
    return Markup('<a href="{}">{}</a> is added.').format(shown_url, added.name)


def rejected_response(
    editor: Editor, form: EntryForm, write_request: WriteRequest, rejection: ValueRejected | None = None
) -> ResponseReturnValue:
    """Return 422 with each error beside its field, and with the control that confirms an unusual amount."""
    if write_request.wants_json:
        return rejected_form(form, rejection)
    return editor_page(editor, *drafts.resubmitted_form(editor, form, write_request), rejection), 422


def rejected_form(form: Form, rejection: ValueRejected | None = None) -> ResponseReturnValue:
    """Return 422 as JSON with the problem of each field of the form, as `rejected_values` does."""
    errors = {name: " ".join(map(str, texts)) for name, texts in form.errors.items() if name is not None}
    return rejected_values(errors, rejection)


def rejected_values(
    errors: Mapping[str, str],
    rejection: ValueRejected | None = None,
    detail: str = "Some values cannot be kept.",
    confirm: Mapping[str, str] | None = None,
) -> ResponseReturnValue:
    """Return 422 as JSON: the problem of each field, and `confirm`, what to send if the value is meant."""
    members: dict[str, Mapping[str, str]] = {"confirm": confirm} if confirm else {}
    if isinstance(rejection, UnusualAmount):
        members = {"confirm": {"confirm_amount": to_json(rejection.amount)}}
    elif isinstance(rejection, PossibleDuplicate) and rejection.can_be_another:
        members = {"confirm": {"confirm_another": rejection.entry.prefix}}
    return error_response(422, detail, field=next(iter(errors)), errors=errors, **members)


def conflict_response(
    editor: ConflictSubject,
    merged: MergedValues,
    custom_form: EntryForm,
    write_request: WriteRequest,
    *,
    typed: EntryForm | None = None,
    undoing: int = 0,
    confirmations: Sequence[Confirmation] = (),
    hidden: Mapping[str, str] = MappingProxyType({}),
) -> ResponseReturnValue:
    """Return 409: other users have changed the same fields, and the user must choose.

    Hidden fields contain the `typed` values, and `hidden`. An undo of the version `undoing` needs only the entry's key.
    The page stores custom values as a draft of the entry's editor.
    """
    if write_request.wants_json:
        detail = "Another user has changed the same fields since. Decide on each, or start from the newest version."
        return error_response(409, detail, version=merged.version, conflicts=conflicts.conflict_to_dict(merged))
    sent = {
        name: write_request.fields.get(name, "")
        for name in (*HIDDEN_FIELDS, *(["entry", "reason", "only"] if undoing else []))
    }
    sent["draft"] = sent["draft"] or store.new_id()  # the undo page has none
    texts = {name: text for name, text in values_of(typed).items() if typed[name].raw_data} if typed else {}
    page = render_template(
        "clients/editor/conflict.html",
        client=editor.client,
        editor=editor,
        back_url=editor.back_url,
        hidden={
            **sent,
            **hidden,
            "seen_version": str(merged.version),
            **texts,
            **drafts.aside_of(editor.labels, write_request.fields),
        },
        questions=conflicts.conflict_questions(merged, custom_form, write_request),
        auto_merged_fields=conflicts.auto_merged_fields(merged, write_request),
        confirmations=confirmations,
        undoing=undoing,
        draft=drafts.unchanged_draft(editor.draft_key, sent["draft"]),
        now=clock.now(),
        presence=presence_on_client(editor.client, "editing", editor.name),
    )
    return page, 409


def _last_valuation(editor: Editor) -> PreviousValuation | None:
    """Return the product's valuation before the edited one, or its newest one for a new valuation."""
    if editor.product is None:
        return None
    if editor.is_new:
        return queries.valuation_before(editor.product.id, date.max)
    return queries.valuation_before(editor.product.id, editor.row.valued_on, editor.row.id)


def confirmations_of(rejection: ValueRejected | None) -> list[Confirmation]:
    """Return what the user can confirm of an editor's rejected values."""
    if not isinstance(rejection, UnusualAmount):
        return []
    return [Confirmation(f"{rejection.amount:.2f}", gbp(rejection.amount))]


def _same_question_url(editor: Editor) -> str:
    """Return where the form of a new person or product asks whether it was added already; '' for other forms."""
    if not editor.is_new or editor.product:
        return ""
    return url_for("client_same_parts.same", client_id=editor.client.id, kind=editor.entry.kind.name)


def url_of_part(client: Client, entry: Entry) -> str:
    """Return the address of a part: the page of a product, the editor of any other part."""
    if entry.kind is PRODUCT:
        return url_for("clients.show_product", client_id=client.id, product_id=entry.id)
    return url_for("client_editors.edit_part", client_id=client.id, kind=entry.kind.name, part_id=entry.id)
