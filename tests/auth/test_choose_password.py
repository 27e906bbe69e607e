"""Test the password policy, and choosing a password with a code from an administrator."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select, text

from portal.audit import AuditEvent
from portal.auth import profiles
from portal.auth.mfa import one_time_codes
from portal.auth.mfa.one_time_codes import PASSWORD as PASSWORD_CODE
from portal.auth.passwords.policy import check_password, common_passwords
from portal.auth.views.choose_password import WRONG_EMAIL_OR_CODE
from portal.errors import InvalidInput
from portal.extensions import db
from tests.support.cast import PASSWORD, Cast
from tests.support.html import errors_of, text_of
from tests.support.sign_in import GOOD_PASSWORD, choose_password, sign_in
from tests.support.test_client import Visitor

Visit = type[Visitor]
NAMES = ("Amelia", "Hart-O'Neill", "amelia.hart@wealthfirm.example")


@pytest.mark.parametrize(
    "password",
    [
        "seven green bottles",
        "korrekt pferd!",
        "ÄÖÜäöüß€¥£¢¤",
        "            xyz abcdefg",
        "amelia likes marmalade",
        "x9$Kq2#vB7!m",
        "\N{PILE OF POO}" * 11 + "ab cd ef gh ij",
        "w" * 5 + "y" * 195,
        "hunter2hunter3hunter4",
    ],
)
def test_long_uncommon_password_is_accepted(password: str) -> None:
    """The policy requires no mixture of characters (OWASP ASVS 5.0.0, 6.2.5)."""
    assert check_password(password, NAMES) is None


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("short", "12 to 200 characters"),
        ("x" * 11, "12 to 200 characters"),
        ("x" * 201, "12 to 200 characters"),
        ("password1234", "most common passwords"),
        ("PassWord1234", "most common passwords"),
        ("qwertyuiop123", "most common passwords"),
        ("aaaaaaaaaaaa", "most common passwords"),
        ("123456789012", "most common passwords"),
        ("letmeinletmein", "most common passwords"),
        ("kingston-demo", "public password of the demo"),
        ("ameliahart2026", "little more than your name"),
        ("Amelia.Hart!!1", "little more than your name"),
        ("kingstonsportal", "little more than your name"),
        ("WealthFirm1234", "little more than your name"),
        ("O'Neill-Amelia-99", "little more than your name"),
        ("kingston.password.portal", "little more than your name"),
        ("!!!!!!!!!!!!?", "little more than"),
    ],
)
def test_short_common_or_personal_password_is_rejected(password: str, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        check_password(password, NAMES)


def test_common_password_list_contains_only_passwords_of_allowed_length() -> None:
    """ASVS 5.0.0, 6.2.4 requires the 3,000 most common passwords that match the policy; shorter ones have no effect."""
    listed = common_passwords()

    assert len(listed) > 12_000
    assert all(len(password) >= 12 and password == password.casefold() for password in listed)
    assert {"passwordpassword", "administrator", "abcdefghijkl"} <= listed
    assert PASSWORD not in listed


@pytest.fixture
def code(app: Flask, cast: Cast) -> str:
    """Return a code that Ada created for Amelia."""
    made = one_time_codes.create_password_code(cast.amelia.id)
    db.session.commit()
    return made


def test_password_code_sets_a_password_once_and_ends_all_sessions(visit: Visit, cast: Cast, code: str) -> None:
    somewhere = visit(cast.amelia)

    answer = choose_password(visit, cast.amelia.email, f"  {code.upper().replace('-', ' ')} ")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in")
    assert somewhere.get("/clients").status_code == 302
    assert sign_in(visit(None), cast.amelia.email, GOOD_PASSWORD).status_code == 302
    assert choose_password(visit, cast.amelia.email, code, "another good password").status_code == 401
    assert db.session.scalar(select(AuditEvent.event).order_by(AuditEvent.id)) == "password_changed"


def test_wrong_code_unknown_email_and_expired_code_get_the_same_response(visit: Visit, cast: Cast, code: str) -> None:
    db.session.execute(text("UPDATE one_time_codes SET expires_at = now() - interval '1 s'"))
    db.session.commit()
    answers = [
        choose_password(visit, cast.amelia.email, "aaaa-bbbb"),
        choose_password(visit, "nobody@firm.example", code),
        choose_password(visit, cast.daniel.email, code),
        choose_password(visit, cast.amelia.email, code),
    ]

    assert {(answer.status_code, WRONG_EMAIL_OR_CODE in text_of(answer)) for answer in answers} == {(401, True)}


@pytest.mark.parametrize(
    ("password", "again", "field"),
    [
        ("short", None, "new_password"),
        ("password1234", None, "new_password"),
        (GOOD_PASSWORD, "other", "again"),
        ("", "", "again"),
    ],
)
def test_rejected_password_does_not_consume_the_code(
    visit: Visit, cast: Cast, code: str, password: str, again: str | None, field: str
) -> None:
    answer = choose_password(visit, cast.amelia.email, code, password, again)

    assert answer.status_code == 422
    assert field in errors_of(answer)
    assert choose_password(visit, cast.amelia.email, code).status_code == 302


def test_new_password_code_invalidates_the_older_one(app: Flask, cast: Cast, code: str) -> None:
    newer = one_time_codes.create_password_code(cast.amelia.id)

    assert not one_time_codes.consume(cast.amelia.id, PASSWORD_CODE, code)
    assert one_time_codes.consume(cast.amelia.id, PASSWORD_CODE, newer)


def test_code_consumed_concurrently_is_accepted_once(app: Flask, cast: Cast, code: str) -> None:
    profile_id = cast.amelia.id

    def take(_number: int) -> bool:
        with app.app_context():
            taken = one_time_codes.consume(profile_id, PASSWORD_CODE, code)
            db.session.commit()
            return taken

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(take, range(4))) == [False, False, False, True]


def test_codes_are_random_and_stored_as_hashes(app: Flask, cast: Cast) -> None:
    codes = one_time_codes.create_recovery_codes(cast.amelia.id)

    assert len(set(codes)) == len(codes) == 8
    assert all(len(code.replace("-", "")) == 28 for code in codes)
    kept = str(db.session.execute(text("SELECT * FROM one_time_codes")).all())
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)


def test_profile_without_a_password_cannot_sign_in_until_it_chooses_one(visit: Visit, cast: Cast) -> None:
    newcomer = profiles.add_profile("Zoe", "Hall", "zoe@firm.example", "adviser", None)
    db.session.commit()
    assert sign_in(visit(None), "zoe@firm.example", "").status_code == 422
    assert sign_in(visit(None), "zoe@firm.example", "None").status_code == 401

    code = one_time_codes.create_password_code(newcomer.id)
    db.session.commit()
    choose_password(visit, "zoe@firm.example", code)
    assert sign_in(visit(None), "zoe@firm.example", GOOD_PASSWORD).status_code == 302
