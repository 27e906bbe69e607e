"""`flask users …`: the maintainer's hand on profiles. Passwords are prompted for, never arguments."""

import click
from sqlalchemy import select

from portal.auth import operations
from portal.auth.models import ROLES, Profile
from portal.commands import CommandGroup
from portal.extensions import db

users = CommandGroup("users", help="Add, list and look after the users who can sign in.")


@users.command("add", epilog="Example: flask users add amelia@firm.example Amelia Hart --role adviser")
@click.argument("email")
@click.argument("first_name")
@click.argument("last_name")
@click.option("--role", type=click.Choice(list(ROLES)), default="adviser", show_default=True)
def add(email: str, first_name: str, last_name: str, role: str) -> None:
    """Add a user; asks for the password twice."""
    profile = operations.add_profile(first_name, last_name, email, role, _ask_password())
    db.session.commit()
    click.echo(f"Added {profile.full_name} <{profile.email}> as {profile.role}.")


@users.command("list", epilog="Example: flask users list")
def list_users() -> None:
    """List every user with role, state and last sign-in."""
    profiles = db.session.scalars(select(Profile).order_by(Profile.last_name, Profile.first_name)).all()
    for profile in profiles:
        click.echo("\t".join(_columns(profile)))
    click.echo(f"{len(profiles)} users", err=True)


@users.command("set-password", epilog="Example: flask users set-password amelia@firm.example")
@click.argument("email")
def set_password(email: str) -> None:
    """Give a user a new password, asked for twice, and end the user's sign-in sessions."""
    profile = operations.profile_by_email(email)
    operations.set_password(profile, _ask_password())
    db.session.commit()
    click.echo(f"{profile.email} has a new password and was signed out everywhere.")


@users.command("deactivate", epilog="Example: flask users deactivate amelia@firm.example")
@click.argument("email")
def deactivate(email: str) -> None:
    """Stop a user from signing in and end the user's sign-in sessions at once."""
    profile = operations.profile_by_email(email)
    operations.set_active(profile, is_active=False)
    db.session.commit()
    click.echo(f"{profile.email} can no longer sign in and was signed out everywhere.")


@users.command("activate", epilog="Example: flask users activate amelia@firm.example")
@click.argument("email")
def activate(email: str) -> None:
    """Let a deactivated user sign in again."""
    profile = operations.profile_by_email(email)
    operations.set_active(profile, is_active=True)
    db.session.commit()
    click.echo(f"{profile.email} can sign in again.")


@users.command("sign-out-everywhere", epilog="Example: flask users sign-out-everywhere amelia@firm.example")
@click.argument("email")
def sign_out_everywhere(email: str) -> None:
    """End every sign-in session of a user at once."""
    profile = operations.profile_by_email(email)
    operations.end_sessions(profile)
    db.session.commit()
    click.echo(f"{profile.email} was signed out everywhere.")


def _ask_password() -> str:
    """Never an argument: those end up in shell histories and process lists."""
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def _columns(profile: Profile) -> tuple[str, ...]:
    last = profile.last_signed_in_at
    state = "active" if profile.is_active else "deactivated"
    return (
        profile.email,
        profile.full_name,
        profile.role,
        state,
        last.strftime("%Y-%m-%d %H:%M UTC") if last else "never signed in",
    )
