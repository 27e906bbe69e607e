"""`flask db downgrade` only for whoever says that what it destroys may be lost. Called by `create_app`."""

from typing import Any

import click
from flask import Flask
from flask_migrate.cli import db as migrations  # type: ignore[import-not-found]  # the stubs leave it out

NEEDED = "--yes-i-lose-data"


def init_downgrading(app: Flask) -> None:
    """Replace Flask-Migrate's command, which its own group has and the application cannot override."""
    migrations.add_command(guarded(migrations.commands["downgrade"]))


def guarded(command: click.Command) -> click.Command:
    """Return the command with the option; the same for one that has it already."""
    if any(NEEDED in parameter.opts for parameter in command.params):
        return command

    @click.pass_context
    def ask_first(ctx: click.Context, /, yes_i_lose_data: bool, **arguments: Any) -> Any:
        if not yes_i_lose_data:
            raise click.ClickException(
                "flask db downgrade destroys what the newer tables and columns hold. To go back to the release before, "
                "start its code: it works with this schema. To downgrade all the same, after a backup, add "
                f"{NEEDED}."
            )
        return ctx.invoke(command, **arguments)

    option = click.Option([NEEDED], is_flag=True, help="Destroy what the newer tables and columns hold.")
    return click.Command(
        command.name, params=[*command.params, option], callback=ask_first, help=command.help, epilog=command.epilog
    )
