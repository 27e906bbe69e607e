"""Who may see and change which client: loaded and authorised in one step. Every read and write starts here.

For now everybody who can sign in sees every client; readers change none.
"""

from portal.auth import Profile
from portal.clients.models import Client
from portal.errors import NotAllowed, NotFound
from portal.extensions import db

# The rule of `client_for` as a SQL condition, for the beat: see pages.PageKind.
# Not EXISTS: with a thousand clients the planner turns that into a hash of all of them, made anew at each beat.
VISIBLE_SQL = "(SELECT true FROM clients WHERE clients.id = page.number) IS TRUE"
# The number that rises with every accepted change of the client, its people, products and valuations.
VERSION_SQL = "(SELECT version FROM clients WHERE clients.id = page.number)"


def client_for(profile: Profile, client_id: int, *, write: bool = False) -> Client:
    """The client, for this profile. Raises NotFound (404), or NotAllowed (403) for a reader who would write."""
    client = db.session.get(Client, client_id)
    if client is None:
        raise NotFound("There is no such client, or it is not for you.")
    if write and not profile.may_write:
        raise NotAllowed("Your role lets you look at clients but not change them.")
    return client
