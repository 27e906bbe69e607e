"""Reassign all clients of one adviser to another. Flushes; the caller commits."""

from collections.abc import Callable

from sqlalchemy import select

from portal.auth import Profile
from portal.clients.records.entries import CLIENT, Entry
from portal.clients.records.models import Client
from portal.clients.saving.edits import Edit
from portal.clients.saving.operations import save_entry
from portal.clients.saving.write_context import command_context
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
    if not (to_adviser.is_active and to_adviser.may_advise):
        raise InvalidInput(
            "to", f"{to_adviser.email} cannot look after clients: not an active adviser or administrator"
        )
    found = list(db.session.scalars(select(Client).where(Client.adviser_id == from_adviser.id).order_by(Client.id)))
    for done, client in enumerate(found, start=1):
        edit = Edit(command_context(client, by), {"adviser_id": to_adviser.id})
        save_entry(client, Entry(CLIENT), edit)
        on_progress(done, len(found))
    return len(found)
