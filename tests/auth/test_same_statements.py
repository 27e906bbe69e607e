"""Test that an attempt executes the same statements whether the account exists or not."""

import re

import pytest

from portal.auth import Profile
from portal.auth.mfa import one_time_codes
from portal.extensions import db
from tests.support.cast import PASSWORD, Cast
from tests.support.html import form_of
from tests.support.postgres_proxy import Wiretap
from tests.support.sign_in import GOOD_PASSWORD
from tests.support.test_client import Visitor

Visit = type[Visitor]
LITERAL = re.compile(r"E?'(?:[^']|'')*'|\b\d+\b|NULL")


def statements(visit: Visit, wiretap: Wiretap, path: str, **typed: str) -> tuple[int, list[str]]:
    """Return the status of an attempt and all its statements, COMMIT and ping included, with `?` for each value."""
    browser = visit(None)
    browser.get("/readyz")  # opens the connection, whose own statements are not compared
    form = {**form_of(browser.get(path)), **typed}
    with wiretap.listening() as heard:
        answer = browser.post(path, data=form)
    return answer.status_code, [LITERAL.sub("?", statement) for statement in heard]


@pytest.fixture
def without_password(cast: Cast) -> Profile:
    profile = Profile(first_name="No", last_name="Password", email="none@firm.example", role="adviser")
    db.session.add(profile)
    db.session.commit()
    return profile


def test_sign_in_executes_the_same_statements_for_unknown_wrong_and_deactivated(
    tapped_visit: Visit, wiretap: Wiretap, cast: Cast, without_password: Profile
) -> None:
    tries = [
        statements(tapped_visit, wiretap, "/sign-in", email=email, password=password)
        for email, password in (
            ("nobody@firm.example", PASSWORD),
            (cast.amelia.email, "wrong"),
            (cast.olga.email, "wrong"),
            (cast.olga.email, PASSWORD),
            (without_password.email, PASSWORD),
        )
    ]

    assert len(tries[0][1]) > 5
    for other in tries[1:]:
        assert other == tries[0]


def test_choosing_a_password_executes_the_same_statements_for_unknown_and_wrong(
    tapped_visit: Visit, wiretap: Wiretap, cast: Cast
) -> None:
    code = one_time_codes.create_password_code(cast.amelia.id)
    db.session.commit()
    tries = [
        statements(
            tapped_visit,
            wiretap,
            "/choose-password",
            email=email,
            code=typed,
            new_password=GOOD_PASSWORD,
            again=GOOD_PASSWORD,
        )
        for email, typed in (
            ("nobody@firm.example", code),
            (cast.amelia.email, "aaaa-bbbb"),
            (cast.daniel.email, code),
            (cast.olga.email, code),
        )
    ]

    assert len(tries[0][1]) > 5
    for other in tries[1:]:
        assert other == tries[0]
