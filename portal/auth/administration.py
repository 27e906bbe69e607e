"""What administrators and operators do to profiles: each verb does it and writes it into the audit. Flushes only.

Called by the users pages and `flask users`, which say who acts. The deeds themselves are operations', without an audit.
"""

from sqlalchemy import text

from portal import audit, page_kinds
from portal.audit import Event
from portal.auth import profiles, throttle
from portal.auth.mfa import one_time_codes, totp
from portal.auth.models import Profile
from portal.extensions import db
from portal.web.actor import Actor


def add_user(
    by: Actor, *, first_name: str, last_name: str, email: str, role: str, password: str | None = None
) -> Profile:
    """Raises InvalidInput (422), as operations.add_profile."""
    profile = profiles.add_profile(first_name, last_name, email, role, password)
    audit.record(Event.PROFILE_ADDED, by, profile_id=profile.id, role=role)
    note_access(by, profile.id, before=None, after=role)
    return profile


def change_role(by: Actor, profile: Profile, role: str) -> None:
    """Raises InvalidInput (422). The same role again changes nothing."""
    before = profile.role
    if role == before:
        return
    profiles.set_role(profile, role)
    audit.record(Event.ROLE_CHANGED, by, profile_id=profile.id, before=before, after=role)
    note_access(by, profile.id, before=before, after=role)


def note_access(by: Actor, profile_id: int, *, before: str | None, after: str) -> None:
    """Note how many restricted records a role has opened to the profile, or closed. `before` None: a new profile."""
    if (before == "admin") == (after == "admin"):
        return
    event = Event.ACCESS_GAINED if after == "admin" else Event.ACCESS_LOST
    for kind in page_kinds.kinds():
        counted = text(f"SELECT {kind.admin_only_sql or 0} FROM profiles caller WHERE id = :id")  # noqa: S608 - ours
        if count := db.session.scalar(counted, {"id": profile_id}):
            what = f"restricted_{kind.label.replace(' ', '_')}s"
            audit.record(event, by, profile_id=profile_id, role=after, **{what: count})


def set_active(by: Actor, profile: Profile, *, is_active: bool) -> None:
    profiles.set_active(profile, is_active=is_active)
    event = Event.PROFILE_ACTIVATED if is_active else Event.PROFILE_DEACTIVATED
    audit.record(event, by, profile_id=profile.id)


def set_password_hash(by: Actor, profile: Profile, password_hash: str) -> None:
    profiles.set_password_hash(profile, password_hash)
    audit.record(Event.PASSWORD_SET, by, profile_id=profile.id)


def make_password_code(by: Actor, profile: Profile) -> str:
    """A code to choose a password with: whoever makes it never knows the password (OWASP ASVS 5.0.0, 6.4.6)."""
    code = one_time_codes.make_password_code(profile.id)
    audit.record(Event.PASSWORD_CODE_MADE, by, profile_id=profile.id)
    return code


def reset_second_factor(by: Actor, profile: Profile) -> bool:
    """For a lost phone: the next sign-in asks for the password alone, or to set a new one up. Whether there was one."""
    was_set_up = totp.remove(profile.id)
    profiles.end_sessions(profile)
    audit.record(Event.SECOND_FACTOR_RESET, by, profile_id=profile.id)
    return was_set_up


def sign_out_everywhere(by: Actor, profile: Profile) -> None:
    profiles.end_sessions(profile)
    audit.record(Event.SESSIONS_ENDED, by, profile_id=profile.id)


def sign_out_all_users(by: Actor) -> int:
    """End every sign-in session there is; how many profiles that were."""
    count = profiles.end_all_profiles_sessions()
    audit.record(Event.SESSIONS_ENDED, by, everybody=True)
    return count


def unlock(by: Actor, profile: Profile) -> None:
    """Forget the failed sign-ins at the profile's account, from wherever, and its wrong codes."""
    throttle.unlock_account(profile.email)
    throttle.unlock_profile(profile.id)
    audit.record(Event.UNLOCKED, by, profile_id=profile.id)
