"""Test the response of each route to each kind of caller. A route that is missing in the table fails a test.

`sign-in` stands for a redirect to the sign-in page, `client` for the client page and so on. `no token` is Amelia's
browser, tricked into the call by another site: it has her cookie but not her CSRF token. Of several who remove the same
part one after the other the first does.

Carys of compliance gets what Rhys the reader gets. Piers the paraplanner gets what Daniel gets, who is not the client's
adviser. BY_ROLE has the exceptions.
"""

import json
import re
from collections.abc import Collection
from itertools import product
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from flask import Flask
from werkzeug.test import TestResponse

from portal.auth.permissions import PUBLIC_ENDPOINTS
from portal.clients import ClientGrant
from portal.extensions import db
from tests.support.cast import Cast, make_profile
from tests.support.html import form_of
from tests.support.routes import OTHER_PROFILE_ID, REQUEST_BODIES, make_records, path_of, routes_of
from tests.support.test_client import Visitor

Visit = type[Visitor]
Route = tuple[str, str]
PEOPLE = ("amelia", "daniel", "ada", "rhys", "olga", "signed-out", "no token")
TABLE = """
    GET    /                                     200       200       200       200       sign-in   sign-in   -
    GET    /clients                              200       200       200       200       sign-in   sign-in   -
    GET    /clients/new                          200       200       200       403       sign-in   sign-in   -
    POST   /clients/new                          422       422       422       403       sign-in   sign-in   403
    POST   /clients/bulk                         200       200       200       403       401       401       403
    GET    /clients/order                        200       200       200       200       sign-in   sign-in   -
    GET    /clients.csv                          200       200       200       200       sign-in   sign-in   -
    GET    /clients/sum                          200       200       200       200       sign-in   sign-in   -
    GET    /clients/search                       200       200       200       200       401       401       -
    GET    /clients/<client_id>                  200       200       200       200       sign-in   sign-in   -
    GET    /clients/<client_id>/edit             200       200       200       403       sign-in   sign-in   -
    POST   /clients/<client_id>/edit             client    client    client    403       sign-in   sign-in   403
    GET    /clients/<client_id>/changes          200       200       200       200       401       401       -
    GET    /clients/<client_id>/changes/<day>    200       200       200       200       401       401       -
    GET    /lost_access                          404       404       404       404       401       401       -
    POST   /clients/<client_id>/merge            200       200       200       403       401       401       403
    POST   /clients/<client_id>/merge_unsaved    200       200       200       403       401       401       403
    POST   /clients/<client_id>/<kind>/same      200       200       200       403       401       401       403
    GET    /clients/<client_id>/product/<product_id> 200   200       200       200       sign-in   sign-in   -
    GET    /clients/<client_id>/<kind>/new       200       200       200       403       sign-in   sign-in   -
    POST   /clients/<client_id>/<kind>/new       client    422       422       403       sign-in   sign-in   403
    GET    /clients/<client_id>/<kind>/<part_id>/edit 200  200       200       403       sign-in   sign-in   -
    POST   /clients/<client_id>/<kind>/<part_id>/edit client client  client    403       sign-in   sign-in   403
    GET    /clients/<client_id>/<kind>/<part_id>/remove 200 200      200       403       sign-in   sign-in   -
    POST   /clients/<client_id>/<kind>/<part_id>/remove client 409   409       403       sign-in   sign-in   403
    GET    /clients/<client_id>/product/<product_id>/valuation/new 200 200 200 403       sign-in   sign-in   -
    POST   /clients/<client_id>/product/<product_id>/valuation/new product 422 422 403   sign-in   sign-in   403
    GET    /clients/<client_id>/notes/mentionable 200    200       200       403       sign-in   sign-in   -
    POST   /clients/<client_id>/notes            client    client    client    403       sign-in   sign-in   403
    GET    /clients/<client_id>/notes/<note_id>  200       200       200       200       sign-in   sign-in   -
    GET    /clients/<client_id>/notes/<note_id>/edit 200   403       403       403       sign-in   sign-in   -
    POST   /clients/<client_id>/notes/<note_id>/edit client 403      403       403       sign-in   sign-in   403
    GET    /clients/<client_id>/notes/<note_id>/redact 403 403       200       403       sign-in   sign-in   -
    POST   /clients/<client_id>/notes/<note_id>/redact 403 403       client    403       sign-in   sign-in   403
    GET    /clients/<client_id>/review           200       200       200       403       sign-in   sign-in   -
    POST   /clients/<client_id>/review           client    client    client    403       sign-in   sign-in   403
    GET    /clients/<client_id>/valuations       200       200       200       403       sign-in   sign-in   -
    POST   /clients/<client_id>/valuations       client    client    client    403       sign-in   sign-in   403
    GET    /clients/<client_id>/history          200       200       200       200       sign-in   sign-in   -
    GET    /clients/<client_id>/history/<version>/revert 200 200     200       403       sign-in   sign-in   -
    POST   /clients/<client_id>/history/<version>/revert history history history 403     sign-in   sign-in   403
    POST   /clients/<client_id>/overruled/<version>/dismiss client client client client  sign-in   sign-in   403
    GET    /clients/<client_id>/visit            204       204       204       204       sign-in   sign-in   -
    POST   /clients/<client_id>/visit            200       200       200       200       401       401       403
    GET    /clients/<client_id>/access           200       403       200       403       sign-in   sign-in   -
    POST   /clients/<client_id>/access           access    403       access    403       sign-in   sign-in   403
    POST   /clients/<client_id>/access/grant     access    403       422       403       sign-in   sign-in   403
    POST   /clients/<client_id>/access/<grant_id>/revoke access 403  409       403       sign-in   sign-in   403
    GET    /sign-in                              desk      desk      desk      desk      200       200       -
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
    POST   /account/unsaved-values               account   account   account   account   sign-in   sign-in   403
    POST   /account/single-keys                  account   account   account   account   sign-in   sign-in   403
    GET    /notifications                        200       200       200       200       sign-in   sign-in   -
    GET    /notifications/<notification_id>      history   404       404       404       sign-in   sign-in   -
    POST   /notifications/read                   news      news      news      news      sign-in   sign-in   403
    POST   /notifications/kinds                  account   account   account   account   sign-in   sign-in   403
    GET    /help/editing-together                200       200       200       200       sign-in   sign-in   -
    GET    /signed-in                            200       200       200       200       sign-in   sign-in   -
    GET    /session                              200       200       200       200       401       401       -
    POST   /session                              200       200       200       200       401       401       403
    POST   /user_page_presence                   200       200       200       200       401       401       403
    GET    /user_page_presence                   200       200       200       200       401       401       -
    DELETE /user_page_presence                   200       200       200       200       401       401       403
    GET    /user_page_presence/<page_identifier> 200       200       200       200       401       401       -
    DELETE /user_page_presence/<page_identifier> 200       200       200       200       401       401       403
    GET    /user_page_presence/<page_identifier>/events 200 200      200       200       401       401       -
    GET    /user_page_presence/events            200       200       200       200       401       401       -
    GET    /user_page_presence/<page_identifier>/drafts 200 200      200       200       401       401       -
    POST   /user_page_presence/<page_identifier>/nudge 200  200      200       422       401       401       403
    PUT    /edit_drafts/<page_identifier>        200       200       200       403       401       401       403
    DELETE /edit_drafts/<page_identifier>        200       200       200       403       401       401       403
    POST   /discard_draft/<page_identifier>      clients   clients   clients   403       sign-in   sign-in   403
    GET    /users                                403       403       200       403       sign-in   sign-in   -
    GET    /users/new                            403       403       200       403       sign-in   sign-in   -
    POST   /users/new                            403       403       422       403       sign-in   sign-in   403
    GET    /users/<profile_id>                   403       403       200       403       sign-in   sign-in   -
    GET    /users/<profile_id>/details           403       403       200       403       sign-in   sign-in   -
    POST   /users/<profile_id>/details           403       403       422       403       sign-in   sign-in   403
    GET    /users/<profile_id>/hand-over         403       403       200       403       sign-in   sign-in   -
    POST   /users/<profile_id>/hand-over         403       403       422       403       sign-in   sign-in   403
    POST   /users/<profile_id>/hand-over/step    403       403       403       403       sign-in   sign-in   403
    POST   /users/<profile_id>/role              403       403       user      403       sign-in   sign-in   403
    POST   /users/<profile_id>/activate          403       403       user      403       sign-in   sign-in   403
    POST   /users/<profile_id>/deactivate        403       403       user      403       sign-in   sign-in   403
    POST   /users/<profile_id>/password-code     403       403       200       403       sign-in   sign-in   403
    POST   /users/<profile_id>/reset-second-factor 403     403       user      403       sign-in   sign-in   403
    POST   /users/<profile_id>/sign-out          403       403       user      403       sign-in   sign-in   403
    POST   /users/<profile_id>/unlock            403       403       user      403       sign-in   sign-in   403
    GET    /records/export                       403       403       200       403       sign-in   sign-in   -
    POST   /records/export                       403       403       422       403       sign-in   sign-in   403
    GET    /records/import                       403       403       200       403       sign-in   sign-in   -
    POST   /records/import                       403       403       422       403       sign-in   sign-in   403
    POST   /records/import/apply                 403       403       import    403       sign-in   sign-in   403
    POST   /records/import/discard               403       403       import    403       sign-in   sign-in   403
    GET    /records/import/progress              403       403       200       403       sign-in   sign-in   -
    GET    /records/import/details.csv           403       403       404       403       sign-in   sign-in   -
    GET    /audit                                403       403       200       403       sign-in   sign-in   -
    GET    /audit.csv                            403       403       200       403       sign-in   sign-in   -
    GET    /reads                                403       403       200       403       sign-in   sign-in   -
    GET    /reads.csv                            403       403       200       403       sign-in   sign-in   -
    GET    /healthz                              200       200       200       200       200       200       -
    GET    /readyz                               200       200       200       200       200       200       -
    GET    /metrics                              404       404       404       404       404       404       -
    GET    /static/<filename>                    200       200       200       200       200       200       -
"""
BY_ROLE = {
    ("GET", "/audit"): {"carys": "200"},
    ("GET", "/audit.csv"): {"carys": "200"},
    ("GET", "/reads"): {"carys": "200"},
    ("GET", "/reads.csv"): {"carys": "200"},
}
ROWS = {(row[0], row[1]): dict(zip(PEOPLE, row[2:], strict=True)) for row in map(str.split, TABLE.split("\n")) if row}
for route, expected in ROWS.items():
    expected.update({"carys": expected["rhys"], "piers": expected["daniel"]} | BY_ROLE.get(route, {}))
