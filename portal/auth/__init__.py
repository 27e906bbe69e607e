"""Profiles, sign-in, sign-out and `flask users`."""

from flask import Flask

from portal.auth import cli, operations, views
from portal.auth.models import Profile
from portal.extensions import login_manager

__all__ = ["Profile", "init_auth"]


def init_auth(app: Flask) -> None:
    """Tell Flask-Login how to find the profile of a sign-in session; register the pages and commands."""
    login_manager.session_protection = None  # the epoch ends sessions; a changed address is no reason to
    login_manager.user_loader(operations.profile_of_session)
    app.register_blueprint(views.blueprint)
    app.cli.add_command(cli.users)
