"""Change the name and email of a user: with the password, over no other administrator's change, and audited."""

import re

import pytest
from sqlalchemy import select

from portal.audit import AuditEvent
from portal.auth import administration, profiles
from portal.auth.sessions.store import SignInSession
from portal.errors import InvalidInput
from portal.extensions import db
from portal.web.actor import UNKNOWN_ACTOR
from tests.support.cast import PASSWORD, Cast
from tests.support.html import errors_of, form_of, links_of, text_of
from tests.support.sign_in import sign_in
from tests.support.test_client import Visitor

Visit = type[Visitor]
TAKEN = "email: daniel.okafor@firm.example is taken"


@pytest.fixture
def ada(visit: Visit, cast: Cast) -> Visitor:
    return visit(cast.ada)


@pytest.fixture
def path(cast: Cast) -> str:
    return f"/users/{cast.amelia.id}/details"


def events() -> list[tuple[str, int | None, int | None]]:
    query = select(AuditEvent.event, AuditEvent.actor_id, AuditEvent.profile_id).order_by(AuditEvent.id)
    return [tuple(row) for row in db.session.execute(query)]


def opened(ada: Visitor, path: str) -> dict[str, str]:
    return {**form_of(ada.get(path)), "current_password": PASSWORD}


def test_new_name_and_email_are_saved_and_audited(ada: Visitor, visit: Visit, cast: Cast, path: str) -> None:
    amelia = visit(cast.amelia)
    assert path in links_of(ada.get(f"/users/{cast.amelia.id}"))
    form = opened(ada, path)
    assert (form["first_name"], form["email"]) == ("Amelia", "amelia.hart@firm.example")

    answer = ada.post(path, data={**form, "last_name": " Jones ", "email": "amelia.jones@FIRM.example"})

    assert answer.headers["Location"] == f"/users/{cast.amelia.id}"
    assert (cast.amelia.full_name, cast.amelia.email) == ("Amelia Jones", "amelia.jones@firm.example")
    assert [event for event in events() if event[2] == cast.amelia.id] == [
        ("profile_renamed", cast.ada.id, cast.amelia.id),
        ("email_changed", cast.ada.id, cast.amelia.id),
    ]
    assert "Amelia Jones" in text_of(amelia.get("/clients"))  # her session goes on
    assert sign_in(visit(None), "amelia.jones@firm.example").status_code == 302
    assert sign_in(visit(None), "amelia.hart@firm.example").status_code == 401


def test_same_values_change_and_record_nothing(ada: Visitor, cast: Cast, path: str) -> None:
    ada.post(path, data=opened(ada, path))

    assert "Nothing was changed." in text_of(ada.get(f"/users/{cast.amelia.id}"))
    assert events() == []


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"email": "DANIEL.okafor@firm.example"}, "email", "is taken"),
        ({"email": "nobody"}, "email", "is not an email address"),
        ({"first_name": "\u200b"}, "first_name", "visible characters"),
        ({"last_name": ""}, "last_name", "Enter the last name."),
        ({"current_password": "wrong"}, "current_password", "is not your password"),
        ({"current_password": ""}, "current_password", "Enter your password."),
    ],
)
def test_wrong_input_keeps_what_was_typed_and_changes_nothing(
    ada: Visitor, cast: Cast, path: str, changes: dict[str, str], field: str, problem: str
) -> None:
    answer = ada.post(path, data={**opened(ada, path), "first_name": "Mel", **changes})

    assert answer.status_code == 422
    assert problem in errors_of(answer)[field]
    assert form_of(answer)["first_name"] == changes.get("first_name", "Mel")
    db.session.refresh(cast.amelia)
    assert cast.amelia.first_name == "Amelia"


def test_change_of_another_administrator_is_not_overwritten(ada: Visitor, cast: Cast, path: str) -> None:
    form = opened(ada, path)
    administration.change_details(
        UNKNOWN_ACTOR, cast.amelia, first_name="Amelia", last_name="Jones", email="a@firm.example"
    )
    db.session.commit()

    answer = ada.post(path, data={**form, "first_name": "Mel"})

    assert answer.status_code == 409
    assert "Another administrator has changed this user. Saved now: Amelia Jones, a@firm.example." in text_of(answer)
    kept = form_of(answer)
    assert (kept["first_name"], kept["last_name"], kept["email"]) == ("Mel", form["last_name"], form["email"])
    assert kept.get("current_password", "") == ""
    db.session.refresh(cast.amelia)
    assert (cast.amelia.full_name, cast.amelia.email) == ("Amelia Jones", "a@firm.example")
    ada.post(path, data={**kept, "last_name": "Jones", "current_password": PASSWORD})
    db.session.refresh(cast.amelia)
    assert cast.amelia.full_name == "Mel Jones"


def test_email_that_is_taken_between_check_and_write_is_422(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiles, "find_by_email", lambda email: None)  # as if the other had not committed yet

    with pytest.raises(InvalidInput, match=re.escape(TAKEN)):
        profiles.change_details(cast.amelia, "Amelia", "Hart", cast.daniel.email)
    with pytest.raises(InvalidInput, match=re.escape(TAKEN)):
        profiles.add_profile("Dan", "Oka", cast.daniel.email, "reader", None)


def test_session_that_ends_while_the_password_is_checked_changes_nothing(ada: Visitor, cast: Cast, path: str) -> None:
    form = {**opened(ada, path), "first_name": "Mel"}
    for session in db.session.scalars(select(SignInSession)):
        db.session.delete(session)
    db.session.commit()

    assert ada.post(path, data=form).status_code in (302, 403)
    db.session.refresh(cast.amelia)
    assert cast.amelia.first_name == "Amelia"
