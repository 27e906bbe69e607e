"""Test every field of every route with hostile values: no 5xx, and no value returned as markup or as a header.

FIELDS is the table of what each route takes; a route that is not in it fails the test that finds it.
In `make test-all` each field meets each value of NASTY once, and hypothesis makes up 2,000 requests more.
"""

import json
import re
from collections.abc import Callable
from datetime import date
from itertools import product
from typing import Any, NamedTuple
from urllib.parse import quote, quote_from_bytes, urlsplit

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from werkzeug.test import TestResponse

from portal.auth.mfa import totp
from portal.auth.passwords import hashing
from portal.clients import ClientGrant
from portal.clients.records.entries import CLIENT, PERSON, PRODUCT, VALUATION, Entry
from portal.clients.saving import operations
from portal.extensions import db
from tests.conftest import settings_for
from tests.support.cast import PASSWORD, Cast
from tests.support.edits import edit_from
from tests.support.factories import make_client, make_person, make_product
from tests.support.routes import routes_of
from tests.support.test_client import Visitor
from tests.support.volume import volume

EXAMPLES = volume(3, 32)  # of each route: more than 2,000 in all
# Routes share their parsers. In a partial run each route gets every twelfth body and hostile value, from another offset
# than the route before, so that all of them are used.
STEP = volume(12, 1)
READ_AS = ("application/json", "application/x-www-form-urlencoded")
NEVER_READ = ("text/plain", "x/y", "")
NOT_PAGES = (
    "application/json",
    "application/problem+json",
    "text/csv",
    "image/svg+xml",
    "text/css",
    "text/event-stream",
    "application/zip",
)
ROLES = {"amelia": "adviser", "ada": "admin", "rhys": "reader"}
IS_AS_IT_WAS = """
    SELECT is_active AND password_hash = :hashed AND role = :role AND NOT EXISTS (SELECT FROM sign_in_throttle)
       AND (SELECT count(*) FROM sign_in_sessions AS held
            WHERE held.profile_id = profiles.id AND held.session_epoch = profiles.session_epoch) = 1
    FROM profiles WHERE id = :id
"""
RESTORE = (
    "UPDATE profiles SET is_active = true, password_hash = :hashed, role = :role WHERE id = :id",
    "DELETE FROM sign_in_sessions WHERE profile_id = :id",
    "DELETE FROM sign_in_throttle",
)
MARK = "<i>fuzz\"'&"
NASTY = [
    *(
        "",
        " ",
        "\0",
        "a\0b",
        "\x1b[2J",
        "\x7f",
        "\u202eabc",
        "\u2028",
        "\r\nX-Injected: 1",
        "a\r\nSet-Cookie: x=1",
        "\ufeff",
    ),
    *(MARK, f"{MARK}><script>", "{{7*7}}", "${7*7}", "javascript:alert(1)", "//evil.example", "\\\\evil.example"),
    *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "'=1", "' OR 1=1 --", "%00", "%s%n", "../../etc/passwd", "a" * 3_000),
    *("0", "1", "-0", "1e999", "9" * 40, "NaN", "Infinity", "٣", "²", "1_000", "0x10", "1.5", " 7 ", "2147483648"),
    *("2026-02-30", "0000-00-00", "9999-12-31", "10000-01-01", "1900-01-01", "true", "null", "[]", "\U0001f4a9" * 50),
    *("client-1", "client-0", "client-99999999999", "record", "person/1", "person/new", "editing", "phone:1 notes:1"),
    *("record/contact", "contact", "amelia.hart@firm.example", PASSWORD, "admin", "others", "1", "mine", "theirs"),
]
BYTES = [
    b"\xff",
    b"\xc3(",
    b"\xed\xa0\x80",
    b"%",
    b"\x00",
    b"&=&=&",
    b"{",
    b'{"a":',
    b"[" * 2_000,
    b"\xef\xbb\xbf{}",
    b"[1]",
    b'"x"',
    b"1",
]
WHO = ("ada", "ada", "ada", "amelia", "rhys", "signed-out")  # Ada has the most permissions


