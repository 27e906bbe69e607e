"""Define the base class of the portal's `flask` command groups."""

import copy

import click
from flask.cli import AppGroup
from sqlalchemy.exc import OperationalError

from portal.errors import PortalError


class CommandGroup(AppGroup):
    """A Click group that runs in the application context and prints a PortalError as one line, with exit code 1."""

    def add_old_name(self, old_name: str, command: click.Command) -> None:
        """Keep a command available under its old name, hidden and with a deprecation warning."""
        old = copy.copy(command)
        old.hidden, old.deprecated = True, f"Use {command.name}."
        self.add_command(old, old_name)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except PortalError as error:
            raise click.ClickException(str(error)) from error
        except OperationalError as error:
            raise click.ClickException(f"The database is unavailable: {error.orig}") from error