# Routes that do something for a visitor without a session. The steps of signing in redirect to its first page.
PUBLIC_ROUTES = {rule for (_, rule), expected in ROWS.items() if expected["signed-out"] not in ("sign-in", "401")} | {
    "/sign-in/code",
    "/sign-in/set-up",
}


def test_each_route_is_in_the_table(app: Flask) -> None:
    assert routes_of(app) == set(ROWS)
    assert set(BY_ROLE) <= set(ROWS)


def test_each_unsafe_route_has_a_result_without_a_token() -> None:
    assert {method for (method, _), expected in ROWS.items() if expected["no token"] == "-"} == {"GET"}


def test_routes_that_the_access_matrix_shows_as_public_are_those_of_the_list(app: Flask) -> None:
    rules = {
        rule.endpoint for rule in app.url_map.iter_rules() if rule.rule in PUBLIC_ROUTES or "/static/" in rule.rule
    }
    assert rules == PUBLIC_ENDPOINTS


def each_or_all_safe(rows: Collection[Route]) -> list[ParameterSet]:
    """Return the routes for parametrize: each unsafe one alone, and all others together, which change no record."""
    alone = [pytest.param([route], id=" ".join(route)) for route in rows if route[0] != "GET"]
    safe = [route for route in rows if route[0] == "GET"]
    return [*alone, pytest.param(safe, id="GET", marks=pytest.mark.statements)]


