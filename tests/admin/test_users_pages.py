"""The users pages: what an administrator does to others, and that it is in the audit."""

import re

import pytest
from sqlalchemy import select

from portal.audit import AuditEvent
from portal.auth import Profile
from portal.auth.mfa import totp
from portal.auth.mfa.one_time_codes import OneTimeCode
from portal.extensions import db
from portal.web.pagination import PAGE_SIZE
from tests.auth.test_choose_password import choose
from tests.auth.test_second_factor import set_up
from tests.auth.test_sign_in import sign_in
from tests.auth.test_throttle import fail
from tests.support.cast import PASSWORD, Cast, make_profile
from tests.support.html import errors_of, text_of
from tests.support.test_client import Visitor

Visit = type[Visitor]
ZOE = {"first_name": "Zoë", "last_name": "O'Brien", "email": "zoe@firm.example", "role": "reader"}


@pytest.fixture
def ada(visit: Visit, cast: Cast) -> Visitor:
    return visit(cast.ada)


def events() -> list[tuple[str, int | None, int | None]]:
    query = select(AuditEvent.event, AuditEvent.actor_id, AuditEvent.profile_id).order_by(AuditEvent.id)
    return [tuple(row) for row in db.session.execute(query)]


def test_the_list_shows_everybody_and_finds_some(ada: Visitor, cast: Cast) -> None:
    set_up(cast.rhys)
    page = text_of(ada.get("/users"))
    assert "5 users" in page
    assert page.index("Ada Byron") < page.index("Amelia Hart") < page.index("Olga Petrova")
    assert "Olga Petrova olga.petrova@firm.example · Adviser, deactivated" in page

    assert "1 user found" in text_of(ada.get("/users?q=RHYS"))
    assert "No user’s name or email has “nobody” in it." in text_of(ada.get("/users?q=nobody"))
    assert ada.get("/users?q=%00%25_").status_code == 200


def test_a_long_list_comes_in_pages_that_remember_the_search(ada: Visitor) -> None:
    for number in range(PAGE_SIZE + 3):
        make_profile(f"Viewer{number:02}", "Many")
    first, last = ada.get("/users?q=many"), ada.get("/users?q=many&page=2")

    assert "28 users found" in text_of(first)
    assert "1–25 of 28" in text_of(first)
    assert 'href="/users?q=many&amp;page=2"' in first.text
    names = re.findall(r"Viewer\d\d Many", text_of(first)) + re.findall(r"Viewer\d\d Many", text_of(last))
    assert names == [f"Viewer{number:02} Many" for number in range(28)]
    assert 'href="/users?q=many"' in last.text  # back to the first
    assert "26–28 of 28" in text_of(ada.get("/users?q=many&page=99"))


def test_a_new_user_chooses_a_password_with_the_code_that_is_shown_once(ada: Visitor, visit: Visit, cast: Cast) -> None:
    answer = ada.post("/users/new", data=ZOE)

    assert answer.status_code == 200
    [code] = re.findall(r"(?:[a-z0-9]{4}-){6}[a-z0-9]{4}", answer.text)
    zoe = db.session.scalars(select(Profile).where(Profile.email == "zoe@firm.example")).one()
    assert (zoe.full_name, zoe.role, zoe.password_hash) == ("Zoë O'Brien", "reader", None)
    assert choose(visit, "zoe@firm.example", code).status_code == 302
    assert sign_in(visit(None), "zoe@firm.example", "seven green bottles").status_code == 302
    assert events()[:2] == [("profile_added", cast.ada.id, zoe.id), ("password_code_made", cast.ada.id, zoe.id)]


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"email": "AMELIA.hart@firm.example"}, "email", "is taken"),
        ({"email": "no email"}, "email", "is not an email address"),
        ({"first_name": ""}, "first_name", "Enter the first name."),
        ({"first_name": "a\x07b"}, "first_name", "an invisible control character (U+0007) after “a”"),
        ({"first_name": "\u200b\ufeff\u3164"}, "first_name", "visible characters"),
        ({"last_name": "\u2800\u115f"}, "last_name", "visible characters"),
        ({"last_name": "x" * 101}, "last_name", "100"),
        ({"role": "king"}, "role", "Not a valid choice."),
    ],
)
def test_a_bad_field_is_named_and_nobody_is_added(
    ada: Visitor, changes: dict[str, str], field: str, problem: str
) -> None:
    answer = ada.post("/users/new", data={**ZOE, **changes})

    assert answer.status_code == 422
    assert problem in errors_of(answer)[field]
    assert db.session.scalar(select(Profile).where(Profile.email == "zoe@firm.example")) is None


