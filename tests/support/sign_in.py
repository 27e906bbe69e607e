"""Sign in, choose a password and pass the second factor through the forms, and record failed attempts."""

from datetime import UTC, datetime, timedelta

import pyotp
from sqlalchemy import text
from werkzeug.test import TestResponse

from portal.auth import Profile, throttle
from portal.auth.mfa import totp
from portal.extensions import db
from tests.conftest import settings_for
from tests.support.cast import PASSWORD
from tests.support.html import form_of
from tests.support.test_client import Visitor

Visit = type[Visitor]
HERE, ELSEWHERE = "203.0.113.9", "198.51.100.7"
WRONG = "wrong"
GOOD_PASSWORD = "seven green bottles"
PASSWORD_CHANGE = {
    "password-current_password": PASSWORD,
    "password-new_password": GOOD_PASSWORD,
    "password-again": GOOD_PASSWORD,
}
SETTINGS = settings_for("postgresql://")


def sign_in(browser: Visitor, email: str, password: str = PASSWORD, query: str = "") -> TestResponse:
    """Open the sign-in page, fill in its form and submit it."""
    page = browser.get(f"/sign-in{query}")
    return browser.post(f"/sign-in{query}", data={**form_of(page), "email": email, "password": password})


def choose_password(
    visit: Visit, email: str, code: str, password: str = GOOD_PASSWORD, again: str | None = None
) -> TestResponse:
    """Submit the form of a user who has a code from an administrator."""
    browser = visit(None)
    form = form_of(browser.get("/choose-password"))
    typed = {"email": email, "code": code, "new_password": password, "again": password if again is None else again}
    return browser.post("/choose-password", data={**form, **typed})


def enrol_second_factor(profile: Profile) -> tuple[pyotp.TOTP, list[str]]:
    """Set up a second factor for the profile. Return its app and its recovery codes."""
    totp.begin_enrolment(profile.id, SETTINGS)
    authenticator = pyotp.TOTP(totp.pending_secret(profile.id, SETTINGS))
    codes = totp.confirm_enrolment(profile.id, authenticator.at(datetime.now(UTC) - timedelta(seconds=30)), SETTINGS)
    db.session.commit()
    return authenticator, codes


def pass_password_step(visit: Visit, email: str, query: str = "") -> Visitor:
    """Return a browser that has passed the password step."""
    browser = visit(None)
    answer = sign_in(browser, email, query=query)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in/")
    return browser


def enter_code(browser: Visitor, code: str, path: str = "/sign-in/code") -> TestResponse:
    """Submit a code of the second factor."""
    return browser.post(path, data={**form_of(browser.get(path)), "code": code})


def failures_by_kind() -> dict[str, int]:
    """Map each kind of subject to the sum of its failures."""
    rows = db.session.execute(
        text("SELECT split_part(subject, ':', 1), sum(failures) FROM sign_in_throttle GROUP BY 1")
    )
    return {kind: int(count) for kind, count in rows}


def use_address(browser: Visitor, address: str = HERE) -> Visitor:
    """Let the browser call from an address."""
    browser.browser.environ_base["REMOTE_ADDR"] = address
    return browser


def attempt_sign_in(visit: Visit, email: str, password: str = WRONG, address: str = HERE) -> TestResponse:
    """Attempt to sign in from an unknown browser."""
    return sign_in(use_address(visit(None), address), email, password)


def register_failures(email: str, times: int, address: str = HERE) -> None:
    """Count failed attempts without hashing passwords."""
    for _ in range(times):
        throttle.register_attempt(throttle.sign_in_subjects(email, address, None))
        db.session.commit()


def trusted_browser(visit: Visit, email: str) -> Visitor:
    """Return a browser that has signed in and out before."""
    browser = use_address(visit(None))
    assert sign_in(browser, email).status_code == 302
    browser._token = None
    assert browser.post("/sign-out").status_code == 302
    browser._token = None
    return browser
