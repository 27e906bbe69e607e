"""What the templates of every client page need. Called by views."""

from flask import url_for

from portal.clients.lost_access import lost_url
from portal.clients.records.models import Client
from portal.presence.context import PagePresence, presence_of


def presence_on_client(client: Client, activity: str, part: str = "") -> PagePresence:
    """All pages of a client record are one place: who edits one of its people meets who looks at its products.

    `part` is the name of the part that is edited, '' for the client's own fields.
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
