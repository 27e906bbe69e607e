"""Browsers that have signed in before: how many, for how long, and that they are counted together."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest
from flask import Flask
from sqlalchemy import func, select, text

from portal.auth import Profile
from portal.auth.mfa import totp
from portal.auth.throttle import ACCOUNT_AND_ADDRESS, DEVICE
from portal.auth.trusted_devices import MAX_DEVICES, KnownDevice
from portal.extensions import db
from portal.jobs import JOBS, run_job
from tests.auth.test_account import CHANGE, NEW
from tests.auth.test_second_factor import SETTINGS, enter, half_way, set_up
from tests.auth.test_sign_in import sign_in
from tests.auth.test_throttle import at, fail, failures, from_here, known_browser
from tests.support.cast import PASSWORD, Cast
from tests.support.test_client import Visitor, visitors_of

Visit = type[Visitor]
COOKIE = "kingston_device"


def lock(email: str) -> None:
    """So that a stranger of this address is refused whatever they type, and a known browser is not."""
    fail(email, ACCOUNT_AND_ADDRESS.free + 1, "127.0.0.1")
    fail(email, ACCOUNT_AND_ADDRESS.free + 1)


def is_known(browser: Visitor, email: str, password: str = PASSWORD) -> bool:
    """Whether the browser signs in although the account is locked for strangers."""
    browser.browser.delete_cookie("kingston_session")
    return sign_in(browser, email, password).status_code == 302


def devices_of(profile: Profile) -> int:
    return db.session.scalar(select(func.count()).where(KnownDevice.profile_id == profile.id)) or 0


def copy_of(browser: Visitor, visit: Visit) -> Visitor:
    """A browser with nothing but the other's mark."""
    thief = at(visit(None))
    thief.browser.set_cookie(COOKIE, browser.browser.get_cookie(COOKIE).value)
    return thief


def test_browser_is_known_to_its_profile_and_to_no_other(visit: Visit, cast: Cast) -> None:
    own = known_browser(visit, cast.amelia.email)
    lock(cast.amelia.email)
    lock(cast.daniel.email)

    assert not is_known(own, cast.daniel.email)
    assert is_known(own, cast.amelia.email)


@pytest.mark.parametrize(
    ("change", "stays"),
    [
        ("UPDATE profiles SET session_epoch = session_epoch + 1", False),
        ("UPDATE known_devices SET signed_in_at = now() - interval '180 days 1 s'", False),
        ("UPDATE known_devices SET signed_in_at = now() - interval '179 days'", True),
        ("DELETE FROM known_devices", False),
    ],
)
def test_mark_holds_for_its_epoch_and_its_time_on_the_server(
    visit: Visit, cast: Cast, change: str, stays: bool
) -> None:
    """Whatever the cookie says: a thief never lets it expire."""
    own = known_browser(visit, cast.amelia.email)
    lock(cast.amelia.email)
    db.session.execute(text(change))
    db.session.commit()

    assert is_known(own, cast.amelia.email) == stays


def test_new_password_makes_strangers_of_all_browsers_but_the_one_that_it_was_chosen_with(
    visit: Visit, cast: Cast
) -> None:
    """Whoever knew the old password has no free guesses at the new one."""
    own, of_a_thief = known_browser(visit, cast.amelia.email), known_browser(visit, cast.amelia.email)
    sign_in(own, cast.amelia.email)
    own._token = None
    assert own.post("/account/password", data=CHANGE).status_code == 302
    lock(cast.amelia.email)

    assert not is_known(of_a_thief, cast.amelia.email, NEW)
    assert is_known(own, cast.amelia.email, NEW)


def test_second_factor_makes_strangers_of_browsers_that_have_never_shown_it(visit: Visit, cast: Cast) -> None:
    """Those of somebody who knew the password would have guesses of their own at the codes."""
    known_browser(visit, cast.amelia.email)
    of_daniel = known_browser(visit, cast.daniel.email)
    own = visit(cast.amelia)
    own.post("/account/second-factor", data={"factor-current_password": PASSWORD})
    assert devices_of(cast.amelia) == 1
    secret = totp.pending_secret(cast.amelia.id, SETTINGS)
    assert own.post("/account/second-factor/confirm", data={"code": pyotp.TOTP(secret).now()}).status_code == 200

    assert devices_of(cast.amelia) == 0
    lock(cast.daniel.email)
    assert is_known(of_daniel, cast.daniel.email)


def test_profile_has_few_known_browsers_and_the_oldest_goes(visit: Visit, cast: Cast) -> None:
    """Whoever once knew the password could collect a thousand of them otherwise."""
    first, *others = [known_browser(visit, cast.amelia.email) for _ in range(MAX_DEVICES + 1)]
    lock(cast.amelia.email)

    assert devices_of(cast.amelia) == MAX_DEVICES
    assert not is_known(first, cast.amelia.email)
    assert is_known(others[0], cast.amelia.email)