@pytest.mark.parametrize("routes", each_or_all_safe(ROWS))
def test_route_responds_to_each_caller_as_the_table_says(
    app: Flask, visit: Visit, cast: Cast, olgas_browser: Visitor, routes: list[Route]
) -> None:
    make_records(cast)
    assert make_profile("Zoe", "Hall").id == OTHER_PROFILE_ID
    carys, piers = make_profile("Carys", "Lloyd", "compliance"), make_profile("Piers", "Gray", "paraplanner")
    browsers = {
        "amelia": visit(cast.amelia),
        "daniel": visit(cast.daniel),
        "ada": visit(cast.ada),
        "rhys": visit(cast.rhys),
        "carys": visit(carys),
        "piers": visit(piers),
        "olga": olgas_browser,
        "signed-out": _stranger(visit),
        "no token": visit(cast.amelia).without_token(),
    }

    met = {
        route: {name: _outcome(_call(app, browser, *route)) for name, browser in browsers.items() if _asks(name, route)}
        for route in routes
    }

    assert met == {
        route: {name: outcome for name, outcome in ROWS[route].items() if _asks(name, route)} for route in routes
    }


def _asks(name: str, route: Route) -> bool:
    return ROWS[route][name] != "-"


# What a client's own pages and calls have in their addresses.
OF_A_CLIENT = [(method, rule) for method, rule in ROWS if re.search("client_id|page_identifier", rule)]
BY_BODY = [("POST", "/user_page_presence"), ("GET", "/user_page_presence")]


