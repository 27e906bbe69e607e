"""Refuse `flask db downgrade` without an option that accepts the loss of data."""

import click
from flask import Flask
from flask_migrate.cli import db as migrations  # type: ignore[import-not-found]  # the stubs leave it out

NEEDED = "--yes-i-lose-data"


def init_downgrading(app: Flask) -> None:
    """Replace Flask-Migrate's command in its group, because an application cannot override it."""
    migrations.add_command(guarded(migrations.commands["downgrade"]))


def guarded(command: click.Command) -> click.Command:
    """Return the command with the option, or the same command if it has the option already."""
    if any(NEEDED in parameter.opts for parameter in command.params):
        return command

    @click.pass_context
    def refuse_without_option(ctx: click.Context, /, yes_i_lose_data: bool, **arguments: object) -> object:
        if not yes_i_lose_data:
            raise click.ClickException(
                "flask db downgrade destroys the data in the newer tables and columns. To return to the previous "
                "release, start its code: it works with this schema. To downgrade anyway, after a backup, add "
                f"{NEEDED}."
            )
        return ctx.invoke(command, **arguments)

    option = click.Option([NEEDED], is_flag=True, help="Destroy the data in the newer tables and columns.")
    return click.Command(
        command.name,
        params=[*command.params, option],
        callback=refuse_without_option,
        help=command.help,
        epilog=command.epilog,
    )
