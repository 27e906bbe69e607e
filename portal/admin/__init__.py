"""Serve the pages for administrators, the users and the audit log, and define `flask audit`."""

from flask import Flask

from portal.admin.audit import cli, views
from portal.admin.users import views as users_views

__all__ = ["init_admin"]


def init_admin(app: Flask) -> None:
    """Register the pages and commands."""
    app.register_blueprint(users_views.blueprint)
    app.register_blueprint(views.blueprint)
    app.cli.add_command(cli.audit)
