"""Guessing passwords: how often, how fast, and that nobody locks out somebody else for good."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from portal.auth import attempt_queue, throttle, verification
from portal.auth.attempt_queue import STRANGERS
from portal.auth.throttle import ACCOUNT, ACCOUNT_AND_ADDRESS, ADDRESS, MAX_LOCKOUT_SECONDS, ThrottleSubject
from portal.auth.views.sign_in import WRONG_EMAIL_OR_PASSWORD
from portal.extensions import db
from portal.jobs import JOBS, run_job
from tests.auth.test_sign_in import hashes, sign_in  # noqa: F401  # a fixture
from tests.support.cast import PASSWORD, Cast
from tests.support.html import form_of, text_of
from tests.support.test_client import Visitor, visitors_of

Visit = type[Visitor]
HERE, ELSEWHERE = "203.0.113.9", "198.51.100.7"
FREE_OF_PAIR = ACCOUNT_AND_ADDRESS.free
WRONG = "wrong"


def let_pass(seconds: float) -> None:
    """Time goes by for every subject."""
    db.session.execute(
        text(
            "UPDATE sign_in_throttle SET last_failed_at = last_failed_at - make_interval(secs => :seconds),"
            " blocked_until = blocked_until - make_interval(secs => :seconds)"
        ),
        {"seconds": seconds},
    )
    db.session.commit()


def failures() -> dict[str, int]:
    """Kind of subject to the failures counted, all subjects of that kind together."""
    rows = db.session.execute(
        text("SELECT split_part(subject, ':', 1), sum(failures) FROM sign_in_throttle GROUP BY 1")
    )
    return {kind: int(count) for kind, count in rows}


def at(browser: Visitor, address: str = HERE) -> Visitor:
    browser.browser.environ_base["REMOTE_ADDR"] = address
    return browser


def from_here(visit: Visit, email: str, password: str = WRONG, address: str = HERE) -> TestResponse:
    """One try by somebody who has never signed in with that browser."""
    return sign_in(at(visit(None), address), email, password)


def fail(email: str, times: int, address: str = HERE) -> None:
    """As so many wrong sign-ins count, without their hashes."""
    for _ in range(times):
        throttle.register_attempt(throttle.subjects_of_sign_in(email, address, None))
        db.session.commit()


def known_browser(visit: Visit, email: str) -> Visitor:
    """Somebody has signed in and out again with it."""
    browser = at(visit(None))
    assert sign_in(browser, email).status_code == 302
    browser._token = None
    assert browser.post("/sign-out").status_code == 302
    browser._token = None
    return browser


def try_subject(kind: throttle.ThrottleKind) -> throttle.ThrottleDecision:
    verdict = throttle.register_attempt([ThrottleSubject(kind, "x")])
    db.session.commit()
    return verdict


def test_the_free_tries_cost_nothing_then_each_doubles_the_wait_up_to_a_lock(app: Flask) -> None:
    waits = []
    for _ in range(FREE_OF_PAIR + 12):
        verdict = try_subject(ACCOUNT_AND_ADDRESS)
        assert verdict.is_admitted
        waits.append(verdict.next_wait_seconds)
        let_pass(verdict.next_wait_seconds)

    assert waits == [0] * 5 + [2, 4, 8, 16, 32, 64, 128, 256, 512] + [MAX_LOCKOUT_SECONDS] * 3


def test_who_does_not_wait_is_refused_and_nothing_is_counted(app: Flask) -> None:
    for _ in range(FREE_OF_PAIR + 1):
        try_subject(ACCOUNT_AND_ADDRESS)
    before = failures()

    refused = try_subject(ACCOUNT_AND_ADDRESS)

    assert (refused.is_admitted, refused.blocked, refused.wait_seconds) == (False, {ACCOUNT_AND_ADDRESS}, 2)
    assert failures() == before
    let_pass(2)
    assert try_subject(ACCOUNT_AND_ADDRESS).is_admitted


def test_after_a_day_all_is_forgotten(app: Flask) -> None:
    for _ in range(FREE_OF_PAIR + 1):
        try_subject(ACCOUNT_AND_ADDRESS)
    let_pass(24 * 3600 + 1)

    assert try_subject(ACCOUNT_AND_ADDRESS).next_wait_seconds == 0
    assert failures() == {"pair": 1}


def test_a_thousand_at_once_get_no_further_than_one_after_the_other(make_app: Callable[..., Flask]) -> None:
    """The race: all have looked before any has failed. Here the count comes first, in rows that are locked."""
    app = make_app(db_pool_size=20)
    start = threading.Barrier(20)

    def one_try(_number: int) -> bool:
        with app.app_context():
            start.wait(20)
            verdict = throttle.register_attempt(
                [ThrottleSubject(ACCOUNT_AND_ADDRESS, "y"), ThrottleSubject(ADDRESS, "z")]
            )
            db.session.commit()
            return verdict.is_admitted

    with ThreadPoolExecutor(20) as pool:
        admitted = list(pool.map(one_try, range(20)))

    assert sum(admitted) == FREE_OF_PAIR + 1
    assert failures() == {"pair": FREE_OF_PAIR + 1, "address": 20}


def test_locked_looks_like_wrong_and_takes_as_long_without_a_hash(
    visit: Visit,
    cast: Cast,
    hashes: list[str],  # noqa: F811
) -> None:
    """Also for an account that does not exist: the lock tells nobody which do."""
    from_here(visit, cast.daniel.email)  # how long a wrong password takes is known from now on
    usual = min(verification._usual_seconds)
    for email in (cast.amelia.email, "nobody@firm.example"):
        fail(email, FREE_OF_PAIR + 1)
        hashes.clear()
        began = time.monotonic()
        locked_and_wrong, locked_and_right = from_here(visit, email), from_here(visit, email, PASSWORD)
        assert time.monotonic() - began > 2 * usual
        assert hashes == []
        for answer in (locked_and_wrong, locked_and_right):
            assert (answer.status_code, WRONG_EMAIL_OR_PASSWORD in text_of(answer)) == (401, True)
            assert "Set-Cookie" not in answer.headers


def test_first_locked_try_of_a_process_is_hashed_because_no_other_time_is_known(
    visit: Visit,
    cast: Cast,
    hashes: list[str],  # noqa: F811
) -> None:
    verification._usual_seconds.clear()
    fail(cast.amelia.email, FREE_OF_PAIR + 1)

    assert [from_here(visit, cast.amelia.email, PASSWORD).status_code for _ in range(2)] == [401, 401]
    assert hashes == [PASSWORD]


def test_try_that_its_account_refuses_counts_against_its_address(visit: Visit, cast: Cast) -> None:
    """Or one account tried for ever would never be told to stop."""
    fail(cast.amelia.email, FREE_OF_PAIR + 1)
    from_here(visit, cast.amelia.email)
    assert failures() == {"account": FREE_OF_PAIR + 1, "address": FREE_OF_PAIR + 2, "pair": FREE_OF_PAIR + 1}

    fail(cast.amelia.email, ADDRESS.free)
    assert from_here(visit, cast.amelia.email).status_code == 429


def test_the_lock_ends_by_itself(visit: Visit, cast: Cast) -> None:
    fail(cast.amelia.email, FREE_OF_PAIR)
    from_here(visit, cast.amelia.email)
    assert from_here(visit, cast.amelia.email, PASSWORD).status_code == 401

    let_pass(2)
    assert from_here(visit, cast.amelia.email, PASSWORD).status_code == 302


def test_a_stranger_from_elsewhere_does_not_lock_the_pair_of_here(visit: Visit, cast: Cast) -> None:
    fail(cast.amelia.email, FREE_OF_PAIR + 5, ELSEWHERE)

    assert from_here(visit, cast.amelia.email, PASSWORD).status_code == 302


def test_strangers_everywhere_lock_the_account_but_not_its_owners_browser(visit: Visit, cast: Cast) -> None:
    """Guesses from ever new addresses are counted by account. Whoever has signed in before gets in all the same."""
    own = known_browser(visit, cast.amelia.email)
    for number in range(ACCOUNT.free + 1):
        fail(cast.amelia.email, 1, f"198.51.100.{number}")

    assert from_here(visit, cast.amelia.email, PASSWORD, address="192.0.2.1").status_code == 401
    assert sign_in(own, cast.amelia.email, PASSWORD).status_code == 302


def test_strangers_in_the_same_office_do_not_lock_its_people(visit: Visit, cast: Cast) -> None:
    own = known_browser(visit, cast.amelia.email)
    lock_address()

    assert sign_in(own, cast.amelia.email, PASSWORD).status_code == 302


def lock_address() -> None:
    for _ in range(ADDRESS.free + 8):
        throttle.register_attempt([ThrottleSubject(ADDRESS, HERE)])
        db.session.commit()
        let_pass(600)


def test_guessing_at_many_accounts_from_one_address_is_told_to_wait(
    visit: Visit,
    cast: Cast,
    hashes: list[str],  # noqa: F811
) -> None:
    """It says nothing of any account, and costs no hash."""
    for _ in range(ADDRESS.free + 6):
        throttle.register_attempt([ThrottleSubject(ADDRESS, HERE)])
        db.session.commit()
        db.session.execute(text("UPDATE sign_in_throttle SET blocked_until = NULL"))
    throttle.register_attempt([ThrottleSubject(ADDRESS, HERE)])
    db.session.commit()

    answer = from_here(visit, cast.amelia.email, PASSWORD)

    assert (answer.status_code, hashes) == (429, [])
    assert 0 < int(answer.headers["Retry-After"]) <= 128
    assert "There have been too many tries. Wait 3 minutes and try again." in text_of(answer)
    assert from_here(visit, cast.amelia.email, PASSWORD, address=ELSEWHERE).status_code == 302


def test_a_blocked_address_counts_against_no_account(visit: Visit, cast: Cast) -> None:
    """Or one address alone could hold the lock of an account for ever."""
    for _ in range(ADDRESS.free + 6):
        throttle.register_attempt([ThrottleSubject(ADDRESS, HERE)])
        db.session.execute(text("UPDATE sign_in_throttle SET blocked_until = now() + interval '1 hour'"))
        db.session.execute(text("UPDATE sign_in_throttle SET failures = 200"))
    db.session.commit()

    for _ in range(3):
        assert from_here(visit, cast.amelia.email).status_code == 429
    assert failures() == {"address": 200}


def test_a_stolen_mark_of_a_browser_is_counted_apart_from_strangers(visit: Visit, cast: Cast) -> None:
    own = known_browser(visit, cast.amelia.email)
    thief = at(visit(None), ELSEWHERE)
    thief.browser.set_cookie("kingston_device", own.browser.get_cookie("kingston_device").value)
    assert sign_in(thief, cast.amelia.email, "wrong").status_code == 401
    assert failures()["device"] == 1
    db.session.execute(text("UPDATE sign_in_throttle SET failures = :free"), {"free": throttle.DEVICE.free})
    db.session.commit()
    assert sign_in(thief, cast.amelia.email, "wrong").status_code == 401

    answer = sign_in(thief, cast.amelia.email, "wrong")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")


def test_a_forged_mark_or_that_of_another_account_is_none(visit: Visit, cast: Cast) -> None:
    browser = known_browser(visit, cast.daniel.email)
    sign_in(browser, cast.amelia.email, "wrong")
    assert failures() == {"account": 1, "address": 1, "pair": 1}

    for value in ("x", browser.browser.get_cookie("kingston_device").value[:-3] + "abc"):
        browser.browser.set_cookie("kingston_device", value)
        sign_in(browser, cast.daniel.email, "wrong")
    assert failures()["account"] == 3


def test_success_forgives_ones_own_failures_and_not_those_of_strangers(visit: Visit, cast: Cast) -> None:
    fail(cast.amelia.email, 3)
    fail(cast.amelia.email, 3, ELSEWHERE)
    assert failures() == {"account": 6, "address": 6, "pair": 6}

    from_here(visit, cast.amelia.email, PASSWORD)
    assert failures() == {"account": 6, "address": 6, "pair": 3}


@pytest.mark.parametrize(
    "email", ["AMELIA.hart@firm.example", " amelia.hart@firm.example ", "\u200eamelia.\ufeffhart@firm.example"]
)
def test_the_same_account_is_the_same_however_it_is_written(visit: Visit, cast: Cast, email: str) -> None:
    from_here(visit, cast.amelia.email)
    from_here(visit, email)

    assert db.session.scalar(text("SELECT count(*) FROM sign_in_throttle")) == 3


def test_no_e_mail_is_kept(visit: Visit, cast: Cast) -> None:
    """People type passwords into that field."""
    from_here(visit, "my-secret-password")

    assert "secret" not in str(db.session.execute(text("SELECT * FROM sign_in_throttle")).all())


def test_who_gets_no_place_to_hash_is_told_to_come_again_and_nothing_is_counted(
    visit: Visit, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One hash at a time in a lane: 64 MB each."""
    monkeypatch.setattr(attempt_queue, "MAX_WAIT_SECONDS", 0.05)
    with STRANGERS._hashing:
        answer = from_here(visit, cast.amelia.email, PASSWORD)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "Too many people are signing in just now." in text_of(answer)
    assert form_of(answer)["email"] == cast.amelia.email
    assert failures() == {"account": 0, "address": 0, "pair": 0}
    assert from_here(visit, cast.amelia.email, PASSWORD).status_code == 302


