"""Who is on which page: beats, rosters, cleaning up, `flask presence`."""

from flask import Flask

from portal.extensions import PRESENCE_BIND, db
from portal.presence import cli, models, store, views

__all__ = ["init_presence", "models"]


def init_presence(app: Flask) -> None:
    """Register the API and the commands. Comes after the features have registered their page kinds."""
    with app.app_context():
        store.init_store(db.engines[PRESENCE_BIND])
    app.register_blueprint(views.blueprint)
    app.cli.add_command(cli.presence)
