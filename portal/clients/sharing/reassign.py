"""Reassign the clients of one adviser to another: all in one transaction, or one after the other. Flushes."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

from sqlalchemy import Select, select

from portal.auth import Profile
from portal.clients.records.entries import CLIENT, Entry
from portal.clients.records.models import Client
from portal.clients.saving.edits import Edit
from portal.clients.saving.operations import save_entry
from portal.clients.saving.write_context import WriteContext, command_context
from portal.errors import InvalidInput
from portal.extensions import db
from portal.web.actor import UNKNOWN_ACTOR, Actor


def reassign(
    from_adviser: Profile,
    to_adviser: Profile,
    on_progress: Callable[[int, int], None],
    by: Actor = UNKNOWN_ACTOR,
) -> int:
    """Reassign all clients of `from_adviser`. Return their number. Calls `on_progress(done, total)` after each.

    Each change is an ordinary save with an entry in the history. Clients are locked in the order of their ids, as in an
    import. Raises InvalidInput (422) if `to_adviser` cannot look after clients.
    """
    check_may_receive(to_adviser)
    found = list(db.session.scalars(select(Client).where(Client.adviser_id == from_adviser.id).order_by(Client.id)))
    for done, client in enumerate(found, start=1):
        context = replace(command_context(client, by), is_one_of_many=len(found) > 1)
        reassign_client(client, to_adviser, context)
        on_progress(done, len(found))
    return len(found)


def check_may_receive(adviser: Profile) -> None:
    """Raise InvalidInput (422) if the profile cannot look after clients."""
    if not (adviser.is_active and adviser.may_advise):
        raise InvalidInput("to", f"{adviser.email} cannot look after clients: not an active adviser or administrator")


def reassign_client(client: Client, to_adviser: Profile, context: WriteContext) -> None:
    """Make `to_adviser` the client's adviser, by an ordinary save with an entry in the history.

    Raises EditConflict (409) if another user has changed the adviser since the context's base version.
    """
    save_entry(client, Entry(CLIENT), Edit(context, {"adviser_id": to_adviser.id}))


def client_ids_of(adviser: Profile, after_id: int = 0) -> list[int]:
    """Return the ids of the adviser's clients beyond `after_id`, in their order."""
    query: Select[int] = select(Client.id).where(Client.adviser_id == adviser.id, Client.id > after_id)
    return list(db.session.scalars(query.order_by(Client.id)))


def mark_of(client_ids: list[int]) -> str:
    """Return a text that is equal for equal clients, to notice that a preview is outdated."""
    return sha256(" ".join(map(str, client_ids)).encode()).hexdigest()[:16]
