"""Describe the editor of a client that does not exist yet, and the page to which its drafts belong."""

from dataclasses import dataclass

from flask import url_for
from werkzeug.datastructures import MultiDict

from portal.auth import Profile
from portal.clients.editor.editor import Editor, fields_of
from portal.clients.editor.form_fields import EntryForm
from portal.clients.editor.forms import RecordForm
from portal.clients.records.entries import CLIENT, Entry
from portal.clients.records.models import Client
from portal.editing.drafts.store import DraftKey
from portal.errors import NotFound
from portal.page_kinds import PAGE_NOT_FOUND, PageKind

FORM = "record"


@dataclass(frozen=True)
class NewClientEditor(Editor):
    """The editor of a client that does not exist yet. Its `client` has no id and is never added to the session."""

    @property
    def heading(self) -> str:
        return "Add a client"

    @property
    def name(self) -> str:
        return ""

    @property
    def url(self) -> str:
        return url_for("new_client.show")

    @property
    def back_url(self) -> str:
        return url_for("client_list.list_clients")

    @property
    def page_identifier(self) -> str:
        """Return the page of the user's own forms of new clients. No other user sees it (PAGE_KIND)."""
        return f"{PAGE_KIND.name}-{self.profile_id}"

    @property
    def draft_key(self) -> DraftKey:
        return DraftKey(self.profile_id, self.page_identifier, FORM)

    def make_form(self, sent: MultiDict[str, str] | None, prefix: str = "") -> EntryForm:
        """Return the form with the sent values. The user is the adviser by default, if the user can be one."""
        form = super().make_form(sent, prefix)
        if isinstance(form, RecordForm) and not form.adviser_id.raw_data:
            offered = {choice[0] for choice in form.adviser_id.iter_choices()}
            form.adviser_id.data = self.profile_id if self.profile_id in offered else None
        return form


def load(profile: Profile, number: int) -> None:
    """Raise NotFound (404) for the page of another user."""
    if number != profile.id:
        raise NotFound(PAGE_NOT_FOUND)


PAGE_KIND = PageKind(
    "new_client",
    "new client",
    load=load,
    visible_sql="(page.number = caller.id)",
    editable_sql="(page.number = caller.id)",
    fields_of=lambda form: fields_of(form) if form == FORM else (),
)


def new_client_editor(profile: Profile) -> NewClientEditor:
    return NewClientEditor(Client(version=1), Entry(CLIENT), profile.id, row=None)
