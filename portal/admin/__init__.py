"""What only administrators see: the users, the audit; `flask audit`."""

from flask import Flask

from portal.admin import audit_cli, audit_views, users_views

__all__ = ["init_admin"]


def init_admin(app: Flask) -> None:
    """Register the pages and commands."""
    app.register_blueprint(users_views.blueprint)
    app.register_blueprint(audit_views.blueprint)
    app.cli.add_command(audit_cli.audit)
