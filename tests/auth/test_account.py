"""Test the account page: which changes require the password again, and what they change."""

import pytest
from flask import Flask
from sqlalchemy import select

from portal.audit import AuditEvent
from portal.auth import throttle
from portal.auth.mfa import one_time_codes, totp
from portal.auth.sessions.device_names import device_name
from portal.auth.sessions.store import SignInSession
from portal.auth.throttle import REAUTHENTICATION, ThrottleSubject
from portal.extensions import db
from tests.conftest import AppMaker
from tests.support.cast import PASSWORD, Cast
from tests.support.html import errors_of, text_of
from tests.support.sign_in import GOOD_PASSWORD, PASSWORD_CHANGE, enrol_second_factor, sign_in
from tests.support.test_client import Visitor, visitors_of

Visit = type[Visitor]


def events() -> list[str]:
    return list(db.session.scalars(select(AuditEvent.event).order_by(AuditEvent.id)))


@pytest.fixture
def amelia(visit: Visit, cast: Cast) -> Visitor:
    return visit(cast.amelia)


def test_new_password_ends_other_sessions_and_renews_the_current_one(amelia: Visitor, visit: Visit, cast: Cast) -> None:
    elsewhere, before = visit(cast.amelia), amelia.cookie()

    answer = amelia.post("/account/password", data=PASSWORD_CHANGE)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/account")
    assert "Your password has been changed." in text_of(amelia.get("/account"))
    assert elsewhere.get("/clients").status_code == 302
    thief = visit(None)
    thief.browser.set_cookie("kingston_session", before)
    assert thief.get("/clients").status_code == 302
    assert sign_in(visit(None), cast.amelia.email, GOOD_PASSWORD).status_code == 302
    assert sign_in(visit(None), cast.amelia.email, PASSWORD).status_code == 401
    assert events() == ["password_changed", "signed_in", "sign_in_failed"]


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"password-current_password": "wrong"}, "password-current_password", "That is not your password."),
        ({"password-current_password": ""}, "password-current_password", "Enter your password."),
        ({"password-again": "other"}, "password-again", "The two are not the same."),
        ({"password-new_password": "short", "password-again": "short"}, "password-new_password", "12 to 200"),
        (
            {"password-new_password": "ameliahart2026", "password-again": "ameliahart2026"},
            "password-new_password",
            "little more than your name",
        ),
    ],
)
def test_rejected_password_change_shows_the_error_at_its_field_and_changes_nothing(
    amelia: Visitor, visit: Visit, cast: Cast, changes: dict[str, str], field: str, problem: str
) -> None:
    answer = amelia.post("/account/password", data={**PASSWORD_CHANGE, **changes})

    assert answer.status_code == 422
    assert problem in errors_of(answer)[field]
    assert GOOD_PASSWORD not in answer.text
    assert sign_in(visit(None), cast.amelia.email, PASSWORD).status_code == 302


@pytest.mark.parametrize(
    ("path", "prefix"),
    [
        ("/account/second-factor", "factor"),
        ("/account/second-factor/remove", "factor"),
        ("/account/recovery-codes", "factor"),
        ("/account/sessions", "sessions"),
        ("/account/password", "password"),
    ],
)
def test_sensitive_change_without_the_password_changes_nothing(
    amelia: Visitor, visit: Visit, cast: Cast, path: str, prefix: str
) -> None:
    """Each change of how the user signs in requires the password again, and counts the attempts (ASVS 5.0.0, 7.5.1)."""
    enrol_second_factor(cast.amelia)
    other = visit(cast.amelia)
    form = {f"{prefix}-current_password": "wrong", "end": "others"}
    if prefix == "password":
        form |= {"password-new_password": GOOD_PASSWORD, "password-again": GOOD_PASSWORD}
    for _ in range(REAUTHENTICATION.free_attempts):
        throttle.register_attempt([ThrottleSubject(REAUTHENTICATION, str(cast.amelia.id))])
    db.session.commit()
    assert amelia.post(path, data=form).status_code == 422

    assert amelia.post(path, data={**form, f"{prefix}-current_password": PASSWORD}).status_code == 429
    assert totp.is_set_up(cast.amelia.id)
    assert one_time_codes.count_recovery_codes(cast.amelia.id) == 8
    assert other.get("/clients").status_code == 200
    assert events() == ["sign_in_failed"]


def test_session_list_shows_each_browser_and_marks_the_current_one(visit: Visit, cast: Cast) -> None:
    laptop, phone = visit(cast.amelia), visit(None)
    phone.browser.environ_base |= {"REMOTE_ADDR": "203.0.113.9", "HTTP_USER_AGENT": "X (iPhone) Safari/1"}
    sign_in(phone, cast.amelia.email)
    visit(cast.daniel)

    page = text_of(laptop.get("/account"))

    assert page.count("Since ") == 2
    assert "Safari on iPhone" in page
    assert "203.0.113.9" in page
    assert page.count("This browser") == 1


