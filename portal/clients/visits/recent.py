"""Find the clients that a profile has visited last."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from portal.auth import Profile
from portal.clients.permissions import visible_to
from portal.clients.records.models import Client
from portal.clients.visits.store import ClientVisit, has_changed_since_visit
from portal.extensions import db


class RecentClient(NamedTuple):
    """A client that the profile has visited. `has_changed`: another user has changed it since."""

    id: int
    client_ref: str
    name: str
    client_type: str
    is_restricted: bool
    visited_at: datetime
    has_changed: bool


def recent_clients(profile: Profile, limit: int) -> list[RecentClient]:
    """Return the clients that the profile has visited and may still see, the last visit first. One statement."""
    rows = db.session.execute(
        select(
            Client.id,
            Client.client_ref,
            Client.name,
            Client.client_type,
            Client.is_restricted,
            ClientVisit.visited_at,
            has_changed_since_visit(profile),
        )
        .join(ClientVisit, ClientVisit.client_id == Client.id)
        .where(ClientVisit.profile_id == profile.id, visible_to(profile))
        .order_by(ClientVisit.visited_at.desc(), Client.id)
        .limit(limit)
    )
    return [RecentClient._make(row) for row in rows]
