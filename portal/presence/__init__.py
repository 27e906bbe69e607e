"""Who is on which page: beats, rosters, cleaning up, `flask presence`."""

from flask import Flask

from portal.extensions import PRESENCE_BIND, db
from portal.live import init_live
from portal.presence import cli, models, store, views
from portal.presence.live_source import PresenceSource

__all__ = ["init_presence", "models"]


def init_presence(app: Flask) -> None:
    """Register the API and the commands, and tell the live hub what a roster is.

    Comes after the features have registered their page kinds.
    """
    with app.app_context():
        store.init_store(db.engines[PRESENCE_BIND])
    init_live(app, PresenceSource(app.config["SETTINGS"].presence))
    app.register_blueprint(views.blueprint)
    app.cli.add_command(cli.presence)
