"""Test signing in: the credentials that are accepted, the error messages and the redirects."""

from collections.abc import Callable

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import select

from portal.auth import Profile
from portal.auth.passwords import hashing
from portal.auth.views.sign_in import WRONG_EMAIL_OR_PASSWORD
from portal.config import DEMO_PASSWORD
from portal.extensions import db
from portal.web.session_cookie import parse_identity
from tests.support.cast import PASSWORD, Cast
from tests.support.html import errors_of, form_of, text_of
from tests.support.sign_in import sign_in
from tests.support.test_client import Visitor, visitors_of

Visit = type[Visitor]
HOME = "/"
HOSTS = ("portal.example",)


def test_correct_password_redirects_to_the_clients(visit: Visit, cast: Cast) -> None:
    browser = visit(None)

    answer = sign_in(browser, "amelia.hart@firm.example")

    assert (answer.status_code, answer.headers["Location"]) == (302, HOME)
    assert browser.get("/session").json["name"] == "Amelia Hart"
    assert "Amelia Hart" in text_of(browser.get(HOME))


@pytest.mark.parametrize("email", ["AMELIA.Hart@Firm.Example", "  amelia.hart@firm.example \t"])
def test_case_and_surrounding_spaces_of_the_email_are_ignored(visit: Visit, cast: Cast, email: str) -> None:
    assert sign_in(visit(None), email).status_code == 302


def test_sign_in_records_its_time(visit: Visit, cast: Cast) -> None:
    at = select(Profile.last_signed_in_at).where(Profile.id == cast.amelia.id)
    sign_in(visit(None), cast.amelia.email, "wrong")
    assert db.session.scalar(at) is None

    sign_in(visit(None), cast.amelia.email)
    assert db.session.scalar(at) is not None


