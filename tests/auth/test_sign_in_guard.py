"""Test the guard that requires a sign-in session for every route that is not listed as public."""

from collections.abc import Callable

from flask import Blueprint, Flask

from portal.auth.permissions import PUBLIC_ENDPOINTS, SELF_CHECKING_ENDPOINTS
from tests.support.cast import Cast
from tests.support.test_client import visitors_of


def test_route_without_any_decoration_requires_a_sign_in_session(make_app: Callable[..., Flask], cast: Cast) -> None:
    app = make_app()
    app.add_url_rule("/new", "new", lambda: "content")
    visit = visitors_of(app)

    response = visit(None).get("/new")

    assert (response.status_code, response.headers["Location"]) == (302, "/sign-in?next=/new")
    assert visit(None).get("/new", headers={"Accept": "application/json"}).status_code == 401
    assert visit(cast.rhys).get("/new").text == "content"


def test_route_of_a_new_blueprint_requires_a_sign_in_session(make_app: Callable[..., Flask], cast: Cast) -> None:
    app = make_app()
    blueprint = Blueprint("new", __name__)
    blueprint.add_url_rule("/new", "show", lambda: "content", methods=["GET", "POST"])
    app.register_blueprint(blueprint)

    assert visitors_of(app)(None).get("/new").status_code == 302


def test_unknown_url_without_a_session_is_404(make_app: Callable[..., Flask]) -> None:
    assert visitors_of(make_app())(None).get("/no-such-page").status_code == 404


def test_each_listed_endpoint_exists(app: Flask) -> None:
    assert set(app.view_functions) >= PUBLIC_ENDPOINTS | SELF_CHECKING_ENDPOINTS
