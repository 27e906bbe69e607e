"""Test trusted devices: their number, how long the trust lasts, and that they share a counter."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest
from flask import Flask
from sqlalchemy import func, select, text

from portal.auth import Profile
from portal.auth.mfa import totp
from portal.auth.throttle import ACCOUNT_AND_ADDRESS, DEVICE
from portal.auth.trusted_devices import MAX_DEVICES, TrustedDevice
from portal.extensions import db
from portal.jobs import JOBS, run_job
from tests.support.cast import PASSWORD, Cast
from tests.support.sign_in import (
    GOOD_PASSWORD,
    PASSWORD_CHANGE,
    SETTINGS,
    attempt_sign_in,
    enrol_second_factor,
    enter_code,
    failures_by_kind,
    pass_password_step,
    register_failures,
    sign_in,
    trusted_browser,
    use_address,
)
from tests.support.test_client import Visitor, visitors_of

Visit = type[Visitor]
COOKIE = "kingston_device"


def lock(email: str) -> None:
    """Lock the account for unknown browsers at this address, but not for trusted ones."""
    register_failures(email, ACCOUNT_AND_ADDRESS.free_attempts + 1, "127.0.0.1")
    register_failures(email, ACCOUNT_AND_ADDRESS.free_attempts + 1)


def is_trusted(browser: Visitor, email: str, password: str = PASSWORD) -> bool:
    """Return whether the browser can sign in although the account is locked for unknown browsers."""
    browser.browser.delete_cookie("kingston_session")
    return sign_in(browser, email, password).status_code == 302


def devices_of(profile: Profile) -> int:
    return db.session.scalar(select(func.count()).where(TrustedDevice.profile_id == profile.id)) or 0


def copy_of(browser: Visitor, visit: Visit) -> Visitor:
    """Return a browser that has only a copy of the other's device cookie."""
    thief = use_address(visit(None))
    thief.browser.set_cookie(COOKIE, browser.browser.get_cookie(COOKIE).value)
    return thief


def test_browser_is_trusted_for_its_profile_and_no_other(visit: Visit, cast: Cast) -> None:
    own = trusted_browser(visit, cast.amelia.email)
    lock(cast.amelia.email)
    lock(cast.daniel.email)

    assert not is_trusted(own, cast.daniel.email)
    assert is_trusted(own, cast.amelia.email)


@pytest.mark.parametrize(
    ("change", "stays"),
    [
        ("UPDATE profiles SET session_epoch = session_epoch + 1", False),
        ("UPDATE known_devices SET signed_in_at = now() - interval '180 days 1 s'", False),
        ("UPDATE known_devices SET signed_in_at = now() - interval '179 days'", True),
        ("DELETE FROM known_devices", False),
    ],
)
def test_trust_ends_with_the_epoch_or_after_180_days(visit: Visit, cast: Cast, change: str, stays: bool) -> None:
    """The server checks the age, because a thief does not let the cookie expire."""
    own = trusted_browser(visit, cast.amelia.email)
    lock(cast.amelia.email)
    db.session.execute(text(change))
    db.session.commit()

    assert is_trusted(own, cast.amelia.email) == stays


def test_new_password_revokes_trust_in_all_other_browsers(visit: Visit, cast: Cast) -> None:
    """An attacker who knew the old password gets no extra attempts at the new one."""
    own, thief = trusted_browser(visit, cast.amelia.email), trusted_browser(visit, cast.amelia.email)
    sign_in(own, cast.amelia.email)
    own._token = None
    assert own.post("/account/password", data=PASSWORD_CHANGE).status_code == 302
    lock(cast.amelia.email)

    assert not is_trusted(thief, cast.amelia.email, GOOD_PASSWORD)
    assert is_trusted(own, cast.amelia.email, GOOD_PASSWORD)


def test_second_factor_revokes_trust_in_browsers_that_never_sent_a_code(visit: Visit, cast: Cast) -> None:
    """Otherwise the browsers of an attacker who knew the password would get extra attempts at the codes."""
    trusted_browser(visit, cast.amelia.email)
    of_daniel = trusted_browser(visit, cast.daniel.email)
    own = visit(cast.amelia)
    own.post("/account/second-factor", data={"factor-current_password": PASSWORD})
    assert devices_of(cast.amelia) == 1
    secret = totp.pending_secret(cast.amelia.id, SETTINGS)
    assert own.post("/account/second-factor/confirm", data={"code": pyotp.TOTP(secret).now()}).status_code == 200

    assert devices_of(cast.amelia) == 0
    lock(cast.daniel.email)
    assert is_trusted(of_daniel, cast.daniel.email)


def test_profile_with_too_many_trusted_browsers_loses_the_oldest(visit: Visit, cast: Cast) -> None:
    """Otherwise an attacker who once knew the password could collect many trusted browsers."""
    first, *others = [trusted_browser(visit, cast.amelia.email) for _ in range(MAX_DEVICES + 1)]
    lock(cast.amelia.email)

    assert devices_of(cast.amelia) == MAX_DEVICES
    assert not is_trusted(first, cast.amelia.email)
    assert is_trusted(others[0], cast.amelia.email)


