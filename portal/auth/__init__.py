"""Manage profiles, sign-in, sign-out and `flask users`."""

from flask import Flask

from portal.auth import cli, permissions
from portal.auth.models import Profile
from portal.auth.sessions import current
from portal.auth.views import account, choose_password, sign_in
from portal.extensions import login_manager

__all__ = ["Profile", "init_auth"]


def init_auth(app: Flask) -> None:
    """Configure Flask-Login to load the profile of a sign-in session, and register the pages and commands."""
    login_manager.session_protection = None  # a changed address does not end a session, deleting its row does
    login_manager.user_loader(current.profile_of_session)
    app.before_request(current.touch_session)
    app.before_request(permissions.guard_request)
    app.add_template_global(current.page_seconds_left, "seconds_left")
    for each in (sign_in, account, choose_password):
        app.register_blueprint(each.blueprint)
    app.cli.add_command(cli.users)
