"""Track which users are on which page: heartbeats, rosters, cleanup and `flask presence`."""

from functools import partial

from flask import Flask

from portal.auth.signals import sessions_ended
from portal.extensions import PRESENCE_BIND, db
from portal.live import init_live
from portal.live.outbox import after_commit
from portal.presence import cli, models, removal, views
from portal.presence.live_source import PresenceSource
from portal.presence.store import init_store

__all__ = ["init_presence", "models"]


def init_presence(app: Flask) -> None:
    """Register the API and the commands, and give the live hub its source of rosters.

    The features must have registered their page kinds before: the prepared statements contain their conditions.
    """
    timings = app.config["SETTINGS"].presence
    with app.app_context():
        init_store(app, db.engines[PRESENCE_BIND], timings)
    init_live(app, PresenceSource(timings))
    sessions_ended.connect(_clear_after_commit)
    app.register_blueprint(views.blueprint)
    app.cli.add_command(cli.presence)


def _clear_after_commit(_sender: object, *, profile_id: int | None) -> None:
    """Remove the profile from every page, None for all profiles, once the transaction has committed."""
    after_commit(partial(removal.clear_profile, profile_id=profile_id) if profile_id else removal.clear_all)