@pytest.mark.parametrize("mark", [*"\u200e\u200f\u061c\ufeff\u202e\U000e0041"])
def test_name_is_kept_without_marks_that_nobody_sees(ada: Visitor, mark: str) -> None:
    """Or two users could bear what looks like one name."""
    ada.post("/users/new", data={**ZOE, "first_name": f"{mark}Zo{mark}e", "last_name": f"Hall{mark}"})

    assert db.session.scalars(select(Profile).where(Profile.email == "zoe@firm.example")).one().full_name == "Zoe Hall"


@pytest.mark.parametrize(
    ("act", "event", "ends_sessions"),
    [
        ("deactivate", "profile_deactivated", True),
        ("activate", "profile_activated", True),
        ("role", "role_changed", True),
        ("reset-second-factor", "second_factor_reset", True),
        ("sign-out", "sessions_ended", True),
        ("unlock", "unlocked", False),
        ("password-code", "password_code_made", False),
    ],
)
def test_what_is_done_is_in_the_audit_and_may_end_the_sessions(
    ada: Visitor, visit: Visit, cast: Cast, act: str, event: str, ends_sessions: bool
) -> None:
    browser = visit(cast.amelia)

    answer = ada.post(f"/users/{cast.amelia.id}/{act}", data={"role": "admin"})

    assert answer.status_code in (200, 302)
    assert events() == [(event, cast.ada.id, cast.amelia.id)]
    assert browser.get("/clients").status_code == (302 if ends_sessions else 200)


def test_a_role_is_what_one_may_do_from_the_next_sign_in_on(ada: Visitor, visit: Visit, cast: Cast) -> None:
    ada.post(f"/users/{cast.rhys.id}/role", data={"role": "admin"})

    assert visit(cast.rhys).get("/users").status_code == 200
    [event] = db.session.scalars(select(AuditEvent))
    assert event.about == {"before": "reader", "after": "admin"}
    assert ada.post(f"/users/{cast.rhys.id}/role", data={"role": "king"}).status_code == 422


def test_somebody_deactivated_is_out_and_shut_out(ada: Visitor, visit: Visit, cast: Cast) -> None:
    ada.post(f"/users/{cast.amelia.id}/deactivate")
    assert sign_in(visit(None), cast.amelia.email, PASSWORD).status_code == 401

    ada.post(f"/users/{cast.amelia.id}/activate")
    assert sign_in(visit(None), cast.amelia.email, PASSWORD).status_code == 302


def test_a_lost_phone(ada: Visitor, visit: Visit, cast: Cast) -> None:
    set_up(cast.amelia)
    ada.post(f"/users/{cast.amelia.id}/reset-second-factor")

    assert not totp.is_set_up(cast.amelia.id)
    assert sign_in(visit(None), cast.amelia.email, PASSWORD).headers["Location"] == "/clients"


def test_unlocking_lets_try_again_at_once(ada: Visitor, visit: Visit, cast: Cast) -> None:
    fail(cast.amelia.email, 6, "127.0.0.1")
    assert sign_in(visit(None), cast.amelia.email, PASSWORD).status_code == 401

    ada.post(f"/users/{cast.amelia.id}/unlock")
    assert sign_in(visit(None), cast.amelia.email, PASSWORD).status_code == 302


@pytest.mark.parametrize("act", ["role", "deactivate", "activate", "reset-second-factor", "password-code", "unlock"])
def test_nobody_does_it_to_oneself(ada: Visitor, cast: Cast, act: str) -> None:
    """There would soon be no administrator left, or an open session would be enough for a new password."""
    answer = ada.post(f"/users/{cast.ada.id}/{act}", data={"role": "reader"})

    assert (answer.status_code, "Another administrator must do this" in text_of(answer)) == (403, True)
    assert (cast.ada.role, cast.ada.is_active, events()) == ("admin", True, [])
    assert f"/users/{cast.ada.id}/{act}" not in ada.get(f"/users/{cast.ada.id}").text
    assert db.session.scalar(select(OneTimeCode)) is None


@pytest.mark.parametrize("path", ["/users/999999", "/users/0", "/users/99999999999", "/users/x"])
def test_a_user_that_is_not_there_is_404(ada: Visitor, path: str) -> None:
    assert ada.get(path).status_code == 404


def test_only_administrators_find_the_way_there(visit: Visit, cast: Cast) -> None:
    assert 'href="/users"' in visit(cast.ada).get("/clients").text
    for somebody in (cast.amelia, cast.rhys):
        assert 'href="/users"' not in visit(somebody).get("/clients").text
