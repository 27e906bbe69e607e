"""Test the users pages: the actions of administrators, and that each is recorded in the audit log."""

import re

import pytest
from sqlalchemy import select

from portal.audit import AuditEvent
from portal.auth import Profile
from portal.auth.mfa import totp
from portal.auth.mfa.one_time_codes import OneTimeCode
from portal.extensions import db
from portal.web.pagination import PAGE_SIZE
from tests.support.cast import PASSWORD, Cast, make_profile
from tests.support.html import errors_of, text_of
from tests.support.sign_in import choose_password, enrol_second_factor, register_failures, sign_in
from tests.support.test_client import Visitor

Visit = type[Visitor]
ZOE = {"first_name": "Zoë", "last_name": "O'Brien", "email": "zoe@firm.example", "role": "reader"}


@pytest.fixture
def ada(visit: Visit, cast: Cast) -> Visitor:
    return visit(cast.ada)


def events() -> list[tuple[str, int | None, int | None]]:
    query = select(AuditEvent.event, AuditEvent.actor_id, AuditEvent.profile_id).order_by(AuditEvent.id)
    return [tuple(row) for row in db.session.execute(query)]


def test_user_list_shows_all_users_and_searches_them(ada: Visitor, cast: Cast) -> None:
    enrol_second_factor(cast.rhys)
    page = text_of(ada.get("/users"))
    assert "5 users" in page
    assert page.index("Ada Byron") < page.index("Amelia Hart") < page.index("Olga Petrova")
    assert "Olga Petrova olga.petrova@firm.example · Adviser, deactivated" in page

    assert "1 user found" in text_of(ada.get("/users?q=RHYS"))
    assert "No user’s name or email has “nobody” in it." in text_of(ada.get("/users?q=nobody"))
    assert ada.get("/users?q=%00%25_").status_code == 200


def test_long_user_list_has_pages_that_keep_the_search(ada: Visitor) -> None:
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


def test_new_user_chooses_a_password_with_the_code_shown_once(ada: Visitor, visit: Visit, cast: Cast) -> None:
    answer = ada.post("/users/new", data=ZOE)

    assert answer.status_code == 200
    [code] = re.findall(r"(?:[a-z0-9]{4}-){6}[a-z0-9]{4}", answer.text)
    zoe = db.session.scalars(select(Profile).where(Profile.email == "zoe@firm.example")).one()
    assert (zoe.full_name, zoe.role, zoe.password_hash) == ("Zoë O'Brien", "reader", None)
    assert choose_password(visit, "zoe@firm.example", code).status_code == 302
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
def test_invalid_field_is_named_and_no_user_is_added(
    ada: Visitor, changes: dict[str, str], field: str, problem: str
) -> None:
    answer = ada.post("/users/new", data={**ZOE, **changes})

    assert answer.status_code == 422
    assert problem in errors_of(answer)[field]
    assert db.session.scalar(select(Profile).where(Profile.email == "zoe@firm.example")) is None


@pytest.mark.parametrize("mark", [*"\u200e\u200f\u061c\ufeff\u202e\U000e0041"])
def test_name_is_stored_without_invisible_characters(ada: Visitor, mark: str) -> None:
    """Otherwise two users could have names that look the same."""
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
def test_action_is_recorded_and_ends_sessions_where_it_must(
    ada: Visitor, visit: Visit, cast: Cast, act: str, event: str, ends_sessions: bool
) -> None:
    browser = visit(cast.amelia)

    answer = ada.post(f"/users/{cast.amelia.id}/{act}", data={"role": "admin"})

    assert answer.status_code in (200, 302)
    assert events() == [(event, cast.ada.id, cast.amelia.id)]
    assert browser.get("/clients").status_code == (302 if ends_sessions else 200)


def test_new_role_applies_from_the_next_sign_in(ada: Visitor, visit: Visit, cast: Cast) -> None:
    ada.post(f"/users/{cast.rhys.id}/role", data={"role": "admin"})

    assert visit(cast.rhys).get("/users").status_code == 200
    [event] = db.session.scalars(select(AuditEvent))
    assert event.about == {"before": "reader", "after": "admin"}
    assert ada.post(f"/users/{cast.rhys.id}/role", data={"role": "king"}).status_code == 422


def test_deactivated_user_is_signed_out_and_cannot_sign_in(ada: Visitor, visit: Visit, cast: Cast) -> None:
    ada.post(f"/users/{cast.amelia.id}/deactivate")
    assert sign_in(visit(None), cast.amelia.email, PASSWORD).status_code == 401

    ada.post(f"/users/{cast.amelia.id}/activate")
    assert sign_in(visit(None), cast.amelia.email, PASSWORD).status_code == 302


def test_resetting_the_second_factor_allows_sign_in_with_the_password(ada: Visitor, visit: Visit, cast: Cast) -> None:
    enrol_second_factor(cast.amelia)
    ada.post(f"/users/{cast.amelia.id}/reset-second-factor")

    assert not totp.is_set_up(cast.amelia.id)
    assert sign_in(visit(None), cast.amelia.email, PASSWORD).headers["Location"] == "/"


def test_unlocked_user_can_sign_in_without_waiting(ada: Visitor, visit: Visit, cast: Cast) -> None:
    register_failures(cast.amelia.email, 6, "127.0.0.1")
    assert sign_in(visit(None), cast.amelia.email, PASSWORD).status_code == 401

    ada.post(f"/users/{cast.amelia.id}/unlock")
    assert sign_in(visit(None), cast.amelia.email, PASSWORD).status_code == 302


@pytest.mark.parametrize("act", ["role", "deactivate", "activate", "reset-second-factor", "password-code", "unlock"])
def test_administrator_cannot_change_their_own_account(ada: Visitor, cast: Cast, act: str) -> None:
    """Otherwise no administrator might remain, or an unattended session would be enough to set a new password."""
    answer = ada.post(f"/users/{cast.ada.id}/{act}", data={"role": "reader"})

    assert (answer.status_code, "Another administrator must do this" in text_of(answer)) == (403, True)
    assert (cast.ada.role, cast.ada.is_active, events()) == ("admin", True, [])
    assert f"/users/{cast.ada.id}/{act}" not in ada.get(f"/users/{cast.ada.id}").text
    assert db.session.scalar(select(OneTimeCode)) is None


@pytest.mark.parametrize("path", ["/users/999999", "/users/0", "/users/99999999999", "/users/x"])
def test_unknown_user_is_404(ada: Visitor, path: str) -> None:
    assert ada.get(path).status_code == 404


def test_only_administrators_see_the_links_to_the_pages(visit: Visit, cast: Cast) -> None:
    assert 'href="/users"' in visit(cast.ada).get("/clients").text
    for somebody in (cast.amelia, cast.rhys):
        assert 'href="/users"' not in visit(somebody).get("/clients").text