def test_ending_sessions_signs_out_one_other_browser_or_all_others(visit: Visit, cast: Cast) -> None:
    here, one, two, daniel = (visit(profile) for profile in (cast.amelia, cast.amelia, cast.amelia, cast.daniel))
    mine = db.session.scalars(
        select(SignInSession.id).where(SignInSession.profile_id == cast.amelia.id).order_by(SignInSession.started_at)
    ).all()
    form = {"sessions-current_password": PASSWORD}

    here.post("/account/sessions", data={**form, "end": str(mine[1])})
    assert [each.get("/clients").status_code for each in (here, one, two)] == [200, 302, 200]
    here.post("/account/sessions", data={**form, "end": "others"})
    assert [each.get("/clients").status_code for each in (here, two, daniel)] == [200, 302, 200]
    assert events() == ["session_ended", "sessions_ended"]


def test_ending_the_session_of_another_profile_has_no_effect(visit: Visit, cast: Cast) -> None:
    here, daniel = visit(cast.amelia), visit(cast.daniel)
    his = db.session.scalar(select(SignInSession.id).where(SignInSession.profile_id == cast.daniel.id))

    answer = here.post("/account/sessions", data={"sessions-current_password": PASSWORD, "end": str(his)})

    assert answer.status_code == 302
    assert daniel.get("/clients").status_code == 200
    assert here.post("/account/sessions", data={"sessions-current_password": PASSWORD, "end": "x"}).status_code == 422


def test_new_recovery_codes_replace_the_old_ones(amelia: Visitor, cast: Cast) -> None:
    _, old = enrol_second_factor(cast.amelia)

    answer = amelia.post("/account/recovery-codes", data={"factor-current_password": PASSWORD})

    assert "Keep these recovery codes" in text_of(answer)
    assert not one_time_codes.consume(cast.amelia.id, "recovery", old[0])
    assert one_time_codes.count_recovery_codes(cast.amelia.id) == 8
    assert events() == ["recovery_codes_made"]


def test_removing_the_second_factor_ends_other_sessions(amelia: Visitor, visit: Visit, cast: Cast) -> None:
    enrol_second_factor(cast.amelia)
    elsewhere = visit(cast.amelia)

    answer = amelia.post("/account/second-factor/remove", data={"factor-current_password": PASSWORD})

    assert answer.status_code == 302
    assert not totp.is_set_up(cast.amelia.id)
    assert one_time_codes.count_recovery_codes(cast.amelia.id) == 0
    assert elsewhere.get("/clients").status_code == 302
    assert amelia.get("/clients").status_code == 200


def test_second_factor_that_the_role_requires_cannot_be_removed(make_app: AppMaker, cast: Cast) -> None:
    enrol_second_factor(cast.ada)
    ada = visitors_of(make_app(second_factor="admins"))(cast.ada)

    answer = ada.post("/account/second-factor/remove", data={"factor-current_password": PASSWORD})

    assert answer.status_code == 403
    assert "Your role requires a second factor." in text_of(answer)
    assert totp.is_set_up(cast.ada.id)


def test_set_up_page_without_a_secret_redirects_to_the_account(app: Flask, amelia: Visitor) -> None:
    assert amelia.get("/account/second-factor").headers["Location"] == "/account"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142 Safari/537.36 Edg/142",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/142 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.5", "curl"),
        ("", "An unknown browser"),
        ("<script>", "An unknown browser"),
    ],
)
def test_device_name_describes_browser_and_system(user_agent: str, name: str) -> None:
    assert device_name(user_agent) == name


def test_user_hides_and_shows_unsaved_values_and_the_audit_records_it(amelia: Visitor, cast: Cast) -> None:
    assert "Hide what I type" in amelia.get("/account").text

    assert amelia.post("/account/unsaved-values", data={"shows_unsaved": "no"}).headers["Location"] == "/account"

    page = amelia.get("/account").text
    assert "Colleagues see what you type only after you save it." in page
    assert "Show what I type" in page
    assert cast.amelia.shows_unsaved is False
    amelia.post("/account/unsaved-values", data={"shows_unsaved": "yes"})
    assert cast.amelia.shows_unsaved is True
    assert events() == ["unsaved_values_hidden", "unsaved_values_shown"]


@pytest.mark.parametrize("value", ["", "on", "No"])
def test_unknown_choice_about_unsaved_values_is_rejected(amelia: Visitor, cast: Cast, value: str) -> None:
    assert amelia.post("/account/unsaved-values", data={"shows_unsaved": value}).status_code == 422
    assert cast.amelia.shows_unsaved is True


def test_reader_has_no_choice_about_unsaved_values(visit: Visit, cast: Cast) -> None:
    assert "Unsaved values" not in visit(cast.rhys).get("/account").text
