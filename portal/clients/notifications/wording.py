"""Describe a notification in words, and find the place to which it leads."""

from flask import url_for

from portal.auth import Profile
from portal.clients.notifications.queries import Item
from portal.clients.page.own_drafts import own_drafts_of
from portal.clients.records.models import Client
from portal.clients.wording.names import Names
from portal.clients.wording.sentences import clauses_of, join_words, labels_of, without_fields_of_whole_parts
from portal.editing.drafts.store import DraftSummary
from portal.extensions import db
from portal.notifications.kinds import Kind

# What follows the name of the actor.
DONE = {
    Kind.MENTIONED: "mentioned you in a note",
    Kind.WAITING: "waits for you to finish",
    Kind.HANDED_OVER: "handed this client over to you",
    Kind.OPENED: "opened this client to you",
}


# Without an actor: a command has done it.
HAPPENED = {
    Kind.HANDED_OVER: "This client was handed over to you",
    Kind.OPENED: "This client was opened to you",
}


def sentence_of(item: Item, names: Names) -> str:
    """Return what happened, after the name of the actor if there is one: "changed Phone and Email"."""
    kind = Kind(item.kind)
    if kind is Kind.DRAFT:
        return "Your draft is a day old, and not saved"
    if kind is Kind.CHANGED:
        clauses = clauses_of(without_fields_of_whole_parts(item.changes), names) if item.changes else []
        return join_words(clauses) or "changed this client"
    if kind is Kind.OVERRULED:
        what = join_words(labels_of(item.changes, names)) if item.changes else "this client"
        return f"{'undid your change to' if item.is_undo else 'overruled you on'} {what}"
    if item.client_count is not None:
        clients = "1 client" if item.client_count == 1 else f"{item.client_count:,} clients"
        were = "was" if item.client_count == 1 else "were"
        return f"handed {clients} to you" if item.actor else f"{clients} {were} handed to you"
    return DONE[kind] if item.actor else HAPPENED.get(kind, "There is news of this client")


def place_of(item: Item, reader: Profile) -> str:
    """Return the address of what the notification is about: a note, a change, a draft, the client page or the list."""
    kind = Kind(item.kind)
    if item.client_id is None:
        return url_for("client_list.list_clients", view="mine")
    if kind is Kind.MENTIONED:
        return url_for("clients.show", client_id=item.client_id, _anchor=item.subject.replace("/", "-"))
    if kind in (Kind.CHANGED, Kind.OVERRULED) and item.version:
        return url_for("client_history.show", client_id=item.client_id, version=item.version)
    if kind is Kind.DRAFT and item.form:
        written = DraftSummary(item.form, item.subject, item.created_at)
        client = db.session.get_one(Client, item.client_id)
        for draft in own_drafts_of(client, reader, [written]):
            return draft.url
    return url_for("clients.show", client_id=item.client_id)
