"""Test the throttling of sign-in attempts, and that an attacker cannot lock out the account's owner."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import text

from portal.auth import attempt_queue, throttle, verification
from portal.auth.attempt_queue import UNKNOWN_BROWSERS
from portal.auth.throttle import ACCOUNT, ACCOUNT_AND_ADDRESS, ADDRESS, MAX_LOCKOUT_SECONDS, ThrottleSubject
from portal.auth.views.sign_in import WRONG_EMAIL_OR_PASSWORD
from portal.extensions import db
from portal.jobs import JOBS, run_job
from tests.support.cast import PASSWORD, Cast
from tests.support.databases import with_statistics_of_empty_table
from tests.support.html import form_of, text_of
from tests.support.sign_in import (
    ELSEWHERE,
    HERE,
    attempt_sign_in,
    failures_by_kind,
    register_failures,
    sign_in,
    trusted_browser,
    use_address,
)
from tests.support.test_client import Visitor, visitors_of

Visit = type[Visitor]
FREE_OF_PAIR = ACCOUNT_AND_ADDRESS.free_attempts


def let_pass(seconds: float) -> None:
    """Let time pass for each subject."""
    db.session.execute(
        text(
            "UPDATE sign_in_throttle SET last_failed_at = last_failed_at - make_interval(secs => :seconds),"
            " blocked_until = blocked_until - make_interval(secs => :seconds)"
        ),
        {"seconds": seconds},
    )
    db.session.commit()


def try_subject(kind: throttle.ThrottleKind) -> throttle.ThrottleDecision:
    decision = throttle.register_attempt([ThrottleSubject(kind, "x")])
    db.session.commit()
    return decision


def test_failures_after_the_free_attempts_double_the_wait_up_to_the_lock(app: Flask) -> None:
    waits = []
    for _ in range(FREE_OF_PAIR + 12):
        decision = try_subject(ACCOUNT_AND_ADDRESS)
        assert decision.is_admitted
        waits.append(decision.next_wait_seconds)
        let_pass(decision.next_wait_seconds)

    assert waits == [0] * 5 + [2, 4, 8, 16, 32, 64, 128, 256, 512] + [MAX_LOCKOUT_SECONDS] * 3


def test_blocked_attempt_is_rejected_and_not_counted(app: Flask) -> None:
    for _ in range(FREE_OF_PAIR + 1):
        try_subject(ACCOUNT_AND_ADDRESS)
    before = failures_by_kind()

    refused = try_subject(ACCOUNT_AND_ADDRESS)

    assert (refused.is_admitted, refused.blocked, refused.wait_seconds) == (False, {ACCOUNT_AND_ADDRESS}, 2)
    assert failures_by_kind() == before
    let_pass(2)
    assert try_subject(ACCOUNT_AND_ADDRESS).is_admitted


def test_failures_are_forgotten_after_a_day(app: Flask) -> None:
    for _ in range(FREE_OF_PAIR + 1):
        try_subject(ACCOUNT_AND_ADDRESS)
    let_pass(24 * 3600 + 1)

    assert try_subject(ACCOUNT_AND_ADDRESS).next_wait_seconds == 0
    assert failures_by_kind() == {"pair": 1}


def test_concurrent_attempts_do_not_exceed_the_limit(make_app: Callable[..., Flask]) -> None:
    """The race: each attempt checks the limit before any has failed. Locked counters prevent it."""
    app = make_app(db_pool_size=20)
    start = threading.Barrier(20)

    def one_try(_number: int) -> bool:
        with app.app_context():
            start.wait(20)
            decision = throttle.register_attempt(
                [ThrottleSubject(ACCOUNT_AND_ADDRESS, "y"), ThrottleSubject(ADDRESS, "z")]
            )
            db.session.commit()
            return decision.is_admitted

    with ThreadPoolExecutor(20) as pool:
        admitted = list(pool.map(one_try, range(20)))

    assert sum(admitted) == FREE_OF_PAIR + 1
    assert failures_by_kind() == {"pair": FREE_OF_PAIR + 1, "address": 20}


def test_locked_account_responds_like_a_wrong_password_without_hashing(
    visit: Visit,
    cast: Cast,
    hashes: list[str],
) -> None:
    """The same holds for unknown accounts, so that the lock does not reveal which exist."""
    attempt_sign_in(visit, cast.daniel.email)  # measures how long a wrong password takes
    usual = min(verification._recent_check_seconds)
    for email in (cast.amelia.email, "nobody@firm.example"):
        register_failures(email, FREE_OF_PAIR + 1)
        hashes.clear()
        began = time.monotonic()
        locked_and_wrong, locked_and_right = attempt_sign_in(visit, email), attempt_sign_in(visit, email, PASSWORD)
        assert time.monotonic() - began > 2 * usual
        assert hashes == []
        for answer in (locked_and_wrong, locked_and_right):
            assert (answer.status_code, WRONG_EMAIL_OR_PASSWORD in text_of(answer)) == (401, True)
            assert "Set-Cookie" not in answer.headers


def test_first_blocked_attempt_of_a_process_is_hashed_to_measure_the_time(
    visit: Visit,
    cast: Cast,
    hashes: list[str],
) -> None:
    verification._recent_check_seconds.clear()
    register_failures(cast.amelia.email, FREE_OF_PAIR + 1)

    assert [attempt_sign_in(visit, cast.amelia.email, PASSWORD).status_code for _ in range(2)] == [401, 401]
    assert hashes == [PASSWORD]


def test_attempt_blocked_by_its_account_counts_for_its_address(visit: Visit, cast: Cast) -> None:
    """Otherwise endless attempts at one account would never block their address."""
    register_failures(cast.amelia.email, FREE_OF_PAIR + 1)
    attempt_sign_in(visit, cast.amelia.email)
    assert failures_by_kind() == {"account": FREE_OF_PAIR + 1, "address": FREE_OF_PAIR + 2, "pair": FREE_OF_PAIR + 1}

    register_failures(cast.amelia.email, ADDRESS.free_attempts)
    assert attempt_sign_in(visit, cast.amelia.email).status_code == 429


def test_lock_ends_by_itself(visit: Visit, cast: Cast) -> None:
    register_failures(cast.amelia.email, FREE_OF_PAIR)
    attempt_sign_in(visit, cast.amelia.email)
    assert attempt_sign_in(visit, cast.amelia.email, PASSWORD).status_code == 401

    let_pass(2)
    assert attempt_sign_in(visit, cast.amelia.email, PASSWORD).status_code == 302


def test_failures_from_another_address_do_not_block_this_one(visit: Visit, cast: Cast) -> None:
    register_failures(cast.amelia.email, FREE_OF_PAIR + 5, ELSEWHERE)

    assert attempt_sign_in(visit, cast.amelia.email, PASSWORD).status_code == 302


def test_account_locked_from_many_addresses_stays_open_to_a_trusted_browser(visit: Visit, cast: Cast) -> None:
    """Attempts from many addresses are counted by account. A trusted browser can sign in all the same."""
    own = trusted_browser(visit, cast.amelia.email)
    for number in range(ACCOUNT.free_attempts + 1):
        register_failures(cast.amelia.email, 1, f"198.51.100.{number}")

    assert attempt_sign_in(visit, cast.amelia.email, PASSWORD, address="192.0.2.1").status_code == 401
    assert sign_in(own, cast.amelia.email, PASSWORD).status_code == 302


def test_failures_from_a_shared_address_do_not_block_trusted_browsers(visit: Visit, cast: Cast) -> None:
    own = trusted_browser(visit, cast.amelia.email)
    lock_address()

    assert sign_in(own, cast.amelia.email, PASSWORD).status_code == 302


def lock_address() -> None:
    for _ in range(ADDRESS.free_attempts + 8):
        throttle.register_attempt([ThrottleSubject(ADDRESS, HERE)])
        db.session.commit()
        let_pass(600)


def test_address_that_tries_many_accounts_must_wait(
    visit: Visit,
    cast: Cast,
    hashes: list[str],
) -> None:
    """The response reveals nothing about an account, and no password is hashed."""
    for _ in range(ADDRESS.free_attempts + 6):
        throttle.register_attempt([ThrottleSubject(ADDRESS, HERE)])
        db.session.commit()
        db.session.execute(text("UPDATE sign_in_throttle SET blocked_until = NULL"))
    throttle.register_attempt([ThrottleSubject(ADDRESS, HERE)])
    db.session.commit()

    answer = attempt_sign_in(visit, cast.amelia.email, PASSWORD)

    assert (answer.status_code, hashes) == (429, [])
    assert 0 < int(answer.headers["Retry-After"]) <= 128
    assert "Too many attempts. Wait 3 minutes and try again." in text_of(answer)
    assert attempt_sign_in(visit, cast.amelia.email, PASSWORD, address=ELSEWHERE).status_code == 302


def test_attempt_from_a_blocked_address_counts_for_no_account(visit: Visit, cast: Cast) -> None:
    """Otherwise one address could keep an account locked for ever."""
    for _ in range(ADDRESS.free_attempts + 6):
        throttle.register_attempt([ThrottleSubject(ADDRESS, HERE)])
        db.session.execute(text("UPDATE sign_in_throttle SET blocked_until = now() + interval '1 hour'"))
        db.session.execute(text("UPDATE sign_in_throttle SET failures = 200"))
    db.session.commit()

    for _ in range(3):
        assert attempt_sign_in(visit, cast.amelia.email).status_code == 429
    assert failures_by_kind() == {"address": 200}


def test_stolen_device_cookie_is_counted_apart_from_unknown_browsers(visit: Visit, cast: Cast) -> None:
    own = trusted_browser(visit, cast.amelia.email)
    thief = use_address(visit(None), ELSEWHERE)
    thief.browser.set_cookie("kingston_device", own.browser.get_cookie("kingston_device").value)
    assert sign_in(thief, cast.amelia.email, "wrong").status_code == 401
    assert failures_by_kind()["device"] == 1
    db.session.execute(text("UPDATE sign_in_throttle SET failures = :free"), {"free": throttle.DEVICE.free_attempts})
    db.session.commit()
    assert sign_in(thief, cast.amelia.email, "wrong").status_code == 401

    answer = sign_in(thief, cast.amelia.email, "wrong")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")


def test_forged_or_foreign_device_cookie_is_not_trusted(visit: Visit, cast: Cast) -> None:
    browser = trusted_browser(visit, cast.daniel.email)
    sign_in(browser, cast.amelia.email, "wrong")
    assert failures_by_kind() == {"account": 1, "address": 1, "pair": 1}

    for value in ("x", browser.browser.get_cookie("kingston_device").value[:-3] + "abc"):
        browser.browser.set_cookie("kingston_device", value)
        sign_in(browser, cast.daniel.email, "wrong")
    assert failures_by_kind()["account"] == 3


def test_successful_sign_in_resets_only_its_own_failures(visit: Visit, cast: Cast) -> None:
    register_failures(cast.amelia.email, 3)
    register_failures(cast.amelia.email, 3, ELSEWHERE)
    assert failures_by_kind() == {"account": 6, "address": 6, "pair": 6}

    attempt_sign_in(visit, cast.amelia.email, PASSWORD)
    assert failures_by_kind() == {"account": 6, "address": 6, "pair": 3}


@pytest.mark.parametrize(
    "email", ["AMELIA.hart@firm.example", " amelia.hart@firm.example ", "\u200eamelia.\ufeffhart@firm.example"]
)
def test_spellings_of_an_email_share_one_counter(visit: Visit, cast: Cast, email: str) -> None:
    attempt_sign_in(visit, cast.amelia.email)
    attempt_sign_in(visit, email)

    assert db.session.scalar(text("SELECT count(*) FROM sign_in_throttle")) == 3


def test_throttle_table_contains_no_email(visit: Visit, cast: Cast) -> None:
    """Users type passwords into the email field by mistake."""
    attempt_sign_in(visit, "my-secret-password")

    assert "secret" not in str(db.session.execute(text("SELECT * FROM sign_in_throttle")).all())


def test_attempt_that_cannot_be_hashed_is_503_and_not_counted(
    visit: Visit, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each queue runs one hash at a time, because a hash needs 64 MB."""
    monkeypatch.setattr(attempt_queue, "MAX_WAIT_SECONDS", 0.05)
    with UNKNOWN_BROWSERS._hashing:
        answer = attempt_sign_in(visit, cast.amelia.email, PASSWORD)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "Too many people are signing in." in text_of(answer)
    assert form_of(answer)["email"] == cast.amelia.email
    assert failures_by_kind() == {"account": 0, "address": 0, "pair": 0}
    assert attempt_sign_in(visit, cast.amelia.email, PASSWORD).status_code == 302


