"""Test the second factor: setting it up, signing in with it, losing and replacing it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text

from portal.audit import AuditEvent
from portal.auth.mfa import one_time_codes
from portal.auth.mfa import totp as second_factor
from portal.auth.mfa.encryption import decrypt_for, encrypt_for
from portal.auth.throttle import CODE
from portal.extensions import db
from tests.conftest import settings_for
from tests.support.cast import PASSWORD, Cast, make_profile
from tests.support.html import form_of, text_of
from tests.support.sign_in import SETTINGS, enrol_second_factor, enter_code, pass_password_step, sign_in
from tests.support.test_client import Visitor, visitors_of

Visit = type[Visitor]


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(datetime(2026, 11, 25, 12, 0, 10, tzinfo=UTC), tick=False) as traveller:
        yield traveller


def test_correct_code_after_the_password_redirects_to_the_requested_page(visit: Visit, cast: Cast) -> None:
    app, _ = enrol_second_factor(cast.amelia)
    browser = visit(None)
    asked = sign_in(browser, cast.amelia.email, query="?next=/clients/42")
    assert asked.headers["Location"] == "/sign-in/code?next=%2Fclients%2F42"
    assert browser.get("/session").status_code == 401
    assert cast.amelia.last_signed_in_at is None

    answer = browser.post("/sign-in/code", data={**form_of(browser.get(asked.headers["Location"])), "code": app.now()})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/clients/42")
    assert browser.get("/session").json["name"] == "Amelia Hart"
    assert cast.amelia.last_signed_in_at is not None
    [event] = db.session.scalars(select(AuditEvent).where(AuditEvent.event == "signed_in"))
    assert (event.actor_id, event.about) == (cast.amelia.id, {"factors": "password and app code"})


@pytest.mark.parametrize("call", ["/clients", "/session", "/user_page_presence/client-1", "/account"])
def test_password_without_the_code_grants_no_access(visit: Visit, cast: Cast, call: str) -> None:
    enrol_second_factor(cast.amelia)

    assert pass_password_step(visit, cast.amelia.email).get(call).status_code in (302, 401)


def test_code_is_accepted_once(visit: Visit, cast: Cast) -> None:
    """An observed code cannot be used again (OWASP ASVS 5.0.0, 6.5.1)."""
    app, _ = enrol_second_factor(cast.amelia)
    code = app.now()
    assert enter_code(pass_password_step(visit, cast.amelia.email), code).status_code == 302

    assert enter_code(pass_password_step(visit, cast.amelia.email), code).status_code == 401


def test_code_sent_twice_concurrently_is_accepted_once(app: Flask, cast: Cast) -> None:
    totp, _ = enrol_second_factor(cast.amelia)
    code, profile_id = totp.now(), cast.amelia.id

    def take(_number: int) -> bool:
        with app.app_context():
            taken = second_factor.consume_code(profile_id, code, SETTINGS) is not None
            db.session.commit()
            return taken

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(take, range(4))) == [False, False, False, True]


@pytest.mark.parametrize(("seconds", "is_taken"), [(-60, False), (0, True), (30, True), (60, False)])
def test_codes_of_neighbouring_steps_are_accepted(app: Flask, cast: Cast, seconds: int, is_taken: bool) -> None:
    totp, _ = enrol_second_factor(cast.amelia)

    code = totp.at(datetime.now(UTC) + timedelta(seconds=seconds))
    assert (second_factor.consume_code(cast.amelia.id, code, SETTINGS) is not None) == is_taken


@pytest.mark.parametrize("typed", ["", " ", "000000x", "1", "١٢٣٤٥٦", "\0", "x" * 60, "0000000", "-00000"])
def test_malformed_code_is_rejected_without_an_error(app: Flask, cast: Cast, typed: str) -> None:
    enrol_second_factor(cast.amelia)

    assert second_factor.consume_code(cast.amelia.id, typed, SETTINGS) is None


def test_recovery_code_is_accepted_once_instead_of_an_app_code(visit: Visit, cast: Cast) -> None:
    _, codes = enrol_second_factor(cast.amelia)
    assert enter_code(pass_password_step(visit, cast.amelia.email), codes[3].upper()).status_code == 302

    assert enter_code(pass_password_step(visit, cast.amelia.email), codes[3]).status_code == 401
    assert one_time_codes.count_recovery_codes(cast.amelia.id) == len(codes) - 1


def test_wrong_codes_are_throttled(visit: Visit, cast: Cast) -> None:
    app, _ = enrol_second_factor(cast.amelia)
    browser = pass_password_step(visit, cast.amelia.email)
    for _ in range(CODE.free_attempts + 1):
        assert enter_code(browser, "000000").status_code == 401  # codes are checked without hashing

    answer = enter_code(browser, app.now())
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
    query = select(AuditEvent).where(AuditEvent.event == "sign_in_failed").order_by(AuditEvent.id)
    events = db.session.scalars(query).all()
    assert [event.about for event in events] == [{"wrong": "code"}] * 5 + [{"wrong": "code", "blocked_seconds": 2}]
    assert {event.profile_id for event in events} == {cast.amelia.id}


def test_second_step_expires_after_ten_minutes(visit: Visit, cast: Cast, clock: time_machine.Traveller) -> None:
    enrol_second_factor(cast.amelia)
    browser = pass_password_step(visit, cast.amelia.email)
    clock.shift(timedelta(minutes=10, seconds=1))

    answer = browser.get("/sign-in/code")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in?next=/sign-in/code")


@pytest.mark.parametrize("change", ["is_active = false", "session_epoch = session_epoch + 1"])
def test_second_step_ends_when_the_profile_changes(visit: Visit, cast: Cast, change: str) -> None:
    app, _ = enrol_second_factor(cast.amelia)
    browser = pass_password_step(visit, cast.amelia.email)
    form = form_of(browser.get("/sign-in/code"))
    db.session.execute(text(f"UPDATE profiles SET {change}"))  # noqa: S608
    db.session.commit()

    answer = browser.post("/sign-in/code", data={**form, "code": app.now()})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in")


def test_second_step_without_the_password_redirects_to_sign_in(visit: Visit, cast: Cast) -> None:
    for path in ("/sign-in/code", "/sign-in/set-up"):
        assert visit(None).get(path).headers["Location"].startswith("/sign-in?")


def test_second_factor_is_set_up_from_the_account_page(visit: Visit, cast: Cast) -> None:
    here, elsewhere = visit(cast.amelia), visit(cast.amelia)
    form = {"factor-current_password": PASSWORD}
    assert here.post("/account/second-factor", data=form).headers["Location"] == "/account/second-factor"
    page = here.get("/account/second-factor")
    assert '<svg class="qr"' in page.text or 'class="qr"' in page.text
    secret = second_factor.pending_secret(cast.amelia.id, SETTINGS)
    assert secret in text_of(page).replace(" ", "")
    assert sign_in(visit(None), cast.amelia.email).headers["Location"] == "/"  # not required before its confirmation

    wrong = here.post("/account/second-factor/confirm", data={"code": "000000"})
    assert (wrong.status_code, "is not the code that the app shows" in text_of(wrong)) == (422, True)
    done = here.post("/account/second-factor/confirm", data={"code": pyotp.TOTP(secret).now()})

    assert "Keep these recovery codes" in text_of(done)
    assert elsewhere.get("/clients").status_code == 302
    assert here.get("/clients").status_code == 200
    assert sign_in(visit(None), cast.amelia.email).headers["Location"].startswith("/sign-in/code")
    assert "8 recovery codes are left" in text_of(here.get("/account"))


def test_secret_is_encrypted_for_its_own_profile(app: Flask, cast: Cast) -> None:
    totp, _ = enrol_second_factor(cast.amelia)
    enrol_second_factor(cast.daniel)
    assert totp.secret not in str(db.session.execute(text("SELECT * FROM second_factors")).all())

    db.session.execute(
        text(
            "UPDATE second_factors SET last_step = 0,"
            " secret = (SELECT secret FROM second_factors WHERE profile_id = :amelia)"
        ),
        {"amelia": cast.amelia.id},
    )
    assert second_factor.consume_code(cast.daniel.id, totp.now(), SETTINGS) is None
    assert second_factor.consume_code(cast.amelia.id, totp.now(), SETTINGS) == second_factor.APP_CODE


def test_old_secret_key_still_decrypts_while_it_is_configured() -> None:
    old, new = settings_for("postgresql://", secret_key="o" * 40), settings_for("postgresql://", secret_key="n" * 40)
    both = settings_for("postgresql://", secret_key="n" * 40, secret_key_fallbacks=("o" * 40,))
    sealed = encrypt_for(7, "secret", old)

    assert (decrypt_for(7, sealed, old), decrypt_for(7, sealed, both), decrypt_for(7, sealed, new)) == (
        "secret",
        "secret",
        None,
    )
    assert decrypt_for(8, sealed, old) is None
    assert decrypt_for(7, "nonsense", old) is None


@pytest.mark.parametrize(
    ("setting", "who"),
    [("admins", ["ada", "carys"]), ("everyone", ["ada", "carys", "amelia"]), ("optional", [])],
)
def test_setting_requires_a_second_factor_of_the_configured_roles(
    make_app: Callable[..., Flask], cast: Cast, setting: str, who: list[str]
) -> None:
    visit = visitors_of(make_app(second_factor=setting))
    people = {"ada": cast.ada, "carys": make_profile("Carys", "Lloyd", "compliance"), "amelia": cast.amelia}
    for name, profile in people.items():
        answer = sign_in(visit(None), profile.email)
        assert answer.headers["Location"].startswith("/sign-in/set-up") == (name in who)


def test_required_second_factor_is_set_up_before_the_session_starts(make_app: Callable[..., Flask], cast: Cast) -> None:
    visit = visitors_of(make_app(second_factor="admins"))
    browser = pass_password_step(visit, cast.ada.email, "?next=/clients?q=x")
    assert browser.get("/clients").status_code == 302
    assert enter_code(browser, "000000", "/sign-in/set-up").status_code == 422
    secret = second_factor.pending_secret(cast.ada.id, SETTINGS)

    answer = enter_code(browser, pyotp.TOTP(secret).now(), "/sign-in/set-up")

    assert (answer.status_code, "Keep these recovery codes" in text_of(answer)) == (200, True)
    assert browser.get("/clients").status_code == 200
    refused = browser.post("/account/second-factor/remove", data={"factor-current_password": PASSWORD})
    assert refused.status_code == 403
    assert pass_password_step(visit, cast.ada.email).get("/sign-in/code").status_code == 200


def test_beginning_enrolment_does_not_replace_an_active_second_factor(app: Flask, cast: Cast) -> None:
    totp, _ = enrol_second_factor(cast.amelia)

    second_factor.begin_enrolment(cast.amelia.id, SETTINGS)
    db.session.commit()

    assert second_factor.pending_secret(cast.amelia.id, SETTINGS) is None
    assert second_factor.consume_code(cast.amelia.id, totp.now(), SETTINGS) == second_factor.APP_CODE
