"""Test that hashing and waiting hold no database connection, and that changes made meanwhile are respected."""

import time
from collections.abc import Callable, Iterator

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from portal.auth import verification
from portal.auth.mfa import one_time_codes
from portal.auth.passwords import hashing
from portal.auth.throttle import ACCOUNT_AND_ADDRESS
from portal.extensions import db
from tests.support.cast import PASSWORD, Cast
from tests.support.sign_in import (
    GOOD_PASSWORD,
    PASSWORD_CHANGE,
    attempt_sign_in,
    choose_password,
    enrol_second_factor,
    register_failures,
    sign_in,
    trusted_browser,
)
from tests.support.test_client import Visitor

Visit = type[Visitor]
Held = list[int]
AGAIN = {"factor-current_password": PASSWORD, "sessions-current_password": PASSWORD, "end": "others"}
ACTS = {
    "a known browser": lambda visit, cast: sign_in(trusted_browser(visit, cast.daniel.email), cast.daniel.email),
    "a stranger": lambda visit, cast: sign_in(visit(None), cast.daniel.email),
    "a wrong password": lambda visit, cast: sign_in(visit(None), cast.amelia.email, "wrong"),
    "an unknown email": lambda visit, cast: sign_in(visit(None), "nobody@firm.example"),
    "a new password": lambda visit, cast: visit(cast.amelia).post("/account/password", data=PASSWORD_CHANGE),
    "a second factor": lambda visit, cast: visit(cast.amelia).post("/account/second-factor", data=AGAIN),
    "no second factor": lambda visit, cast: visit(cast.amelia).post("/account/second-factor/remove", data=AGAIN),
    "recovery codes": lambda visit, cast: visit(cast.amelia).post("/account/recovery-codes", data=AGAIN),
    "other sessions": lambda visit, cast: visit(cast.amelia).post("/account/sessions", data=AGAIN),
}


@pytest.fixture
def held(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Held:
    """Record how many connections are checked out of the pool at each hash and each wait."""
    counts: Held = []

    class Hasher(PasswordHasher):
        def hash(self, *arguments: object, **options: object) -> str:
            counts.append(db.engine.pool.checkedout())
            return super().hash(*arguments, **options)

        def verify(self, *arguments: object, **options: object) -> bool:
            counts.append(db.engine.pool.checkedout())
            return super().verify(*arguments, **options)

    monkeypatch.setattr(hashing, "_hasher", Hasher(time_cost=1, memory_cost=8, parallelism=1))
    return counts


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_no_connection_is_held(visit: Visit, cast: Cast, held: Held, act: Callable[..., TestResponse]) -> None:
    enrol_second_factor(cast.amelia)
    assert act(visit, cast).status_code in (200, 302, 401)

    assert set(held) == {0}


def test_no_connection_is_held_while_a_new_password_is_hashed(visit: Visit, cast: Cast, held: Held) -> None:
    code = one_time_codes.create_password_code(cast.amelia.id)
    db.session.commit()
    assert choose_password(visit, cast.amelia.email, code).status_code == 302

    assert set(held) == {0}


def test_no_connection_is_held_while_a_hash_is_renewed(visit: Visit, cast: Cast, held: Held) -> None:
    cast.amelia.password_hash = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash(PASSWORD)
    db.session.commit()
    assert sign_in(visit(None), cast.amelia.email).status_code == 302

    assert held == [0, 0]


def test_no_connection_is_held_while_a_blocked_attempt_waits(
    visit: Visit, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt_sign_in(visit, cast.daniel.email)
    register_failures(cast.amelia.email, ACCOUNT_AND_ADDRESS.free_attempts + 1)
    held, sleep = [], time.sleep

    def spied(seconds: float) -> None:
        held.append(db.engine.pool.checkedout())
        sleep(seconds)

    monkeypatch.setattr(verification.time, "sleep", spied)
    assert attempt_sign_in(visit, cast.amelia.email, PASSWORD).status_code == 401

    assert held == [0]


@pytest.fixture
def meanwhile(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Return `meanwhile(statement)`, which commits the statement while the next password is being hashed."""
    statements: list[str] = []
    matches = hashing._matches

    def spied(password: str, password_hash: str) -> bool:
        with db.engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
        return matches(password, password_hash)

    monkeypatch.setattr(hashing, "_matches", spied)
    yield statements.append
    statements.clear()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE profiles SET is_active = false",
        "UPDATE profiles SET session_epoch = session_epoch + 1",
        "UPDATE profiles SET password_hash = 'another'",
    ],
)
def test_profile_locked_out_while_its_password_is_hashed_is_not_signed_in(
    visit: Visit, cast: Cast, meanwhile: Callable[[str], None], change: str
) -> None:
    meanwhile(change)

    assert sign_in(visit(None), cast.amelia.email).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE profiles SET is_active = false",
        "UPDATE profiles SET session_epoch = session_epoch + 1",
        "DELETE FROM sign_in_sessions",
    ],
)
def test_session_ended_while_the_password_is_hashed_changes_nothing(
    visit: Visit, cast: Cast, meanwhile: Callable[[str], None], change: str
) -> None:
    amelia, before = visit(cast.amelia).with_token(), cast.amelia.password_hash
    meanwhile(change)

    for path, form in (("/account/password", PASSWORD_CHANGE), ("/account/second-factor", AGAIN)):
        answer = amelia.post(path, data=form)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in")
    db.session.expire_all()
    assert cast.amelia.password_hash == before


def test_two_concurrent_password_choices_with_one_code_succeed_once(
    visit: Visit, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code is checked before hashing and consumed afterwards."""
    code = one_time_codes.create_password_code(cast.amelia.id)
    db.session.commit()
    monkeypatch.setattr(hashing, "hash_password", _using(code, cast.amelia.id, hashing.hash_password))

    assert choose_password(visit, cast.amelia.email, code, GOOD_PASSWORD).status_code == 401
    assert sign_in(visit(None), cast.amelia.email, PASSWORD).status_code == 302
    assert sign_in(visit(None), cast.amelia.email, GOOD_PASSWORD).status_code == 401


def _using(code: str, profile_id: int, hash_password: Callable[[str], str]) -> Callable[[str], str]:
    def hash_after_it_is_used(password: str) -> str:
        assert one_time_codes.consume(profile_id, one_time_codes.PASSWORD, code)
        db.session.commit()
        return hash_password(password)

    return hash_after_it_is_used
