"""Perform the actions of administrators and operators on profiles, and record each in the audit log.

The functions flush; the caller commits. portal.auth.profiles contains the same changes without an audit event.
"""

from collections.abc import Collection

from sqlalchemy import select, text

from portal import audit, page_kinds
from portal.audit import Event
from portal.auth import profiles, throttle
from portal.auth.mfa import one_time_codes, totp
from portal.auth.models import ADVISING_ROLES, OVERSIGHT_ROLES, Profile
from portal.errors import InvalidInput
from portal.extensions import db
from portal.web.actor import Actor


def add_user(
    by: Actor, *, first_name: str, last_name: str, email: str, role: str, password: str | None = None
) -> Profile:
    """Create a profile. Raises InvalidInput (422), as `profiles.add_profile`."""
    profile = profiles.add_profile(first_name, last_name, email, role, password)
    audit.record(Event.PROFILE_ADDED, by, profile_id=profile.id, role=role)
    record_restricted_access(by, profile.id, before=None, after=role)
    return profile


def change_role(by: Actor, profile: Profile, role: str) -> None:
    """Change the profile's role. Setting the current role again has no effect.

    Raises InvalidInput (422), also for a role without clients of its own while the profile is a client's adviser.
    """
    before = profile.role
    if role == before:
        return
    if profile.may_advise and role not in ADVISING_ROLES:
        _reject_adviser(profile)
    profiles.set_role(profile, role)
    audit.record(Event.ROLE_CHANGED, by, profile_id=profile.id, before=before, after=role)
    record_restricted_access(by, profile.id, before=before, after=role)


def change_details(by: Actor, profile: Profile, *, first_name: str, last_name: str, email: str) -> set[str]:
    """Change the profile's names and email. Return the names of the columns that have changed.

    Raises InvalidInput (422), as `profiles.change_details`.
    """
    changed = profiles.change_details(profile, first_name, last_name, email)
    record_changed_details(by, profile.id, changed)
    return changed


def record_changed_details(by: Actor, profile_id: int, changed: Collection[str]) -> None:
    """Record in the audit log that these columns have changed, without their values."""
    if not {"first_name", "last_name"}.isdisjoint(changed):
        audit.record(Event.PROFILE_RENAMED, by, profile_id=profile_id)
    if "email" in changed:
        audit.record(Event.EMAIL_CHANGED, by, profile_id=profile_id)


def record_restricted_access(by: Actor, profile_id: int, *, before: str | None, after: str) -> None:
    """Record in the audit log how many restricted records the profile gains or loses with its new role.

    `before` is None for a new profile.
    """
    if (before in OVERSIGHT_ROLES) == (after in OVERSIGHT_ROLES):
        return
    event = Event.ACCESS_GAINED if after in OVERSIGHT_ROLES else Event.ACCESS_LOST
    for kind in page_kinds.kinds():
        query = text(f"SELECT {kind.oversight_only_sql or 0} FROM profiles caller WHERE id = :id")  # noqa: S608 - constant
        if count := db.session.scalar(query, {"id": profile_id}):
            what = f"restricted_{kind.label.replace(' ', '_')}s"
            audit.record(event, by, profile_id=profile_id, role=after, **{what: count})


def _reject_adviser(profile: Profile) -> None:
    """Raise InvalidInput (422) if the profile is the adviser of a record.

    The profile is locked until the transaction ends. A save that makes it an adviser locks it too, and checks the role.
    """
    db.session.execute(select(Profile.id).where(Profile.id == profile.id).with_for_update(key_share=True))
    for kind in page_kinds.kinds():
        query = text(f"SELECT {kind.advised_sql or 0} FROM profiles caller WHERE id = :id")  # noqa: S608 - constant
        if count := db.session.scalar(query, {"id": profile.id}):
            records = kind.label if count == 1 else f"{kind.label}s"
            raise InvalidInput(
                "role",
                f"cannot change yet: {profile.full_name} is the adviser of {count:,} {records}. Hand them over to "
                "another adviser first",
            )


def set_active(by: Actor, profile: Profile, *, is_active: bool) -> None:
    profiles.set_active(profile, is_active=is_active)
    event = Event.PROFILE_ACTIVATED if is_active else Event.PROFILE_DEACTIVATED
    audit.record(event, by, profile_id=profile.id)


def set_password_hash(by: Actor, profile: Profile, password_hash: str) -> None:
    profiles.set_password_hash(profile, password_hash)
    audit.record(Event.PASSWORD_SET, by, profile_id=profile.id)


def create_password_code(by: Actor, profile: Profile) -> str:
    """Create a code with which the user chooses a password.

    The administrator who creates the code never knows the password (OWASP ASVS 5.0.0, 6.4.6).
    """
    code = one_time_codes.create_password_code(profile.id)
    audit.record(Event.PASSWORD_CODE_MADE, by, profile_id=profile.id)
    return code


def reset_second_factor(by: Actor, profile: Profile) -> bool:
    """Remove the second factor of a user who has lost the phone. Return whether the user had one.

    The next sign-in requires the password only, or requires the user to set up a new second factor.
    """
    was_set_up = totp.remove(profile.id)
    profiles.end_sessions(profile)
    audit.record(Event.SECOND_FACTOR_RESET, by, profile_id=profile.id)
    return was_set_up


def sign_out_everywhere(by: Actor, profile: Profile) -> None:
    profiles.end_sessions(profile)
    audit.record(Event.SESSIONS_ENDED, by, profile_id=profile.id)


def sign_out_all_users(by: Actor) -> int:
    """End all sign-in sessions of all profiles. Return the number of profiles."""
    count = profiles.end_all_profiles_sessions()
    audit.record(Event.SESSIONS_ENDED, by, everybody=True)
    return count


def unlock(by: Actor, profile: Profile) -> None:
    """Reset the failed sign-ins of the profile's account from all addresses, and its incorrect codes."""
    throttle.unlock_account(profile.email)
    throttle.unlock_profile(profile.id)
    audit.record(Event.UNLOCKED, by, profile_id=profile.id)
