"""Every route, tried by everybody. A route that is not in the table fails the test that finds it.

`sign-in` stands for a redirect to the sign-in page, `client` for one to the client page. `no token` is Amelia's
browser, tricked into the call by another site: it has her cookie but not her CSRF token.
"""

import re
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.cast import Cast, make_profile
from tests.reading import form_of
from tests.records import make_client
from tests.visitor import Visitor

Visit = type[Visitor]
# Sent by several, one after the other, from one version: the same as is saved already is no change and no conflict.
CHANGE = {"version": "1", "name": "Whitmore", "client_type": "family", "status": "active", "capacity_for_loss": ""}
SOMEBODY_ELSE = 6  # none of those who call, whom what is done would sign out
FORMS = {"/clients/<client_id>/edit": CHANGE, "/users/<profile_id>/role": {"role": "reader"}}
PEOPLE = ("amelia", "daniel", "ada", "rhys", "olga", "nobody", "no token")
TABLE = """
    GET    /                                     clients   clients   clients   clients   sign-in   sign-in   -
    GET    /clients                              200       200       200       200       sign-in   sign-in   -
    GET    /clients/<client_id>                  200       200       200       200       sign-in   sign-in   -
    GET    /clients/<client_id>/edit             200       200       200       403       sign-in   sign-in   -
    POST   /clients/<client_id>/edit             client    client    client    403       sign-in   sign-in   403
    GET    /clients/<client_id>/changes          200       200       200       200       401       401       -
    GET    /sign-in                              clients   clients   clients   clients   200       200       -
    POST   /sign-in                              422       422       422       422       422       422       403
    POST   /sign-out                             sign-in   sign-in   sign-in   sign-in   sign-in   sign-in   403
    GET    /sign-in/code                         sign-in   sign-in   sign-in   sign-in   sign-in   sign-in   -
    POST   /sign-in/code                         sign-in   sign-in   sign-in   sign-in   sign-in   sign-in   403
    GET    /sign-in/set-up                       sign-in   sign-in   sign-in   sign-in   sign-in   sign-in   -
    POST   /sign-in/set-up                       sign-in   sign-in   sign-in   sign-in   sign-in   sign-in   403
    GET    /choose-password                      200       200       200       200       200       200       -
    POST   /choose-password                      422       422       422       422       422       422       403
    GET    /account                              200       200       200       200       sign-in   sign-in   -
    POST   /account/password                     422       422       422       422       sign-in   sign-in   403
    POST   /account/second-factor                422       422       422       422       sign-in   sign-in   403
    GET    /account/second-factor                account   account   account   account   sign-in   sign-in   -
    POST   /account/second-factor/confirm        account   account   account   account   sign-in   sign-in   403
    POST   /account/second-factor/remove         422       422       422       422       sign-in   sign-in   403
    POST   /account/recovery-codes               422       422       422       422       sign-in   sign-in   403
    POST   /account/sessions                     422       422       422       422       sign-in   sign-in   403
    GET    /signed-in                            200       200       200       200       sign-in   sign-in   -
    GET    /session                              200       200       200       200       401       401       -
    POST   /session                              200       200       200       200       401       401       403
    POST   /user_page_presence                   200       200       200       200       401       401       403
    GET    /user_page_presence                   200       200       200       200       401       401       -
    DELETE /user_page_presence                   200       200       200       200       401       401       403
    GET    /user_page_presence/<page_identifier> 200       200       200       200       401       401       -
    DELETE /user_page_presence/<page_identifier> 200       200       200       200       401       401       403
    PUT    /edit_drafts/<page_identifier>        200       200       200       403       401       401       403
    DELETE /edit_drafts/<page_identifier>        200       200       200       403       401       401       403
    POST   /discard_draft/<page_identifier>      clients   clients   clients   403       sign-in   sign-in   403
    GET    /users                                403       403       200       403       sign-in   sign-in   -
    GET    /users/new                            403       403       200       403       sign-in   sign-in   -
    POST   /users/new                            403       403       422       403       sign-in   sign-in   403
    GET    /users/<profile_id>                   403       403       200       403       sign-in   sign-in   -
    POST   /users/<profile_id>/role              403       403       user      403       sign-in   sign-in   403
    POST   /users/<profile_id>/activate          403       403       user      403       sign-in   sign-in   403
    POST   /users/<profile_id>/deactivate        403       403       user      403       sign-in   sign-in   403
    POST   /users/<profile_id>/password-code     403       403       200       403       sign-in   sign-in   403
    POST   /users/<profile_id>/reset-second-factor 403     403       user      403       sign-in   sign-in   403
    POST   /users/<profile_id>/sign-out          403       403       user      403       sign-in   sign-in   403
    POST   /users/<profile_id>/unlock            403       403       user      403       sign-in   sign-in   403
    GET    /audit                                403       403       200       403       sign-in   sign-in   -
    GET    /audit.csv                            403       403       200       403       sign-in   sign-in   -
    GET    /healthz                              200       200       200       200       200       200       -
    GET    /readyz                               200       200       200       200       200       200       -
    GET    /static/<filename>                    200       200       200       200       200       200       -
"""
ROWS = {(row[0], row[1]): dict(zip(PEOPLE, row[2:], strict=True)) for row in map(str.split, TABLE.split("\n")) if row}


