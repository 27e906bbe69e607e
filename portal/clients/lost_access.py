"""Find who removed a user's access to a client that an open page still shows, so that the page can name them.

A page that shows a client contains a ticket signed by the server. It proves that its holder has seen the client at that
version. Without a ticket the server does not reveal the change, because the client does not exist for other users.
"""

from dataclasses import dataclass

from flask import current_app, url_for
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import select

from portal.auth import Profile
from portal.clients.permissions import visible_to
from portal.clients.records.models import Client
from portal.clients.records.revisions import ClientRevision
from portal.config.current import current_settings
from portal.extensions import db

SALT = "lost-access"
MAX_REVISIONS = 100  # of the newest


@dataclass(frozen=True)
class Ticket:
    client_id: int
    version: int


def lost_url(client: Client) -> str:
    """Return the address that a page requests when it gets 404 for the client that it shows."""
    return url_for("client_changes.lost_access", ticket=_serializer().dumps([client.id, client.version]))


def ticket_from(text: str) -> Ticket | None:
    """Verify a ticket. Returns None if the signature is invalid or older than any sign-in session."""
    max_age_seconds = current_settings().session_hours * 3600
    try:
        return Ticket(*_serializer().loads(text, max_age=max_age_seconds))
    except BadData:
        return None


def loss_of(profile: Profile, ticket: Ticket) -> ClientRevision | None:
    """Return the change that removed the profile's access, None if it has access or no change removed it."""
    is_visible = db.session.scalar(select(Client.id).where(Client.id == ticket.client_id, visible_to(profile)))
    if is_visible:
        return None
    since = (
        select(ClientRevision)
        .where(ClientRevision.client_id == ticket.client_id, ClientRevision.version > ticket.version)
        .order_by(ClientRevision.version.desc())
        .limit(MAX_REVISIONS)
    )
    return next((revision for revision in db.session.scalars(since) if _removed_access(revision, profile.id)), None)


def _removed_access(revision: ClientRevision, profile_id: int) -> bool:
    for key, (old, new) in revision.changes.items():
        was_adviser = key == "adviser_id" and old == profile_id
        was_granted = key.startswith("grant/") and new is None and old["profile_id"] == profile_id
        if was_adviser or was_granted or (key == "is_restricted" and new):
            return True
    return False


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt=SALT)