def test_same_browser_signing_in_again_takes_no_place_of_another(visit: Visit, cast: Cast) -> None:
    own = known_browser(visit, cast.amelia.email)
    copied = copy_of(own, visit)
    for _ in range(3):
        assert is_known(own, cast.amelia.email)
    lock(cast.amelia.email)

    assert devices_of(cast.amelia) == 1
    assert not is_known(copied, cast.amelia.email)  # a copy of the mark is worth nothing after the next sign-in


def test_of_many_who_sign_in_at_once_no_more_become_known(app: Flask, visit: Visit, cast: Cast) -> None:
    for _ in range(MAX_DEVICES - 1):
        known_browser(visit, cast.amelia.email)
    email = cast.amelia.email
    browsers = [visit(None) for _ in range(3)]

    with ThreadPoolExecutor(3) as pool:
        assert set(pool.map(lambda browser: sign_in(browser, email).status_code, browsers)) == {302}
    assert devices_of(cast.amelia) == MAX_DEVICES


def test_all_known_browsers_of_a_profile_have_one_count(visit: Visit, cast: Cast) -> None:
    one, other = known_browser(visit, cast.amelia.email), known_browser(visit, cast.amelia.email)
    for number in range(DEVICE.free + 1):
        browser = (one, other)[number % 2]
        assert sign_in(browser, cast.amelia.email, "wrong").status_code == 401

    assert failures() == {"account": 0, "address": 0, "device": DEVICE.free + 1}
    assert [sign_in(browser, cast.amelia.email).status_code for browser in (one, other)] == [429, 429]


def test_wrong_codes_of_somebody_who_knows_the_password_do_not_reach_a_known_browser(visit: Visit, cast: Cast) -> None:
    app, codes = set_up(cast.amelia)
    own = half_way(visit, cast.amelia.email)
    assert enter(own, codes[0]).status_code == 302
    thief = half_way(visit, cast.amelia.email)
    for _ in range(DEVICE.free + 1):
        assert enter(thief, "000000").status_code == 401
    assert enter(thief, app.now()).status_code == 429

    own.browser.delete_cookie("kingston_session")
    assert sign_in(own, cast.amelia.email).headers["Location"].startswith("/sign-in/code")
    assert enter(own, app.now()).status_code == 302
    assert failures()["code"] == DEVICE.free + 1


def test_wrong_codes_of_a_known_browser_are_throttled_as_well(visit: Visit, cast: Cast) -> None:
    app, codes = set_up(cast.amelia)
    own = half_way(visit, cast.amelia.email)
    assert enter(own, codes[0]).status_code == 302
    own.browser.delete_cookie("kingston_session")
    sign_in(own, cast.amelia.email)
    for _ in range(DEVICE.free + 1):
        assert enter(own, "000000").status_code == 401

    assert enter(own, app.now()).status_code == 429
    assert failures() == {"account": 0, "address": 0, "known-code": DEVICE.free + 1}


def test_password_alone_makes_no_browser_known(visit: Visit, cast: Cast) -> None:
    set_up(cast.amelia)
    browser = half_way(visit, cast.amelia.email)

    assert browser.browser.get_cookie(COOKIE) is None
    assert devices_of(cast.amelia) == 0


def test_mark_of_another_server_on_the_same_database_holds_here(
    make_app: Callable[..., Flask], visit: Visit, cast: Cast
) -> None:
    own = known_browser(visitors_of(make_app()), cast.amelia.email)
    lock(cast.amelia.email)

    assert is_known(copy_of(own, visit), cast.amelia.email)


def test_signed_mark_without_a_row_is_a_strangers(visit: Visit, cast: Cast) -> None:
    """As those are that were made before there were rows."""
    own = known_browser(visit, cast.amelia.email)
    db.session.execute(text("DELETE FROM known_devices"))
    db.session.commit()

    assert sign_in(own, cast.amelia.email, "wrong").status_code == 401
    assert failures() == {"account": 1, "address": 1, "pair": 1}


def test_purge_takes_what_no_longer_holds(visit: Visit, cast: Cast) -> None:
    known_browser(visit, cast.amelia.email)
    db.session.execute(text("UPDATE known_devices SET signed_in_at = now() - interval '181 days'"))
    db.session.commit()
    known_browser(visit, cast.daniel.email)
    [job] = [job for job in JOBS if job.name == "known device purge"]

    assert run_job(job) == 1
    assert (devices_of(cast.amelia), devices_of(cast.daniel)) == (0, 1)


def test_unlocking_a_user_forgets_what_known_browsers_did(visit: Visit, cast: Cast) -> None:
    own = known_browser(visit, cast.amelia.email)
    for _ in range(DEVICE.free + 1):
        sign_in(own, cast.amelia.email, "wrong")
    assert sign_in(own, cast.amelia.email).status_code == 429

    visit(cast.ada).post(f"/users/{cast.amelia.id}/unlock")
    assert from_here(visit, cast.amelia.email, PASSWORD).status_code == 302
    assert is_known(own, cast.amelia.email)
