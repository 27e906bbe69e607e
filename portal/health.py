"""What machines ask: is this process alive, can it serve, how busy is it? None of them has a sign-in session."""

import hmac
from functools import lru_cache
from http import HTTPStatus

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, Flask, Response, abort, current_app, request
from flask.typing import ResponseReturnValue

from portal import metrics
from portal.extensions import csrf, db

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """200 while the process answers at all."""
    return {"status": "ok"}


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """200 when the database answers and its migrations are current, else 503 naming what is missing."""
    current = MigrationContext.configure(db.session.connection()).get_current_heads()
    if set(current) != _wanted_heads(current_app.config["MIGRATIONS_FOLDER"]):
        return {"status": "migrations are not current: run `flask db upgrade`"}, 503
    return {"status": "ready"}


@blueprint.get("/metrics")
def show_metrics() -> ResponseReturnValue:
    """Prometheus's figures, for who knows PORTAL_METRICS_TOKEN. 404 without one set, 401 for who does not know it."""
    token = current_app.config["SETTINGS"].metrics_token
    if token is None:
        abort(HTTPStatus.NOT_FOUND)
    given = request.headers.get("Authorization", "").encode()
    if not hmac.compare_digest(given, f"Bearer {token}".encode()):
        return Response(status=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
    return Response(metrics.exposition(), content_type=metrics.CONTENT_TYPE)


@lru_cache
def _wanted_heads(folder: str) -> frozenset[str]:
    """Return the newest migrations of this release. The files are read once: that costs 20 ms of CPU."""
    return frozenset(ScriptDirectory(folder).get_heads())


def init_health(app: Flask) -> None:
    csrf.exempt(blueprint)
    app.register_blueprint(blueprint)