def test_the_purge_takes_what_is_a_day_old(visit: Visit, cast: Cast) -> None:
    from_here(visit, cast.amelia.email)
    let_pass(24 * 3600 + 1)
    from_here(visit, cast.daniel.email, address=ELSEWHERE)
    [job] = [job for job in JOBS if job.name == "throttle purge"]

    assert run_job(job) == 3
    assert failures() == {"account": 1, "address": 1, "pair": 1}


def test_the_purge_takes_an_address_after_an_hour(visit: Visit, cast: Cast) -> None:
    from_here(visit, cast.amelia.email)
    let_pass(3600 + 1)
    [job] = [job for job in JOBS if job.name == "throttle purge"]

    assert run_job(job) == 1
    assert failures() == {"account": 1, "pair": 1}


def test_the_table_is_bounded_and_keeps_what_locks(visit: Visit, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries at ever new accounts from ever new addresses fill it; those that lock an account or a profile stay."""
    monkeypatch.setattr(throttle, "MAX_ROWS", 20)
    monkeypatch.setattr(throttle, "TRIM_AFTER_ROWS", 10)
    fail(cast.amelia.email, ACCOUNT.free + 1)
    for kind in (throttle.CODE, throttle.KNOWN_CODE, throttle.DEVICE, throttle.REAUTHENTICATION):
        throttle.register_attempt([ThrottleSubject(kind, str(cast.amelia.id))])
    for number in range(50):
        fail(f"nobody{number}@firm.example", 1, f"198.51.100.{number}")
        throttle.keep_bounded()
        db.session.commit()

    assert db.session.scalar(text("SELECT count(*) FROM sign_in_throttle")) <= 4 + 20 + 10 + 2
    assert failures().items() >= {"code": 1, "known-code": 1, "device": 1, "again": 1}.items()
    assert from_here(visit, cast.amelia.email, PASSWORD).status_code == 401


def test_a_row_that_a_try_holds_keeps_neither_the_purge_nor_the_trim_waiting(
    app: Flask, make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "MAX_ROWS", 0)
    throttle.register_attempt([ThrottleSubject(ACCOUNT_AND_ADDRESS, "held")])
    db.session.commit()
    let_pass(24 * 3600 + 1)
    throttle.register_attempt([ThrottleSubject(ACCOUNT_AND_ADDRESS, "held")])
    [job] = [job for job in JOBS if job.name == "throttle purge"]
    with make_app().app_context():
        assert run_job(job) == 0
    db.session.commit()
    assert run_job(job) == 1


def test_an_ipv6_customer_is_one_address(visit: Visit, cast: Cast) -> None:
    for number in range(3):
        fail(cast.amelia.email, 1, f"2001:db8:1:2::{number}")

    assert db.session.scalar(text("SELECT failures FROM sign_in_throttle WHERE subject LIKE 'address:%'")) == 3


def test_every_worker_counts_with_the_others(make_app: Callable[..., Flask], visit: Visit, cast: Cast) -> None:
    other_worker = visitors_of(make_app())
    fail(cast.amelia.email, FREE_OF_PAIR - 1)
    from_here(visit, cast.amelia.email)
    from_here(other_worker, cast.amelia.email)

    assert from_here(visit, cast.amelia.email, PASSWORD).status_code == 401
    assert from_here(other_worker, cast.amelia.email, PASSWORD).status_code == 401