def routes_of(app: Flask) -> set[tuple[str, str]]:
    """(method, rule) of every route, without converters and the static folder's digest."""
    return {
        (method, re.sub(r"<[^<>]*?(\w+)>", r"<\1>", re.sub(r"^/static/\w+/", "/static/", rule.rule)))
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }


def test_every_route_is_in_the_table(app: Flask) -> None:
    assert routes_of(app) == set(ROWS)


def test_every_unsafe_route_is_tried_without_a_token() -> None:
    assert {method for (method, _), expected in ROWS.items() if expected["no token"] == "-"} == {"GET"}


@pytest.mark.parametrize(("method", "rule"), ROWS, ids=lambda part: part)
def test_each_protected_call_is_tried_by_each_of_them(
    app: Flask, visit: Visit, cast: Cast, olgas_browser: Visitor, method: str, rule: str
) -> None:
    make_client("Whitmore")
    assert make_profile("Zoe", "Hall").id == SOMEBODY_ELSE
    browsers = {
        "amelia": visit(cast.amelia),
        "daniel": visit(cast.daniel),
        "ada": visit(cast.ada),
        "rhys": visit(cast.rhys),
        "olga": olgas_browser,
        "nobody": _stranger(visit),
        "no token": visit(cast.amelia).without_token(),
    }

    met = {name: _call(app, browser, method, rule) for name, browser in browsers.items()}

    expected = ROWS[method, rule]
    assert {name: _outcome(answer) for name, answer in met.items() if expected[name] != "-"} == {
        name: outcome for name, outcome in expected.items() if outcome != "-"
    }


def _stranger(visit: Visit) -> Visitor:
    """Nobody signed in, but with a CSRF token, as anybody gets it with the sign-in page."""
    browser = visit(None)
    browser._token = form_of(browser.get("/sign-in"))["csrf_token"]
    return browser


def _call(app: Flask, browser: Visitor, method: str, rule: str) -> TestResponse:
    path = (
        rule.replace("<client_id>", "1")
        .replace("<profile_id>", str(SOMEBODY_ELSE))
        .replace("<page_identifier>", "client-1")
    )
    path = path.replace("/static/<filename>", f"{app.static_url_path}/favicon.svg")
    if (method, path) == ("POST", "/user_page_presence"):
        return browser.beat("client-1")
    if (method, path) == ("GET", "/user_page_presence"):
        path += "?page=client-1"
    if rule.endswith("/changes"):
        path += "?since=0"
    if "draft" in path:
        path += "?form=record"
    if path.startswith("/discard_draft"):
        return browser.call(method, path, data={"back": "/clients"})
    if method == "PUT":
        return browser.call(method, path, json={"version": 1, "values": {"phone": "1"}})
    return browser.call(method, path, **({"data": FORMS[rule]} if method == "POST" and rule in FORMS else {}))


def _outcome(answer: TestResponse) -> str:
    if answer.status_code == 302:
        path = answer.headers["Location"].split("?")[0]
        return {"/clients/1": "client", f"/users/{SOMEBODY_ELSE}": "user"}.get(path) or Path(path).name
    return str(answer.status_code)
