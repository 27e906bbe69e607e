"""The five users of the tests."""

import functools
from dataclasses import dataclass

from sqlalchemy import select

from portal.auth import Profile
from portal.auth.passwords import hashing
from portal.extensions import db

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Cast:
    """Amelia looks after the clients, Daniel is her colleague, Olga is deactivated, Rhys only reads, Ada is admin."""

    amelia: Profile
    daniel: Profile
    olga: Profile
    rhys: Profile
    ada: Profile


def make_cast() -> Cast:
    """Insert the five and commit. Each has the password PASSWORD."""
    cast = Cast(
        amelia=_profile("Amelia", "Hart", "adviser"),
        daniel=_profile("Daniel", "Okafor", "adviser"),
        olga=_profile("Olga", "Petrova", "adviser", is_active=False),
        rhys=_profile("Rhys", "Morgan", "reader"),
        ada=_profile("Ada", "Byron", "admin"),
    )
    db.session.commit()
    return cast


def load_cast() -> Cast:
    """Return the five of a database to which `make_cast` has added them."""
    return Cast(**{name: _profile_called(name) for name in ("amelia", "daniel", "olga", "rhys", "ada")})


def make_profile(first_name: str, last_name: str, role: str = "adviser") -> Profile:
    """Insert one more profile and commit."""
    profile = _profile(first_name, last_name, role)
    db.session.commit()
    return profile


def _profile_called(first_name: str) -> Profile:
    return db.session.scalars(select(Profile).where(Profile.first_name == first_name.capitalize())).one()


def _profile(first_name: str, last_name: str, role: str, *, is_active: bool = True) -> Profile:
    profile = Profile(
        first_name=first_name,
        last_name=last_name,
        email=f"{first_name}.{last_name}@firm.example".lower(),
        role=role,
        password_hash=_hash_of_password(),
        is_active=is_active,
    )
    db.session.add(profile)
    return profile


@functools.cache
def _hash_of_password() -> str:
    # One hash for all profiles.
    return hashing.hash_password(PASSWORD)
