"""The names of profiles, for pages that show who did something."""

from sqlalchemy import (
    select,
)

from portal.auth.models import Profile
from portal.extensions import db


def advisers(*, only_active: bool = False) -> list[tuple[int, str]]:
    """(id, name) of every profile that can look after clients, by last name; those who have left may have some yet."""
    conditions = [Profile.role.in_(["adviser", "admin"]), *([Profile.is_active] if only_active else [])]
    rows = db.session.execute(
        select(Profile.id, Profile.first_name, Profile.last_name)
        .where(*conditions)
        .order_by(Profile.last_name, Profile.first_name)
    )
    return [(row.id, f"{row.first_name} {row.last_name}") for row in rows]


def name_of(profile_id: int | None) -> str:
    """The profile's full name; '' for nobody. One statement a profile, however often a request names it."""
    profile = db.session.get(Profile, profile_id) if profile_id else None
    # SQLAlchemy's session itself forgets what nobody holds.
    db.session.info.setdefault("named", {})[profile_id] = profile
    return profile.full_name if profile else ""
