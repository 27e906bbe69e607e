"""Health checks and metrics for load balancers and monitoring. They need no sign-in session."""

import hmac
from http import HTTPStatus

from flask import Blueprint, Flask, Response, abort, request
from flask.typing import ResponseReturnValue

from portal.config.current import current_settings
from portal.database import state
from portal.extensions import csrf, db
from portal.monitoring import metrics

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Return 200 while the process runs."""
    return {"status": "ok"}


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Return 200 when the portal can serve, and otherwise 503 with the reason.

    The database must answer and accept writes, and have the privileges and migrations that this release needs.
    """
    connection = db.session.connection()
    if state.is_read_only(connection):
        return {"status": "the database is read-only"}, 503
    if state.missing_privileges(connection):
        return {"status": "the database role lacks privileges: run `flask doctor`"}, 503
    if state.schema_of(connection) == "older":
        return {"status": "migrations are not current: run `flask db upgrade`"}, 503
    return {"status": "ready"}


@blueprint.get("/metrics")
def show_metrics() -> ResponseReturnValue:
    """Return the metrics for requests with PORTAL_METRICS_TOKEN. 401 for any other, and 404 if no token is set."""
    token = current_settings().metrics_token
    if token is None:
        abort(HTTPStatus.NOT_FOUND)
    given = request.headers.get("Authorization", "").encode()
    if not hmac.compare_digest(given, f"Bearer {token}".encode()):
        return Response(status=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
    return Response(metrics.exposition(), content_type=metrics.CONTENT_TYPE)


def init_health(app: Flask) -> None:
    csrf.exempt(blueprint)
    app.register_blueprint(blueprint)
