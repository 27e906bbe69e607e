"""Create the Flask extensions without an application, so that any module can import them.

Must not import a feature package.
"""

import logging
from typing import TYPE_CHECKING

from flask import Flask
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from portal.driver.errors import DATABASE_ERRORS

logger = logging.getLogger(__name__)

CONSTRAINT_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=CONSTRAINT_NAMES)


db = SQLAlchemy(model_class=Base)
migrate = Migrate()
login_manager = LoginManager()
csrf = CSRFProtect()
PRESENCE_BIND = "presence"  # the connections of heartbeats, see portal.database.engines
LIVE_BIND = "live"  # the connection of the hub

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


def init_extensions(app: Flask) -> None:
    """Bind each extension to `app`. Opens no connection, so a server may fork afterwards."""
    db.init_app(app)
    app.teardown_appcontext(_end_transaction)  # before Flask-SQLAlchemy's, which fails without the database
    migrate.init_app(app, db, directory=app.config["MIGRATIONS_FOLDER"])
    login_manager.init_app(app)
    csrf.init_app(app)


def _end_transaction(_error: BaseException | None) -> None:
    """Release the connection. A lost database does not affect the response, which is complete."""
    try:
        db.session.remove()
    except DATABASE_ERRORS as error:
        logger.warning("connection lost after the response was complete: %s", error)
        db.session.registry.clear()