def test_unknown_wrong_and_deactivated_get_the_same_response(visit: Visit, cast: Cast, hashes: list[str]) -> None:
    """Text and status are the same, after one hash each, so the response does not reveal which accounts exist."""
    db.session.add(Profile(first_name="No", last_name="Password", email="none@firm.example", role="adviser"))
    db.session.commit()
    answers = [
        sign_in(visit(None), "nobody@firm.example"),
        sign_in(visit(None), cast.amelia.email, "wrong"),
        sign_in(visit(None), cast.olga.email, PASSWORD),
        sign_in(visit(None), "none@firm.example", PASSWORD),
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert all(WRONG_EMAIL_OR_PASSWORD in text_of(answer) for answer in answers)
    without_email = {
        text_of(answer).replace(email, "")
        for answer, email in zip(answers, ["nobody@firm.example", "", "", ""], strict=True)
    }
    assert len(without_email) == 1
    assert hashes == [PASSWORD, "wrong", PASSWORD, PASSWORD]
    assert all("Set-Cookie" not in answer.headers for answer in answers)


def test_failed_sign_in_keeps_the_input_except_the_password(visit: Visit, cast: Cast) -> None:
    answer = sign_in(visit(None), "amelia@typo.example", "a secret thing")

    assert form_of(answer)["email"] == "amelia@typo.example"
    assert "a secret thing" not in answer.text


@pytest.mark.parametrize(
    ("email", "password", "field"),
    [
        ("", PASSWORD, "email"),
        ("amelia.hart@firm.example", "", "password"),
        ("a" * 255, PASSWORD, "email"),
        ("amelia.hart@firm.example", "x" * 201, "password"),
    ],
)
def test_empty_or_too_long_field_is_named_without_hashing(
    visit: Visit, cast: Cast, hashes: list[str], email: str, password: str, field: str
) -> None:
    answer = sign_in(visit(None), email, password)

    assert answer.status_code == 422
    assert list(errors_of(answer)) == [field]
    assert hashes == []


@pytest.mark.parametrize("email", ["\0", "amelia.hart@firm.example\0", "a\ud800b", "%00", "İ@firm.example", "\x1b[2J"])
def test_unusual_email_never_causes_a_500(visit: Visit, cast: Cast, email: str) -> None:
    answer = sign_in(visit(None), email.encode("utf-8", "surrogatepass"))  # type: ignore[arg-type]

    assert answer.status_code in (401, 422)


@pytest.mark.parametrize("password", ["\0", "a\0b", "\ud800", "\uffff" * 200, "pässwörd"])
def test_unusual_password_never_causes_a_500(visit: Visit, cast: Cast, password: str) -> None:
    answer = sign_in(visit(None), cast.amelia.email, password.encode("utf-8", "surrogatepass"))  # type: ignore[arg-type]

    assert answer.status_code in (401, 422)


GOOD_NEXT = ["/clients", "/clients/42", "/clients?q=smith&sort=-name", "/signed-in", "/clients/1/edit#email"]
EVIL_NEXT = [
    *("https://evil.example", "//evil.example", "///evil.example", "////evil.example/clients", "http:evil.example"),
    *(
        "\\\\evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
    ),
    *("javascript:alert(1)", "data:text/html,x", "evil.example", "clients", "@evil.example", "/\x00/evil.example"),
    *(
        " /clients",
        "/ /evil.example\r\nSet-Cookie: a=b",
        "https:/evil.example",
        "/\u2028/evil.example",
        "//[",
        "?next=/",
    ),
    *("/\\/evil.example", "/%09/../\\evil.example", "//evil.example\\@firm.example", ""),
]


@pytest.mark.parametrize("wanted", GOOD_NEXT)
def test_sign_in_redirects_to_the_requested_page(visit: Visit, cast: Cast, wanted: str) -> None:
    browser = visit(None)
    page = browser.get("/sign-in", query_string={"next": wanted})
    form = {**form_of(page), "email": cast.amelia.email, "password": PASSWORD}
    assert form["next"] == wanted

    assert browser.post("/sign-in", data=form).headers["Location"] == wanted


@pytest.mark.parametrize("wanted", EVIL_NEXT)
def test_sign_in_never_redirects_to_another_site(visit: Visit, cast: Cast, wanted: str) -> None:
    answer = visit(cast.amelia).get("/sign-in", query_string={"next": wanted})

    assert (answer.status_code, answer.headers["Location"]) == (302, HOME)
    assert "evil" not in str(answer.headers)


@pytest.mark.parametrize("wanted", EVIL_NEXT[:2])
@pytest.mark.parametrize("way", ["address", "form"])
def test_sign_in_never_redirects_to_another_site_by_either_way(visit: Visit, cast: Cast, wanted: str, way: str) -> None:
    browser = visit(None)
    page = browser.get("/sign-in", query_string={"next": wanted} if way == "address" else {})
    form = {**form_of(page), "email": cast.amelia.email, "password": PASSWORD}

    answer = browser.post("/sign-in", data={**form, "next": wanted} if way == "form" else form)

    assert (answer.status_code, answer.headers["Location"]) == (302, HOME)


def test_sign_in_returns_to_the_page_requested_without_a_session(visit: Visit, cast: Cast) -> None:
    browser = visit(None)
    asked = browser.get("/clients?q=smith&status=active")
    assert asked.status_code == 302

    page = browser.get(asked.headers["Location"])
    answer = browser.post("/sign-in", data={**form_of(page), "email": cast.amelia.email, "password": PASSWORD})

    assert answer.headers["Location"] == "/clients?q=smith&status=active"


def test_sign_in_does_not_repeat_a_post_sent_without_a_session(visit: Visit, cast: Cast) -> None:
    browser = visit(None)
    token = form_of(browser.get("/sign-in"))["csrf_token"]

    answer = browser.post("/clients/1/edit", data={"csrf_token": token, "name": "X"})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in")


def test_sign_in_starts_a_new_session(visit: Visit, cast: Cast) -> None:
    """Signing in discards the earlier session and its CSRF token, which an attacker may have planted (ASVS 7.2.4)."""
    browser = visit(None)
    old_token = form_of(browser.get("/sign-in"))["csrf_token"]
    with browser.browser.session_transaction() as session:
        session["planted"] = "by another"
    sign_in(browser, cast.amelia.email)

    with browser.browser.session_transaction() as session:
        assert "planted" not in session
        assert parse_identity(session["_user_id"]).profile_id == cast.amelia.id
    browser._token = old_token
    assert browser.beat("client-1").status_code == 403
    assert browser.post("/sign-out").status_code == 403


def test_sign_in_as_another_profile_discards_the_first_session(visit: Visit, cast: Cast) -> None:
    browser = visit(cast.daniel)
    token = browser.get("/session").json["csrf_token"]
    form = {"csrf_token": token, "email": cast.amelia.email, "password": PASSWORD, "next": ""}

    assert browser.post("/sign-in", data=form).status_code == 302
    answer = browser.get("/session").json
    assert answer["profile_id"] == cast.amelia.id
    assert answer["csrf_token"] != token


def test_sign_in_without_the_csrf_token_is_403(visit: Visit, cast: Cast) -> None:
    """Otherwise an attacker could sign a victim in to the attacker's account."""
    answer = visit(None).post("/sign-in", data={"email": cast.amelia.email, "password": PASSWORD})

    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


def cookie_after_sign_in(app: Flask, email: str, name: str) -> list[str]:
    browser = visitors_of(app)(None)
    scheme = {"base_url": "https://portal.example"}
    page = browser.get("/sign-in", **scheme)
    data = {**form_of(page), "email": email, "password": PASSWORD}
    headers = {"Referer": "https://portal.example/sign-in"}
    answer = browser.post("/sign-in", data=data, headers=headers, **scheme)
    assert answer.status_code == 302, answer.text
    cookies = answer.headers.getlist("Set-Cookie")
    assert len(cookies) == 2
    [cookie] = [cookie for cookie in cookies if name in cookie.partition("=")[0]]
    return cookie.split("; ")


@pytest.mark.parametrize("kind", ["session", "device"])
def test_production_cookies_are_secure_and_host_bound(make_app: Callable[..., Flask], cast: Cast, kind: str) -> None:
    name, *flags = cookie_after_sign_in(make_app(is_testing=False, allowed_hosts=HOSTS), cast.amelia.email, kind)

    assert name.startswith(f"__Host-{kind}=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(flags)
    assert not [flag for flag in flags if flag.startswith("Domain")]


@pytest.mark.parametrize("kind", ["session", "device"])
def test_demo_cookies_work_without_https(make_app: Callable[..., Flask], cast: Cast, kind: str) -> None:
    app = make_app(is_testing=False, is_demo=True, allowed_hosts=HOSTS)
    name, *flags = cookie_after_sign_in(app, cast.amelia.email, kind)

    assert name.startswith(f"kingston_{kind}=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(flags)
    assert "Secure" not in flags


def test_demo_password_is_rejected_outside_demo_mode(
    make_app: Callable[..., Flask], visit: Visit, cast: Cast, hashes: list[str]
) -> None:
    """It is rejected even if it is stored, because the database may have been filled by a demo."""
    cast.amelia.password_hash = hashing.hash_password(DEMO_PASSWORD)
    db.session.commit()

    answer = sign_in(visit(None), cast.amelia.email, DEMO_PASSWORD)
    assert (answer.status_code, WRONG_EMAIL_OR_PASSWORD in text_of(answer)) == (401, True)
    assert hashes == [DEMO_PASSWORD]
    assert sign_in(visitors_of(make_app(is_demo=True))(None), cast.amelia.email, DEMO_PASSWORD).status_code == 302


@pytest.mark.usefixtures("real_hasher")
def test_hash_with_outdated_parameters_is_renewed(visit: Visit, cast: Cast) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    cast.amelia.password_hash = weak
    db.session.commit()

    assert sign_in(visit(None), cast.amelia.email, "wrong").status_code == 401
    assert _stored_hash(cast) == weak
    assert sign_in(visit(None), cast.amelia.email).status_code == 302
    renewed = _stored_hash(cast)
    assert renewed != weak
    assert not hashing.needs_rehash(renewed)
    assert sign_in(visit(None), cast.amelia.email).status_code == 302


@pytest.mark.parametrize("stored", ["", "x", "$argon2id$v=19$broken", "plain text"])
def test_malformed_hash_rejects_every_password(visit: Visit, cast: Cast, stored: str) -> None:
    cast.amelia.password_hash = stored
    db.session.commit()

    assert sign_in(visit(None), cast.amelia.email, stored or PASSWORD).status_code == 401


@pytest.mark.usefixtures("real_hasher")
def test_passwords_are_hashed_with_salted_argon2id() -> None:
    """The parameters are at least those of RFC 9106, section 4, second recommended option."""
    one, two = hashing.hash_password(PASSWORD), hashing.hash_password(PASSWORD)

    assert one != two
    assert one.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def _stored_hash(cast: Cast) -> str:
    return db.session.scalars(select(Profile.password_hash).where(Profile.id == cast.amelia.id)).one()