@pytest.mark.parametrize("routes", each_or_all_safe([*OF_A_CLIENT, *BY_BODY]))
def test_restricted_client_looks_like_a_missing_one_without_access(
    app: Flask, visit: Visit, cast: Cast, routes: list[Route]
) -> None:
    """Without access both responses are identical. With access the client looks like any other."""
    client = make_records(cast, is_restricted=True)
    carys, piers = make_profile("Carys", "Lloyd", "compliance"), make_profile("Piers", "Gray", "paraplanner")
    people = {"amelia": cast.amelia, "daniel": cast.daniel, "ada": cast.ada, "rhys": cast.rhys}
    browsers = {name: visit(profile) for name, profile in (people | {"carys": carys, "piers": piers}).items()}
    for route, name in product(routes, ("daniel", "rhys", "piers")):
        hidden = _call(app, browsers[name], *route)
        missing = _call(app, browsers[name], *route, client_id="1000")
        assert (hidden.status_code, _told(hidden)) == (missing.status_code, _told(missing)), route
        # A save that is refused shows what was sent, to be copied.
        is_sent = "Whitmore" in str(REQUEST_BODIES.get(route))
        assert is_sent or "Whitmore" not in hidden.text, route
        assert hidden.status_code == 404 or route == ("GET", "/user_page_presence")

    let_in = [ClientGrant(client_id=client.id, profile_id=each.id) for each in (cast.daniel, cast.rhys, piers)]
    db.session.add_all(let_in)
    db.session.commit()
    for route, (name, browser) in product(routes, browsers.items()):
        assert _outcome(_call(app, browser, *route)) == ROWS[route][name], (route, name)


def _told(answer: TestResponse) -> str:
    """Return the response's text without tokens, request id and remaining seconds, which differ in each call."""
    text = re.sub(r'(csrf[_-]token"[^>]*(?:value|content)=|data-seconds-\w+=)"[^"]*"', r"\1", answer.text)
    return text.replace(answer.headers.get("X-Request-ID", "\n\n"), "")


def _stranger(visit: Visit) -> Visitor:
    """Return a browser without a session but with the CSRF token of the sign-in page."""
    browser = visit(None)
    browser._token = form_of(browser.get("/sign-in"))["csrf_token"]
    return browser


def _call(app: Flask, browser: Visitor, method: str, rule: str, client_id: str = "1") -> TestResponse:
    body = json.loads(json.dumps(REQUEST_BODIES.get((method, rule), {})).replace("client-1", f"client-{client_id}"))
    path = path_of(app, rule, client_id)
    if rule.endswith("/events"):
        answer = browser.call(method, path, buffered=False)  # it would not end by itself
        answer.close()
        return answer
    if rule.endswith("/nudge"):
        browser.beat(f"client-{client_id}", tab_id="t", waiting=True)
    return browser.call(method, path, **body)


def _outcome(answer: TestResponse) -> str:
    if answer.status_code == 302:
        path = answer.headers["Location"].split("?")[0]
        redirects = {
            "/": "desk",
            "/clients/1": "client",
            "/clients/1/product/1": "product",
            f"/users/{OTHER_PROFILE_ID}": "user",
            "/notifications": "news",
        }
        return redirects.get(path) or Path(path).name
    return str(answer.status_code)