class Takes(NamedTuple):
    """The names of the fields that a route accepts."""

    query: tuple[str, ...] = ()
    form: tuple[str, ...] = ()
    body: tuple[str, ...] = ()  # of a JSON object


GUARD = ("version", "seen", "seen_version", "proceeded", "draft")
EDIT = (*GUARD, *CLIENT.labels, "decide-notes", "third-notes", "custom-notes")
KINDS = ("person", "product", "valuation")
OF_PARTS = (*PERSON.labels, *PRODUCT.labels, *VALUATION.labels)
PART = (*GUARD, *OF_PARTS, "decide-fixed_fee", "third-fixed_fee", "confirm_another")
REDACTION = ("version", "reason")
NOTE_FIELDS = (*GUARD, "restored", "text", "kind", "happened_on")
REVIEW = (*NOTE_FIELDS, "next_review_on", "decide-next_review_on")
AMOUNT = ("amount_1", "decide-amount_1", "third-amount_1", "custom-amount_1")
VALUATIONS = (*GUARD, "restored", "valued_on", "shown_on", "unplaced", "confirm_amount", *AMOUNT)
RESTRICT = ("version", "is_restricted")
GRANT = ("version", "profile_id")
REVERT = ("version", "seen_version", "entry", "reason", "only", "decide-notes", "third-notes", "custom-notes")
AGAIN = ("factor-current_password",)
DRAFT = Takes(query=("form", "draft"), body=("version", "values", "seen", "restored"))
PASSWORDS = ("password-current_password", "password-new_password", "password-again")
LISTED = Takes(query=("view", "q", "adviser", "status", "sort", "page"))
FIELDS: dict[tuple[str, str], Takes] = {
    ("GET", "/"): Takes(),
    ("GET", "/clients"): LISTED,
    ("GET", "/clients/new"): Takes(query=("draft",)),
    ("POST", "/clients/new"): Takes(form=EDIT, body=EDIT),
    ("GET", "/clients/sum"): LISTED,
    ("GET", "/clients.csv"): LISTED,
    ("POST", "/clients/bulk"): Takes(body=("action", "value", "clients")),
    ("GET", "/clients/order"): LISTED._replace(query=(*LISTED.query, "start", "client")),
    ("GET", "/clients/search"): Takes(query=("q",)),
    ("GET", "/clients/<client_id>"): Takes(query=("note_kind", "note_text", "note_page", "note_draft")),
    ("GET", "/clients/<client_id>/notes/<note_id>"): Takes(),
    ("GET", "/clients/<client_id>/notes/<note_id>/edit"): Takes(),
    ("POST", "/clients/<client_id>/notes/<note_id>/edit"): Takes(form=NOTE_FIELDS, body=NOTE_FIELDS),
    ("GET", "/clients/<client_id>/notes/<note_id>/redact"): Takes(),
    ("POST", "/clients/<client_id>/notes/<note_id>/redact"): Takes(form=REDACTION, body=REDACTION),
    ("GET", "/clients/<client_id>/review"): Takes(query=("proceeded",)),
    ("POST", "/clients/<client_id>/review"): Takes(form=REVIEW, body=REVIEW),
    ("GET", "/clients/<client_id>/valuations"): Takes(query=("day", "proceeded")),
    ("POST", "/clients/<client_id>/valuations"): Takes(query=("proceeded",), form=VALUATIONS, body=VALUATIONS),
    ("GET", "/clients/<client_id>/notes/mentionable"): Takes(),
    ("POST", "/clients/<client_id>/notes"): Takes(form=NOTE_FIELDS, body=NOTE_FIELDS),
    ("GET", "/clients/<client_id>/edit"): Takes(query=("draft", "proceeded", "card")),
    ("POST", "/clients/<client_id>/edit"): Takes(query=("card",), form=EDIT, body=EDIT),
    ("GET", "/clients/<client_id>/changes"): Takes(query=("since",)),
    ("GET", "/clients/<client_id>/changes/<day>"): Takes(query=("since",)),
    ("GET", "/clients/<client_id>/visit"): Takes(query=("version",)),
    ("POST", "/clients/<client_id>/visit"): Takes(form=("version",), body=("version",)),
    ("POST", "/clients/<client_id>/merge"): Takes(body=("version", "seen", "notes", "objectives")),
    ("POST", "/clients/<client_id>/merge_unsaved"): Takes(body=("version", "seen", "notes", "mine")),
    ("POST", "/clients/<client_id>/<kind>/same"): Takes(
        body=("first_name", "date_of_birth", "ni_number", "plan_number")
    ),
    ("GET", "/clients/<client_id>/product/<product_id>"): Takes(query=("page",)),
    ("GET", "/clients/<client_id>/<kind>/new"): Takes(query=("draft",)),
    ("POST", "/clients/<client_id>/<kind>/new"): Takes(form=PART, body=PART),
    ("GET", "/clients/<client_id>/product/<product_id>/valuation/new"): Takes(query=("draft",)),
    ("POST", "/clients/<client_id>/product/<product_id>/valuation/new"): Takes(form=PART, body=PART),
    ("GET", "/clients/<client_id>/<kind>/<part_id>/edit"): Takes(query=("draft",)),
    ("POST", "/clients/<client_id>/<kind>/<part_id>/edit"): Takes(form=PART, body=PART),
    ("GET", "/clients/<client_id>/<kind>/<part_id>/remove"): Takes(),
    ("POST", "/clients/<client_id>/<kind>/<part_id>/remove"): Takes(form=("version",), body=("version",)),
    ("GET", "/clients/<client_id>/history"): Takes(query=("since", "field", "person", "version", "page")),
    ("GET", "/clients/<client_id>/history/<version>/revert"): Takes(query=("entry", "back")),
    ("POST", "/clients/<client_id>/history/<version>/revert"): Takes(query=("back",), form=REVERT, body=REVERT),
    ("POST", "/clients/<client_id>/overruled/<version>/dismiss"): Takes(query=("back",)),
    ("GET", "/clients/<client_id>/access"): Takes(),
    ("POST", "/clients/<client_id>/access"): Takes(form=RESTRICT, body=RESTRICT),
    ("POST", "/clients/<client_id>/access/grant"): Takes(form=GRANT, body=GRANT),
    ("POST", "/clients/<client_id>/access/<grant_id>/revoke"): Takes(form=("version",), body=("version",)),
    ("GET", "/sign-in"): Takes(query=("next",)),
    ("POST", "/sign-in"): Takes(query=("next",), form=("email", "password", "next")),
    ("GET", "/sign-in/code"): Takes(query=("next",)),
    ("POST", "/sign-in/code"): Takes(query=("next",), form=("code", "next")),
    ("GET", "/sign-in/set-up"): Takes(query=("next",)),
    ("POST", "/sign-in/set-up"): Takes(query=("next",), form=("code", "next")),
    ("POST", "/sign-out"): Takes(),
    ("GET", "/signed-in"): Takes(),
    ("GET", "/session"): Takes(),
    ("POST", "/session"): Takes(),
    ("GET", "/choose-password"): Takes(),
    ("POST", "/choose-password"): Takes(form=("email", "code", "new_password", "again")),
    ("GET", "/account"): Takes(),
    ("POST", "/account/password"): Takes(form=PASSWORDS),
    ("POST", "/account/second-factor"): Takes(form=AGAIN),
    ("GET", "/account/second-factor"): Takes(),
    ("POST", "/account/second-factor/confirm"): Takes(form=("code",)),
    ("POST", "/account/second-factor/remove"): Takes(form=AGAIN),
    ("POST", "/account/recovery-codes"): Takes(form=AGAIN),
    ("POST", "/account/sessions"): Takes(form=("sessions-current_password", "end")),
    ("POST", "/account/unsaved-values"): Takes(form=("shows_unsaved",)),
    ("POST", "/account/single-keys"): Takes(form=("single_keys",)),
    ("POST", "/user_page_presence"): Takes(
        body=(
            *("page_identifier", "tab_id", "activity", "visible", "fields", "waiting", "answer", "stream"),
            *("focus", "form", "draft"),
        )
    ),
    ("GET", "/user_page_presence"): Takes(query=("page", "page")),
    ("DELETE", "/user_page_presence"): Takes(),
    ("GET", "/user_page_presence/<page_identifier>"): Takes(),
    ("DELETE", "/user_page_presence/<page_identifier>"): Takes(query=("tab_id",)),
    ("GET", "/user_page_presence/<page_identifier>/events"): Takes(query=("tab_id", "stream")),
    ("GET", "/notifications"): Takes(query=("page",)),
    ("GET", "/notifications/<notification_id>"): Takes(),
    ("POST", "/notifications/read"): Takes(),
    ("POST", "/notifications/kinds"): Takes(form=("kind",)),
    ("GET", "/user_page_presence/events"): Takes(query=("page", "follow")),
    ("GET", "/user_page_presence/<page_identifier>/drafts"): Takes(),
    ("POST", "/user_page_presence/<page_identifier>/nudge"): Takes(body=("tab_id",)),
    ("GET", "/help/editing-together"): Takes(),
    ("GET", "/lost_access"): Takes(query=("ticket",)),
    ("PUT", "/edit_drafts/<page_identifier>"): DRAFT,
    ("DELETE", "/edit_drafts/<page_identifier>"): Takes(query=("form", "draft", "mark")),
    ("POST", "/discard_draft/<page_identifier>"): Takes(query=("form",), form=("mark", "back")),
    ("GET", "/users"): Takes(query=("q", "page")),
    ("GET", "/users/new"): Takes(),
    ("POST", "/users/new"): Takes(form=("first_name", "last_name", "email", "role")),
    ("GET", "/users/<profile_id>"): Takes(),
    ("GET", "/users/<profile_id>/details"): Takes(),
    ("POST", "/users/<profile_id>/details"): Takes(
        form=("first_name", "last_name", "email", "shown", "current_password")
    ),
    ("GET", "/users/<profile_id>/hand-over"): Takes(query=("page",)),
    ("POST", "/users/<profile_id>/hand-over"): Takes(
        query=("page",), form=("to", "mark", "deactivate", "current_password")
    ),
    ("POST", "/users/<profile_id>/hand-over/step"): Takes(form=("state",)),
    ("POST", "/users/<profile_id>/role"): Takes(form=("role",)),
    ("POST", "/users/<profile_id>/activate"): Takes(),
    ("POST", "/users/<profile_id>/deactivate"): Takes(),
    ("POST", "/users/<profile_id>/password-code"): Takes(),
    ("POST", "/users/<profile_id>/reset-second-factor"): Takes(),
    ("POST", "/users/<profile_id>/sign-out"): Takes(),
    ("POST", "/users/<profile_id>/unlock"): Takes(),
    ("GET", "/records/export"): Takes(),
    ("POST", "/records/export"): Takes(form=("current_password",)),
    ("GET", "/records/import"): Takes(),
    ("POST", "/records/import"): Takes(form=("files",)),
    ("POST", "/records/import/apply"): Takes(form=("mark", "current_password")),
    ("POST", "/records/import/discard"): Takes(),
    ("GET", "/records/import/progress"): Takes(),
    ("GET", "/records/import/details.csv"): Takes(),
    ("GET", "/audit"): Takes(query=("event", "who", "address", "since", "until", "before")),
    ("GET", "/audit.csv"): Takes(query=("event", "who", "address", "since", "until", "before")),
    ("GET", "/reads"): Takes(query=("who", "client", "since", "until", "before")),
    ("GET", "/reads.csv"): Takes(query=("who", "client", "since", "until", "before")),
    ("GET", "/healthz"): Takes(),
    ("GET", "/readyz"): Takes(),
    ("GET", "/metrics"): Takes(),
    ("GET", "/static/<filename>"): Takes(),
}
VALUE = st.one_of(st.sampled_from(NASTY), st.text(max_size=40))
MEMBER = st.recursive(
    st.one_of(VALUE, st.integers(-(2**70), 2**70), st.booleans(), st.none(), st.floats(allow_nan=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(VALUE, inner, max_size=3)),
    max_leaves=6,
)


class Call(NamedTuple):
    """One generated request."""

    who: str
    address: list[str]  # the path's parameters
    query: list[tuple[str, str]]
    headers: dict[str, str]
    form: list[tuple[str, str]] | None
    body: bytes | None
    content_type: str | None
    kind: str = "product"


@st.composite
def calls(draw: st.DrawFn, takes: Takes) -> Call:
    """Generate requests with most of a route's fields, and sometimes with an unknown field or body."""

    def some(names: tuple[str, ...], value: st.SearchStrategy[Any]) -> list[tuple[str, Any]]:
        known = [(name, draw(value)) for name in names if draw(st.integers(0, 4))]
        return known + ([(draw(VALUE), draw(value))] if draw(st.integers(0, 7)) == 0 else [])

    form = body = content_type = None
    if takes.body and (not takes.form or draw(st.booleans())):
        body, content_type = json.dumps(dict(some(takes.body, MEMBER))).encode(), "application/json"
    elif takes.form:
        form = some(takes.form, VALUE)
    if draw(st.integers(0, 9)) == 0:
        form, body = None, draw(st.one_of(st.sampled_from(BYTES), st.binary(max_size=60)))
        content_type = draw(st.sampled_from((*READ_AS, *NEVER_READ)))
    return Call(
        who=draw(st.sampled_from(WHO)),
        address=[draw(st.one_of(st.sampled_from(["1", "2", "6", "client-1"]), VALUE)) for _ in range(2)],
        query=some(takes.query, VALUE),
        headers={"Accept": draw(st.sampled_from(["*/*", "application/json", "text/html"]))},
        form=form,
        body=body,
        content_type=content_type,
        kind=draw(st.sampled_from(KINDS)),
    )


@pytest.fixture
def people(app: Flask, cast: Cast, visit: type[Visitor]) -> Callable[[str], Visitor]:
    """`people("ada")` returns her browser, signed in with her permissions, whatever earlier requests changed."""
    record = make_client(MARK, notes=MARK, email="a@b.example", adviser_id=cast.amelia.id)
    make_person(record, MARK, MARK)
    make_product(record, (date(2026, 3, 31), "5"))
    db.session.add(ClientGrant(client_id=record.id, profile_id=cast.daniel.id))
    operations.save_entry(record, Entry(CLIENT), edit_from(1, cast.ada.id, {"phone": MARK[:40], "notes": ""}))
    totp.begin_enrolment(cast.rhys.id, settings_for(""))
    hashed = hashing.hash_password(PASSWORD)
    db.session.execute(text("UPDATE profiles SET first_name = :mark, last_name = :mark"), {"mark": MARK})
    db.session.commit()
    seated: dict[str, Visitor] = {}

    def browser(name: str) -> Visitor:
        if name == "signed-out":
            return visit(None)
        as_it_was = {"id": getattr(cast, name).id, "hashed": hashed, "role": ROLES[name]}
        if name not in seated or not db.session.scalar(text(IS_AS_IT_WAS), as_it_was):
            for statement in RESTORE:
                db.session.execute(text(statement), as_it_was)
            db.session.commit()
            seated[name] = visit(getattr(cast, name)).with_token()
        db.session.rollback()
        return seated[name]

    return browser


def test_each_route_is_in_the_table(app: Flask) -> None:
    assert routes_of(app) == set(FIELDS)


@pytest.mark.parametrize(("method", "rule"), FIELDS, ids=lambda part: part)
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_random_request_causes_no_5xx_and_no_injection(
    app: Flask, people: Callable[[str], Visitor], data: st.DataObject, method: str, rule: str
) -> None:
    call = data.draw(calls(FIELDS[method, rule]))
    look_at(send(app, people(call.who), method, rule, call))


@pytest.mark.parametrize(("method", "rule"), [route for route in FIELDS if route[0] != "GET"], ids=lambda part: part)
def test_malformed_body_causes_no_5xx(app: Flask, people: Callable[[str], Visitor], method: str, rule: str) -> None:
    bodies = [*product(BYTES, READ_AS), *((BYTES[0], other) for other in NEVER_READ)]
    for body, sent_as in bodies[first_turn(method, rule) :: STEP]:
        look_at(send(app, people("ada"), method, rule, Call("ada", ["1", "1"], [], {}, None, body, sent_as)))


@pytest.mark.parametrize(
    ("method", "rule"), [route for route, takes in FIELDS.items() if any(takes)], ids=lambda part: part
)
def test_hostile_field_value_causes_no_5xx_and_no_injection(
    app: Flask, people: Callable[[str], Visitor], method: str, rule: str
) -> None:
    """Send one hostile field at a time, so that the error of one does not hide the next."""
    takes = FIELDS[method, rule]
    for turn in range(first_turn(method, rule), len(NASTY), STEP):

        def with_values(names: tuple[str, ...], turn: int = turn) -> list[tuple[str, str]]:
            return [(name, NASTY[(turn + 7 * place) % len(NASTY)]) for place, name in enumerate(names)]

        body = json.dumps(dict(with_values(takes.body))).encode() if takes.body and not takes.form else None
        form = with_values(takes.form) if takes.form else None
        address = [NASTY[turn] if turn % 2 else "1" if "_id" in rule else "client-1", "1"]
        sent_as = "application/json" if body else None
        call = Call("ada", address, with_values(takes.query), {}, form, body, sent_as, KINDS[turn % 3])
        look_at(send(app, people("ada"), method, rule, call))


def first_turn(method: str, rule: str) -> int:
    """Return the first index of a partial run for this route."""
    return list(FIELDS).index((method, rule)) % STEP


def send(app: Flask, browser: Visitor, method: str, rule: str, call: Call) -> TestResponse:
    places = iter(call.address)
    path = rule.replace("/static/<filename>", f"{app.static_url_path}/<filename>").replace("<kind>", call.kind)
    path = re.sub("<[^>]+>", lambda _: quote(next(places).encode("utf-8", "surrogatepass"), safe=""), path)
    query = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in call.query)
    options: dict[str, Any] = {"headers": call.headers}
    if call.form is not None:
        options["data"] = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in call.form)
        options["content_type"] = "application/x-www-form-urlencoded"
    elif call.body is not None:
        options |= {"data": call.body, "content_type": call.content_type}
    answer = browser.call(method, f"{path}?{query}", buffered=not rule.endswith("/events"), **options)
    if answer.is_streamed:  # and has no end
        answer.close()
    return answer


def look_at(answer: TestResponse) -> None:
    assert answer.status_code < 500
    for name, value in answer.headers.items():
        assert "\r" not in value, name
        assert "\n" not in value, name
        assert name.lower() != "x-injected"
    assert "x=1" not in answer.headers.get("Set-Cookie", "")
    assert urlsplit(answer.headers.get("Location", "/")).netloc in ("", "localhost")
    if answer.mimetype == "text/html":
        assert "<i>fuzz" not in answer.text
        assert "><script>" not in answer.text
    else:
        assert answer.mimetype in NOT_PAGES
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def _quoted(text: str) -> str:
    return quote_from_bytes(text.encode("utf-8", "surrogatepass"))
