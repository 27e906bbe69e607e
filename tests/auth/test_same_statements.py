"""What a try costs the database does not tell whether there is such an account: the same statements in one order."""

import re

import pytest

from portal.auth import Profile
from portal.auth.mfa import one_time_codes
from portal.extensions import db
from tests.auth.test_choose_password import GOOD
from tests.support.cast import PASSWORD, Cast
from tests.support.html import form_of
from tests.support.postgres_proxy import Wiretap
from tests.support.test_client import Visitor

Visit = type[Visitor]
LITERAL = re.compile(r"E?'(?:[^']|'')*'|\b\d+\b|NULL")


def statements(visit: Visit, wiretap: Wiretap, path: str, **typed: str) -> tuple[int, list[str]]:
    """The status of a try, and what crossed the wire for it: COMMIT and ping too, each value as a question mark."""
    browser = visit(None)
    browser.get("/readyz")  # what a new connection says is no part of it
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


def test_signing_in_costs_unknown_wrong_and_deactivated_the_same(
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


def test_choosing_a_password_costs_unknown_and_wrong_the_same(
    tapped_visit: Visit, wiretap: Wiretap, cast: Cast
) -> None:
    code = one_time_codes.make_password_code(cast.amelia.id)
    db.session.commit()
    tries = [
        statements(tapped_visit, wiretap, "/choose-password", email=email, code=typed, new_password=GOOD, again=GOOD)
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
