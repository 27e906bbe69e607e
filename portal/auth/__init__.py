"""Profiles, sign-in, sign-out and `flask users`."""

from flask import Flask

from portal.auth import account_views, cli, password_views, signed_in, views
from portal.auth.models import Profile
from portal.extensions import login_manager

__all__ = ["Profile", "init_auth"]


def init_auth(app: Flask) -> None:
    """Tell Flask-Login how to find the profile of a sign-in session; register the pages and commands."""
    login_manager.session_protection = None  # its row ends a session; a changed address is no reason to
    login_manager.user_loader(signed_in.profile_of_session)
    app.before_request(signed_in.note_use)
    app.add_template_global(signed_in.seconds_left_here, "seconds_left")
    for each in (views, account_views, password_views):
        app.register_blueprint(each.blueprint)
    app.cli.add_command(cli.users)
