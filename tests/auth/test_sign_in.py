"""Signing in: who gets in, what is told to those who do not, and where it leads."""

from collections.abc import Callable

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.auth import Profile
from portal.auth.passwords import hashing
from portal.auth.views.sign_in import WRONG_EMAIL_OR_PASSWORD
from portal.config import DEMO_PASSWORD
from portal.extensions import db
from portal.web.session_cookie import parse_identity
from tests.support.cast import PASSWORD, Cast
from tests.support.html import errors_of, form_of, text_of
from tests.support.test_client import Visitor, visitors_of

Visit = type[Visitor]
HOME = "/clients"
HOSTS = ("portal.example",)


def sign_in(browser: Visitor, email: str, password: str = PASSWORD, query: str = "") -> TestResponse:
    """Open the sign-in page, fill in its form and send it, as a person does."""
    page = browser.get(f"/sign-in{query}")
    return browser.post(f"/sign-in{query}", data={**form_of(page), "email": email, "password": password})


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that argon2 has been asked to check: timing them would be a guess."""
    asked: list[str] = []
    matches = hashing._matches

    def spied(password: str, password_hash: str) -> bool:
        asked.append(password)
        return matches(password, password_hash)

    monkeypatch.setattr(hashing, "_matches", spied)
    return asked


def test_the_right_password_leads_to_the_clients(visit: Visit, cast: Cast) -> None:
    browser = visit(None)

    answer = sign_in(browser, "amelia.hart@firm.example")

    assert (answer.status_code, answer.headers["Location"]) == (302, HOME)
    assert browser.get("/session").json["name"] == "Amelia Hart"
    assert "Amelia Hart" in text_of(browser.get(HOME))


@pytest.mark.parametrize("email", ["AMELIA.Hart@Firm.Example", "  amelia.hart@firm.example \t"])
def test_the_case_of_an_e_mail_and_the_blanks_around_it_do_not_matter(visit: Visit, cast: Cast, email: str) -> None:
    assert sign_in(visit(None), email).status_code == 302


def test_it_notes_when(visit: Visit, cast: Cast) -> None:
    at = select(Profile.last_signed_in_at).where(Profile.id == cast.amelia.id)
    sign_in(visit(None), cast.amelia.email, "wrong")
    assert db.session.scalar(at) is None

    sign_in(visit(None), cast.amelia.email)
    assert db.session.scalar(at) is not None


def test_unknown_wrong_and_deactivated_are_answered_alike(visit: Visit, cast: Cast, hashes: list[str]) -> None:
    """The same text and status, after one hash each: nobody learns who has an account."""
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


def test_what_was_typed_stays_but_the_password(visit: Visit, cast: Cast) -> None:
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
def test_an_empty_or_endless_field_is_named_and_costs_no_hash(
    visit: Visit, cast: Cast, hashes: list[str], email: str, password: str, field: str
) -> None:
    answer = sign_in(visit(None), email, password)

    assert answer.status_code == 422
    assert list(errors_of(answer)) == [field]
    assert hashes == []


@pytest.mark.parametrize("email", ["\0", "amelia.hart@firm.example\0", "a\ud800b", "%00", "İ@firm.example", "\x1b[2J"])
def test_no_e_mail_is_a_500(visit: Visit, cast: Cast, email: str) -> None:
    answer = sign_in(visit(None), email.encode("utf-8", "surrogatepass"))  # type: ignore[arg-type]

    assert answer.status_code in (401, 422)


@pytest.mark.parametrize("password", ["\0", "a\0b", "\ud800", "\uffff" * 200, "pässwörd"])
def test_no_password_is_a_500(visit: Visit, cast: Cast, password: str) -> None:
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
def test_it_leads_to_where_the_person_wanted(visit: Visit, cast: Cast, wanted: str) -> None:
    browser = visit(None)
    page = browser.get("/sign-in", query_string={"next": wanted})
    form = {**form_of(page), "email": cast.amelia.email, "password": PASSWORD}
    assert form["next"] == wanted

    assert browser.post("/sign-in", data=form).headers["Location"] == wanted


@pytest.mark.parametrize("wanted", EVIL_NEXT)
def test_it_never_leads_elsewhere(visit: Visit, cast: Cast, wanted: str) -> None:
    answer = visit(cast.amelia).get("/sign-in", query_string={"next": wanted})

    assert (answer.status_code, answer.headers["Location"]) == (302, HOME)
    assert "evil" not in str(answer.headers)


@pytest.mark.parametrize("wanted", EVIL_NEXT[:2])
@pytest.mark.parametrize("way", ["address", "form"])
def test_it_never_leads_elsewhere_after_signing_in(visit: Visit, cast: Cast, wanted: str, way: str) -> None:
    browser = visit(None)
    page = browser.get("/sign-in", query_string={"next": wanted} if way == "address" else {})
    form = {**form_of(page), "email": cast.amelia.email, "password": PASSWORD}

    answer = browser.post("/sign-in", data={**form, "next": wanted} if way == "form" else form)

    assert (answer.status_code, answer.headers["Location"]) == (302, HOME)


def test_a_page_asked_for_without_a_session_is_where_signing_in_leads(visit: Visit, cast: Cast) -> None:
    browser = visit(None)
    asked = browser.get("/clients?q=smith&status=active")
    assert asked.status_code == 302

    page = browser.get(asked.headers["Location"])
    answer = browser.post("/sign-in", data={**form_of(page), "email": cast.amelia.email, "password": PASSWORD})

    assert answer.headers["Location"] == "/clients?q=smith&status=active"


def test_a_post_without_a_session_is_not_repeated_by_signing_in(visit: Visit, cast: Cast) -> None:
    browser = visit(None)
    token = form_of(browser.get("/sign-in"))["csrf_token"]

    answer = browser.post("/clients/1/edit", data={"csrf_token": token, "name": "X"})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in")


def test_signing_in_begins_a_new_session(visit: Visit, cast: Cast) -> None:
    """What was in the browser before, planted by somebody or not, is gone: its CSRF token above all (ASVS 7.2.4)."""
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


def test_signing_in_as_somebody_else_leaves_nothing_of_the_first(visit: Visit, cast: Cast) -> None:
    browser = visit(cast.daniel)
    token = browser.get("/session").json["csrf_token"]
    form = {"csrf_token": token, "email": cast.amelia.email, "password": PASSWORD, "next": ""}

    assert browser.post("/sign-in", data=form).status_code == 302
    answer = browser.get("/session").json
    assert answer["profile_id"] == cast.amelia.id
    assert answer["csrf_token"] != token


def test_the_form_without_its_token_is_403(visit: Visit, cast: Cast) -> None:
    """Else somebody could sign a victim in to an account of their own."""
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
def test_the_cookies_in_production_are_secure_and_bound_to_the_host(
    make_app: Callable[..., Flask], cast: Cast, kind: str
) -> None:
    name, *flags = cookie_after_sign_in(make_app(is_testing=False, hosts=HOSTS), cast.amelia.email, kind)

    assert name.startswith(f"__Host-{kind}=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(flags)
    assert not [flag for flag in flags if flag.startswith("Domain")]


@pytest.mark.parametrize("kind", ["session", "device"])
def test_the_cookies_in_the_demo_work_without_https(make_app: Callable[..., Flask], cast: Cast, kind: str) -> None:
    app = make_app(is_testing=False, is_demo=True, hosts=HOSTS)
    name, *flags = cookie_after_sign_in(app, cast.amelia.email, kind)

    assert name.startswith(f"kingston_{kind}=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(flags)
    assert "Secure" not in flags


def test_the_demos_password_opens_nothing_outside_the_demo(
    make_app: Callable[..., Flask], visit: Visit, cast: Cast, hashes: list[str]
) -> None:
    """Even where it is stored: a database that a demo has filled must not serve with it."""
    cast.amelia.password_hash = hashing.hash_password(DEMO_PASSWORD)
    db.session.commit()

    answer = sign_in(visit(None), cast.amelia.email, DEMO_PASSWORD)
    assert (answer.status_code, WRONG_EMAIL_OR_PASSWORD in text_of(answer)) == (401, True)
    assert hashes == [DEMO_PASSWORD]
    assert sign_in(visitors_of(make_app(is_demo=True))(None), cast.amelia.email, DEMO_PASSWORD).status_code == 302


@pytest.mark.usefixtures("real_hasher")
def test_a_hash_of_weaker_times_is_renewed(visit: Visit, cast: Cast) -> None:
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
def test_a_hash_that_is_none_lets_nobody_in(visit: Visit, cast: Cast, stored: str) -> None:
    cast.amelia.password_hash = stored
    db.session.commit()

    assert sign_in(visit(None), cast.amelia.email, stored or PASSWORD).status_code == 401


@pytest.mark.usefixtures("real_hasher")
def test_passwords_are_hashed_with_argon2id_salted() -> None:
    """RFC 9106, 4: the second recommended option, or more."""
    one, two = hashing.hash_password(PASSWORD), hashing.hash_password(PASSWORD)

    assert one != two
    assert one.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def _stored_hash(cast: Cast) -> str:
    return db.session.scalars(select(Profile.password_hash).where(Profile.id == cast.amelia.id)).one()
