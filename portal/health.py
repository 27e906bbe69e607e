"""What a load balancer asks: is this process alive, and can it serve? Neither needs a sign-in session."""

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, Flask, current_app
from flask.typing import ResponseReturnValue

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
    wanted = ScriptDirectory(current_app.config["MIGRATIONS_FOLDER"]).get_heads()
    if set(current) != set(wanted):
        return {"status": "migrations are not current: run `flask db upgrade`"}, 503
    return {"status": "ready"}


def init_health(app: Flask) -> None:
    csrf.exempt(blueprint)
    app.register_blueprint(blueprint)
