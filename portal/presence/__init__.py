"""Who is on which page: beats, rosters, cleaning up, `flask presence`."""

from functools import partial

from flask import Flask

from portal.auth.signals import sessions_ended
from portal.extensions import PRESENCE_BIND, db
from portal.live import init_live
from portal.live.outbox import after_commit
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
    sessions_ended.connect(_clear_after_commit)
    app.register_blueprint(views.blueprint)
    app.cli.add_command(cli.presence)


def _clear_after_commit(_sender: object, *, profile_id: int | None) -> None:
    """Remove the profile from every page, None for all profiles, once the transaction has committed."""
    after_commit(partial(store.clear_profile, profile_id=profile_id) if profile_id else store.clear_all)
