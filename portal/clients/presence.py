"""Build the presence context for the templates of client pages."""

from flask import url_for

from portal.clients.lost_access import lost_url
from portal.clients.records.models import Client
from portal.presence.context import PagePresence, presence_of


def presence_on_client(client: Client, activity: str, part: str = "") -> PagePresence:
    """Return the presence context. All pages of a client record share one presence page.

    A user who edits a person of the client therefore sees users who view its products. `part` is the name of the edited
    part, '' for the client's own fields.
    """
    return presence_of(
        f"client-{client.id}",
        activity,
        client.name,
        part=part,
        version=client.version,
        changes_url=url_for("client_changes.changes", client_id=client.id),
        lost_url=lost_url(client),
    )
