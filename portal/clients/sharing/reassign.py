"""Giving every client of one adviser to another. Called by `flask clients hand-over`; flushes, never commits."""

from collections.abc import Callable

from sqlalchemy import select

from portal.auth import Profile
from portal.clients.records.entries import CLIENT, Entry
from portal.clients.records.models import Client
from portal.clients.saving.edits import Edit
from portal.clients.saving.operations import save_entry
from portal.editing.base_version import BaseVersion
from portal.errors import InvalidInput
from portal.extensions import db
from portal.web.actor import UNKNOWN_ORIGIN, RequestOrigin


def reassign(
    giver: Profile, taker: Profile, tell: Callable[[int, int], None], whence: RequestOrigin = UNKNOWN_ORIGIN
) -> int:
    """Change the adviser of all of the giver's clients; return of how many. `tell` hears how many of how many are done.

    Each is a guarded save like anybody's, in the history as a command's. In the order of their ids, as the import locks
    them too. Raises InvalidInput (422) for a taker who cannot look after clients.
    """
    if not (taker.is_active and taker.may_write):
        raise InvalidInput("to", f"{taker.email} cannot look after clients: deactivated, or a reader")
    mine = list(db.session.scalars(select(Client).where(Client.adviser_id == giver.id).order_by(Client.id)))
    for done, client in enumerate(mine, start=1):
        values = {"adviser_id": taker.id}
        edit = Edit(BaseVersion(client.version), by=None, values=values, source="cli", whence=whence)
        save_entry(client, Entry(CLIENT), edit)
        tell(done, len(mine))
    return len(mine)
