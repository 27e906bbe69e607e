"""Look up the names of profiles for display."""

from sqlalchemy import select

from portal.auth.models import ADVISING_ROLES, Profile
from portal.extensions import db


def advisers(*, only_active: bool = False) -> list[tuple[int, str]]:
    """Return (id, name) of every profile that can look after clients, ordered by last name.

    Inactive profiles are included by default because they may still have clients.
    """
    conditions = [Profile.role.in_(ADVISING_ROLES), *([Profile.is_active] if only_active else [])]
    rows = db.session.execute(
        select(Profile.id, Profile.first_name, Profile.last_name)
        .where(*conditions)
        .order_by(Profile.last_name, Profile.first_name)
    )
    return [(row.id, f"{row.first_name} {row.last_name}") for row in rows]


def name_of(profile_id: int | None) -> str:
    """Return the profile's full name, or '' for None. Executes at most one statement for each profile and request."""
    profile = db.session.get(Profile, profile_id) if profile_id else None
    # The identity map holds weak references; this strong one keeps the profile for the request.
    db.session.info.setdefault("named", {})[profile_id] = profile
    return profile.full_name if profile else ""
