"""The group that every `flask` command of the portal belongs to: foreseen errors become one line and exit code 1."""

from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy.exc import OperationalError

from portal.errors import PortalError


class CommandGroup(AppGroup):
    """A click group inside the app context whose commands raise the portal's own errors freely."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PortalError as error:
            raise click.ClickException(str(error)) from error
        except OperationalError as error:
            raise click.ClickException(f"The database cannot be used: {error.orig}") from error