def test_purge_deletes_rows_after_a_day(visit: Visit, cast: Cast) -> None:
    attempt_sign_in(visit, cast.amelia.email)
    let_pass(24 * 3600 + 1)
    attempt_sign_in(visit, cast.daniel.email, address=ELSEWHERE)
    [job] = [job for job in JOBS if job.name == "throttle purge"]

    assert run_job(job) == 3
    assert failures_by_kind() == {"account": 1, "address": 1, "pair": 1}


def test_purge_deletes_rows_of_addresses_after_an_hour(visit: Visit, cast: Cast) -> None:
    attempt_sign_in(visit, cast.amelia.email)
    let_pass(3600 + 1)
    [job] = [job for job in JOBS if job.name == "throttle purge"]

    assert run_job(job) == 1
    assert failures_by_kind() == {"account": 1, "pair": 1}


@pytest.mark.statements
def test_purge_and_trim_are_fast_also_with_the_statistics_of_an_emptied_table(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a flood of attempts the table is empty again, and the next flood comes before its next ANALYZE."""
    monkeypatch.setattr(throttle, "MAX_ROWS", 10)
    add = text("""
        INSERT INTO sign_in_throttle (subject, failures, last_failed_at)
        SELECT 'account:' || n, 1, now() - make_interval(days => CASE WHEN n % 2 = 0 THEN 2 ELSE 0 END)
        FROM generate_series(1, 3000) AS n""")
    with_statistics_of_empty_table("sign_in_throttle", add, {})
    db.session.execute(add)
    db.session.execute(text("SET LOCAL statement_timeout = '1s'"))

    assert throttle.purge(db.session.connection()) == 2990


def test_trim_bounds_the_table_and_keeps_locking_rows(
    visit: Visit, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attempts at many accounts from many addresses fill the table; rows that lock an account or a profile stay."""
    monkeypatch.setattr(throttle, "MAX_ROWS", 20)
    monkeypatch.setattr(throttle, "TRIM_AFTER_ROWS", 10)
    register_failures(cast.amelia.email, ACCOUNT.free_attempts + 1)
    for kind in (throttle.CODE, throttle.TRUSTED_CODE, throttle.DEVICE, throttle.REAUTHENTICATION):
        throttle.register_attempt([ThrottleSubject(kind, str(cast.amelia.id))])
    for number in range(50):
        register_failures(f"nobody{number}@firm.example", 1, f"198.51.100.{number}")
        throttle.trim_if_grown()
        db.session.commit()

    assert db.session.scalar(text("SELECT count(*) FROM sign_in_throttle")) <= 4 + 20 + 10 + 2
    assert failures_by_kind().items() >= {"code": 1, "known-code": 1, "device": 1, "again": 1}.items()
    assert attempt_sign_in(visit, cast.amelia.email, PASSWORD).status_code == 401


def test_purge_and_trim_skip_rows_locked_by_an_attempt(
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


def test_addresses_of_one_ipv6_network_share_a_counter(visit: Visit, cast: Cast) -> None:
    for number in range(3):
        register_failures(cast.amelia.email, 1, f"2001:db8:1:2::{number}")

    assert db.session.scalar(text("SELECT failures FROM sign_in_throttle WHERE subject LIKE 'address:%'")) == 3


def test_workers_share_the_counters(make_app: Callable[..., Flask], visit: Visit, cast: Cast) -> None:
    other_worker = visitors_of(make_app())
    register_failures(cast.amelia.email, FREE_OF_PAIR - 1)
    attempt_sign_in(visit, cast.amelia.email)
    attempt_sign_in(other_worker, cast.amelia.email)

    assert attempt_sign_in(visit, cast.amelia.email, PASSWORD).status_code == 401
    assert attempt_sign_in(other_worker, cast.amelia.email, PASSWORD).status_code == 401
