"""Define `flask users …`, with which an operator manages profiles. Passwords are prompted for, never arguments."""

import click
from sqlalchemy import select

from portal.auth import administration, profiles, throttle
from portal.auth.models import ROLES, Profile
from portal.cli import CommandGroup
from portal.extensions import db
from portal.web.actor import Actor, cli_actor

users = CommandGroup("users", help="Add, list and manage the users who can sign in.")


@users.command("add", epilog="Example: flask users add amelia@firm.example Amelia Hart --role adviser")
@click.argument("email")
@click.argument("first_name")
@click.argument("last_name")
@click.option("--role", type=click.Choice(list(ROLES)), default="adviser", show_default=True)
def add(email: str, first_name: str, last_name: str, role: str) -> None:
    """Add a user. Prompts twice for the password."""
    fields = {"first_name": first_name, "last_name": last_name, "email": email, "role": role}
    profile = administration.add_user(_actor("add"), **fields, password=_prompt_for_password())
    db.session.commit()
    click.echo(f"Added {profile.full_name} <{profile.email}> as {profile.role}.")


@users.command("list", epilog="Example: flask users list")
def list_users() -> None:
    """List every user with role, state and last sign-in."""
    all_profiles = db.session.scalars(select(Profile).order_by(Profile.last_name, Profile.first_name)).all()
    for profile in all_profiles:
        click.echo("\t".join(_columns(profile)))
    click.echo(f"{len(all_profiles)} users", err=True)


@users.command("set-password", epilog="Example: flask users set-password amelia@firm.example")
@click.argument("email")
def set_password(email: str) -> None:
    """Set a user's password and end the user's sign-in sessions. Prompts twice for the password."""
    profile = profiles.profile_by_email(email)
    names = profile.names
    db.session.rollback()  # no transaction stays open during the prompt
    password_hash = profiles.new_password_hash(_prompt_for_password(), names)
    administration.set_password_hash(_actor("set-password"), profile, password_hash)
    db.session.commit()
    click.echo(f"{profile.email} has a new password and was signed out everywhere.")


@users.command("password-code", epilog="Example: flask users password-code amelia@firm.example")
@click.argument("email")
def password_code(email: str) -> None:
    """Create a code with which a user chooses a password at /choose-password, once and within 24 hours.

    Give the code to the user in person or by telephone. An earlier code becomes invalid.
    """
    profile = profiles.profile_by_email(email)
    code = administration.create_password_code(_actor("password-code"), profile)
    db.session.commit()
    click.echo(code)


@users.command("set-role", epilog="Example: flask users set-role amelia@firm.example admin")
@click.argument("email")
@click.argument("role", type=click.Choice(list(ROLES)))
def set_role(email: str, role: str) -> None:
    """Change a user's role and end the user's sign-in sessions."""
    profile = profiles.profile_by_email(email)
    administration.change_role(_actor("set-role"), profile, role)
    db.session.commit()
    click.echo(f"{profile.email} now has the role {profile.role}.")


@users.command("deactivate", epilog="Example: flask users deactivate amelia@firm.example")
@click.argument("email")
def deactivate(email: str) -> None:
    """Prevent a user from signing in and end the user's sign-in sessions."""
    profile = profiles.profile_by_email(email)
    administration.set_active(_actor("deactivate"), profile, is_active=False)
    db.session.commit()
    click.echo(f"{profile.email} can no longer sign in and was signed out everywhere.")


@users.command("activate", epilog="Example: flask users activate amelia@firm.example")
@click.argument("email")
def activate(email: str) -> None:
    """Allow a deactivated user to sign in again."""
    profile = profiles.profile_by_email(email)
    administration.set_active(_actor("activate"), profile, is_active=True)
    db.session.commit()
    click.echo(f"{profile.email} can sign in again.")


@users.command("unlock", epilog="Example: flask users unlock amelia@firm.example --address 203.0.113.9")
@click.argument("email", required=False)
@click.option("--address", help="Reset the failures from this address at all accounts.")
def unlock(email: str | None, address: str | None) -> None:
    """Reset the failed sign-ins of a user or from an address, so that the next attempt does not wait."""
    if not email and not address:
        raise click.UsageError("Give a user's email or --address.")
    if email:
        administration.unlock(_actor("unlock"), profiles.profile_by_email(email))
    if address:
        throttle.unlock_address(address)
    db.session.commit()
    click.echo(f"{' and '.join(filter(None, (email, address)))} can sign in again without waiting.")


@users.command("reset-second-factor", epilog="Example: flask users reset-second-factor amelia@firm.example")
@click.argument("email")
def reset_second_factor(email: str) -> None:
    """Remove the second factor of a user who has lost the phone, and end the user's sign-in sessions.

    Verify the user's identity first. Afterwards the password alone is enough to sign in.
    """
    profile = profiles.profile_by_email(email)
    had_second_factor = administration.reset_second_factor(_actor("reset-second-factor"), profile)
    db.session.commit()
    click.echo(f"{profile.email} {'no longer has a' if had_second_factor else 'had no'} second factor.")


@users.command("sign-out-everywhere", epilog="Example: flask users sign-out-everywhere amelia@firm.example")
@click.argument("email", required=False)
@click.option("--all-users", is_flag=True, help="End all sign-in sessions of all users.")
@click.option("--everybody", is_flag=True, hidden=True, deprecated="Use --all-users.")
def sign_out_everywhere(email: str | None, all_users: bool, everybody: bool) -> None:
    """End all sign-in sessions of one user, or of all users."""
    if bool(email) == (all_users or everybody):
        raise click.UsageError("Give either a user's email or --all-users.")
    if email:
        profile = profiles.profile_by_email(email)
        administration.sign_out_everywhere(_actor("sign-out-everywhere"), profile)
        message = f"{profile.email} was signed out everywhere."
    else:
        count = administration.sign_out_all_users(_actor("sign-out-everywhere"))
        message = f"{count} users were signed out everywhere."
    db.session.commit()
    click.echo(message)


def _actor(command: str) -> Actor:
    return cli_actor(f"flask users {command}")


def _prompt_for_password() -> str:
    """Prompt for a password. Arguments would appear in shell histories and process lists."""
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
