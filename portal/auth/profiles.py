"""Find, create and change profiles. The functions flush; the view or the command commits."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from portal.auth.models import ROLES, Profile
from portal.auth.passwords import hashing
from portal.auth.passwords.policy import check_password
from portal.auth.sessions import store as sign_in_sessions
from portal.auth.signals import sessions_ended, sharing_changed
from portal.config import DEMO_PASSWORD
from portal.errors import InvalidInput, NotAllowed, NotFound
from portal.extensions import db
from portal.text_input import clean_line, control_character_problem

MAX_NAME_LENGTH = 100


def find_by_email(email: str) -> Profile | None:
    email = clean_line(email)
    if control_character_problem(email):
        return None  # PostgreSQL's text type cannot store NUL or a lone surrogate
    return db.session.scalar(select(Profile).where(func.lower(Profile.email) == email.lower()))


def profile_by_email(email: str) -> Profile:
    """Return the profile with this email. Raises NotFound (404) for an unknown address."""
    profile = find_by_email(email)
    if profile is None:
        raise NotFound(f"No user has the email {email}.")
    return profile


def profile_with_id(profile_id: int) -> Profile:
    """Return the profile with this id. Raises NotFound (404)."""
    profile = db.session.get(Profile, profile_id)
    if profile is None:
        raise NotFound("User not found.")
    return profile


def add_profile(first_name: str, last_name: str, email: str, role: str, password: str | None) -> Profile:
    """Create a profile. A profile without a password cannot sign in yet.

    Raises InvalidInput (422) for an invalid or taken email, an invalid name or role, or a weak password.
    """
    first_name, last_name, email = _valid_details(first_name, last_name, email)
    password_hash = None if password is None else new_password_hash(password, (first_name, last_name, email))
    _reject_taken_email(email)
    _check_role(role)
    profile = Profile(first_name=first_name, last_name=last_name, email=email, role=role, password_hash=password_hash)
    with _translate_taken_email(email):
        db.session.add(profile)
        db.session.flush()
    return profile


def change_details(profile: Profile, first_name: str, last_name: str, email: str) -> set[str]:
    """Change the profile's names and email. Return the names of the columns that have changed. Flushes.

    Raises InvalidInput (422) as `add_profile`. The sign-in sessions stay: the password is the same.
    """
    first_name, last_name, email = _valid_details(first_name, last_name, email)
    _reject_taken_email(email, except_for=profile)
    new = {"first_name": first_name, "last_name": last_name, "email": email}
    changed = {column for column, value in new.items() if getattr(profile, column) != value}
    with _translate_taken_email(email):
        for column in changed:
            setattr(profile, column, new[column])
        db.session.flush()
    return changed


def _valid_details(first_name: str, last_name: str, email: str) -> tuple[str, str, str]:
    return valid_name("first_name", first_name), valid_name("last_name", last_name), _valid_email(email)


def _reject_taken_email(email: str, except_for: Profile | None = None) -> None:
    if find_by_email(email) not in (None, except_for):
        raise InvalidInput("email", f"{email} is taken")


@contextmanager
def _translate_taken_email(email: str) -> Iterator[None]:
    """Translate a unique violation: another administrator has used the email meanwhile. The transaction is lost."""
    try:
        yield
    except IntegrityError as error:
        db.session.rollback()
        raise InvalidInput("email", f"{email} is taken") from error


def valid_name(field: str, typed: str) -> str:
    """Return a cleaned first or last name. Raises InvalidInput (422) for a name without a visible character."""
    name = clean_line(typed)
    if problem := control_character_problem(name):
        raise InvalidInput(field, f"has {problem}: delete it, or type the name again")
    if not 0 < len(name) <= MAX_NAME_LENGTH:
        raise InvalidInput(field, f"must have 1 to {MAX_NAME_LENGTH} visible characters")
    return name


def set_role(profile: Profile, role: str) -> None:
    """Change the profile's role and end its sign-in sessions, which had other rights. Raises InvalidInput (422)."""
    _check_role(role)
    profile.role = role
    end_sessions(profile)


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise InvalidInput("role", f"{role} is not one of {', '.join(ROLES)}")


def _valid_email(text: str) -> str:
    try:
        # Deliverability is not checked: host names of a closed network are not in the public DNS.
        return validate_email(clean_line(text), check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise InvalidInput("email", f"is not an email address: {error}") from error


def new_password_hash(password: str, names: Iterable[str]) -> str:
    """Check a new password against the policy and return its hash. Call this without an open transaction.

    Raises InvalidInput (422) for a weak password, ServiceBusy (503).
    """
    check_password(password, names)
    return hashing.hash_password(password)


def set_password_hash(profile: Profile, password_hash: str) -> None:
    """Set the profile's password and end its sign-in sessions."""
    profile.password_hash = password_hash
    end_sessions(profile)


def share_unsaved_values(profile: Profile, *, is_shared: bool) -> None:
    """Show the profile's unsaved values to colleagues who edit the same form, or hide them. Flushes."""
    profile.shows_unsaved = is_shared
    db.session.flush()
    sharing_changed.send(profile_id=profile.id)


def use_single_keys(profile: Profile, *, is_used: bool) -> None:
    """Switch the commands of single keys on or off. Flushes."""
    profile.has_single_keys = is_used
    db.session.flush()


def mute_notifications(profile: Profile, kinds: Sequence[str]) -> None:
    """Set the kinds of notification that the profile does not want. Flushes."""
    profile.muted_notifications = list(kinds)
    db.session.flush()


def set_demo_passwords(*, is_demo: bool) -> list[Profile]:
    """Give the demo password to each profile without a password. Raises NotAllowed (403) outside demo mode."""
    if not is_demo:
        raise NotAllowed("Demo accounts exist in demo mode only.")
    shared_hash = hashing.hash_password(DEMO_PASSWORD)
    profiles = list(db.session.scalars(select(Profile).where(Profile.password_hash.is_(None)).order_by(Profile.id)))
    for profile in profiles:
        profile.password_hash = shared_hash
    db.session.flush()
    return profiles


def set_active(profile: Profile, *, is_active: bool) -> None:
    """Activate or deactivate the profile. Its sign-in sessions end, and presence removes it from every page."""
    profile.is_active = is_active
    end_sessions(profile)


def end_sessions(profile: Profile) -> None:
    """Sign the profile out on every device. Flushes.

    A concurrent sign-in may insert its session row after the DELETE. It carries the old epoch, so the incremented
    epoch makes that session inactive too.
    """
    profile.session_epoch = (profile.session_epoch or 0) + 1
    db.session.flush()
    if profile.id is not None:
        sign_in_sessions.end_all(profile.id)
        sessions_ended.send(profile_id=profile.id)


def end_all_profiles_sessions() -> int:
    """Sign out all profiles. Return the number of profiles. Flushes."""
    statement = update(Profile).values(session_epoch=Profile.session_epoch + 1)
    count: int = db.session.execute(statement.execution_options(synchronize_session=False)).rowcount  # type: ignore[attr-defined]
    sign_in_sessions.end_all_sessions()
    sessions_ended.send(profile_id=None)
    db.session.expire_all()
    return count
