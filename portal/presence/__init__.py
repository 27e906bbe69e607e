"""Track which users are on which page: heartbeats, rosters, cleanup and `flask presence`."""

from functools import partial

from flask import Flask

from portal.auth.signals import sessions_ended, sharing_changed
from portal.config.current import current_settings
from portal.editing.drafts.signals import drafts_changed
from portal.editing.drafts.store import DraftKey
from portal.extensions import PRESENCE_BIND, db
from portal.live import init_live
from portal.live.outbox import after_commit
from portal.presence import cli, help_views, models, removal, shared_drafts, views
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
    drafts_changed.connect(_notify_editors_after_commit)
    sharing_changed.connect(_notify_pages_after_commit)
    app.register_blueprint(views.blueprint)
    app.register_blueprint(help_views.blueprint)
    app.cli.add_command(cli.presence)


def _clear_after_commit(_sender: object, *, profile_id: int | None) -> None:
    """Remove the profile from every page, None for all profiles, once the transaction has committed."""
    after_commit(partial(removal.clear_profile, profile_id=profile_id) if profile_id else removal.clear_all)


def _notify_editors_after_commit(_sender: object, *, key: DraftKey) -> None:
    """Notify the other editors of a form of a changed draft, once the transaction has committed."""
    after_commit(partial(shared_drafts.notify_editors, key=key, timings=current_settings().presence))


def _notify_pages_after_commit(_sender: object, *, profile_id: int) -> None:
    """Notify the pages of a profile that shows or hides its unsaved values, once the transaction has committed."""
    after_commit(partial(removal.notify_pages_of, profile_id=profile_id))