def test_trusted_browser_signing_in_again_replaces_its_own_row(visit: Visit, cast: Cast) -> None:
    own = trusted_browser(visit, cast.amelia.email)
    copied = copy_of(own, visit)
    for _ in range(3):
        assert is_trusted(own, cast.amelia.email)
    lock(cast.amelia.email)

    assert devices_of(cast.amelia) == 1
    assert not is_trusted(copied, cast.amelia.email)  # the next sign-in invalidates a copied cookie


def test_concurrent_sign_ins_do_not_exceed_the_limit_of_trusted_browsers(app: Flask, visit: Visit, cast: Cast) -> None:
    for _ in range(MAX_DEVICES - 1):
        trusted_browser(visit, cast.amelia.email)
    email = cast.amelia.email
    browsers = [visit(None) for _ in range(3)]

    with ThreadPoolExecutor(3) as pool:
        assert set(pool.map(lambda browser: sign_in(browser, email).status_code, browsers)) == {302}
    assert devices_of(cast.amelia) == MAX_DEVICES


def test_trusted_browsers_of_a_profile_share_one_counter(visit: Visit, cast: Cast) -> None:
    one, other = trusted_browser(visit, cast.amelia.email), trusted_browser(visit, cast.amelia.email)
    for number in range(DEVICE.free_attempts + 1):
        browser = (one, other)[number % 2]
        assert sign_in(browser, cast.amelia.email, "wrong").status_code == 401

    assert failures_by_kind() == {"account": 0, "address": 0, "device": DEVICE.free_attempts + 1}
    assert [sign_in(browser, cast.amelia.email).status_code for browser in (one, other)] == [429, 429]


def test_wrong_codes_from_an_unknown_browser_do_not_block_a_trusted_one(visit: Visit, cast: Cast) -> None:
    app, codes = enrol_second_factor(cast.amelia)
    own = pass_password_step(visit, cast.amelia.email)
    assert enter_code(own, codes[0]).status_code == 302
    thief = pass_password_step(visit, cast.amelia.email)
    for _ in range(DEVICE.free_attempts + 1):
        assert enter_code(thief, "000000").status_code == 401
    assert enter_code(thief, app.now()).status_code == 429

    own.browser.delete_cookie("kingston_session")
    assert sign_in(own, cast.amelia.email).headers["Location"].startswith("/sign-in/code")
    assert enter_code(own, app.now()).status_code == 302
    assert failures_by_kind()["code"] == DEVICE.free_attempts + 1


def test_wrong_codes_from_a_trusted_browser_are_throttled(visit: Visit, cast: Cast) -> None:
    app, codes = enrol_second_factor(cast.amelia)
    own = pass_password_step(visit, cast.amelia.email)
    assert enter_code(own, codes[0]).status_code == 302
    own.browser.delete_cookie("kingston_session")
    sign_in(own, cast.amelia.email)
    for _ in range(DEVICE.free_attempts + 1):
        assert enter_code(own, "000000").status_code == 401

    assert enter_code(own, app.now()).status_code == 429
    assert failures_by_kind() == {"account": 0, "address": 0, "known-code": DEVICE.free_attempts + 1}


def test_password_without_the_second_factor_does_not_make_a_browser_trusted(visit: Visit, cast: Cast) -> None:
    enrol_second_factor(cast.amelia)
    browser = pass_password_step(visit, cast.amelia.email)

    assert browser.browser.get_cookie(COOKIE) is None
    assert devices_of(cast.amelia) == 0


def test_device_cookie_of_another_server_on_the_same_database_is_accepted(
    make_app: Callable[..., Flask], visit: Visit, cast: Cast
) -> None:
    own = trusted_browser(visitors_of(make_app()), cast.amelia.email)
    lock(cast.amelia.email)

    assert is_trusted(copy_of(own, visit), cast.amelia.email)


def test_device_cookie_without_a_row_is_not_trusted(visit: Visit, cast: Cast) -> None:
    """Releases before the table existed set such cookies."""
    own = trusted_browser(visit, cast.amelia.email)
    db.session.execute(text("DELETE FROM known_devices"))
    db.session.commit()

    assert sign_in(own, cast.amelia.email, "wrong").status_code == 401
    assert failures_by_kind() == {"account": 1, "address": 1, "pair": 1}


def test_purge_deletes_expired_trusted_devices(visit: Visit, cast: Cast) -> None:
    trusted_browser(visit, cast.amelia.email)
    db.session.execute(text("UPDATE known_devices SET signed_in_at = now() - interval '181 days'"))
    db.session.commit()
    trusted_browser(visit, cast.daniel.email)
    [job] = [job for job in JOBS if job.name == "trusted device purge"]

    assert run_job(job) == 1
    assert (devices_of(cast.amelia), devices_of(cast.daniel)) == (0, 1)


def test_unlocking_a_user_resets_failures_of_trusted_browsers(visit: Visit, cast: Cast) -> None:
    own = trusted_browser(visit, cast.amelia.email)
    for _ in range(DEVICE.free_attempts + 1):
        sign_in(own, cast.amelia.email, "wrong")
    assert sign_in(own, cast.amelia.email).status_code == 429

    visit(cast.ada).post(f"/users/{cast.amelia.id}/unlock")
    assert attempt_sign_in(visit, cast.amelia.email, PASSWORD).status_code == 302
    assert is_trusted(own, cast.amelia.email)
