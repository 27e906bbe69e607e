"""`flask users …`: the maintainer's hand on profiles. Passwords are prompted for, never arguments."""

import click
from sqlalchemy import select

from portal.auth import administration, throttle
from portal.auth import profiles as operations
from portal.auth.models import ROLES, Profile
from portal.cli import CommandGroup
from portal.extensions import db
from portal.web.actor import Actor, cli_actor

users = CommandGroup("users", help="Add, list and look after the users who can sign in.")


@users.command("add", epilog="Example: flask users add amelia@firm.example Amelia Hart --role adviser")
@click.argument("email")
@click.argument("first_name")
@click.argument("last_name")
@click.option("--role", type=click.Choice(list(ROLES)), default="adviser", show_default=True)
def add(email: str, first_name: str, last_name: str, role: str) -> None:
    """Add a user; asks for the password twice."""
    who = {"first_name": first_name, "last_name": last_name, "email": email, "role": role}
    profile = administration.add_user(_me("add"), **who, password=_ask_password())
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
    names = profile.names
    db.session.rollback()  # no transaction waits for somebody who types
    password_hash = operations.new_password_hash(_ask_password(), names)
    administration.set_password_hash(_me("set-password"), profile, password_hash)
    db.session.commit()
    click.echo(f"{profile.email} has a new password and was signed out everywhere.")


@users.command("password-code", epilog="Example: flask users password-code amelia@firm.example")
@click.argument("email")
def password_code(email: str) -> None:
    """Make a code with which a user chooses a password at /choose-password: once, within a day.

    Tell it in person or by telephone. An earlier code is worth nothing any more.
    """
    profile = operations.profile_by_email(email)
    code = administration.make_password_code(_me("password-code"), profile)
    db.session.commit()
    click.echo(code)


@users.command("set-role", epilog="Example: flask users set-role amelia@firm.example admin")
@click.argument("email")
@click.argument("role", type=click.Choice(list(ROLES)))
def set_role(email: str, role: str) -> None:
    """Give a user another role and end the user's sign-in sessions."""
    profile = operations.profile_by_email(email)
    administration.change_role(_me("set-role"), profile, role)
    db.session.commit()
    click.echo(f"{profile.email} is now: {profile.role}.")


@users.command("deactivate", epilog="Example: flask users deactivate amelia@firm.example")
@click.argument("email")
def deactivate(email: str) -> None:
    """Stop a user from signing in and end the user's sign-in sessions at once."""
    profile = operations.profile_by_email(email)
    administration.set_active(_me("deactivate"), profile, is_active=False)
    db.session.commit()
    click.echo(f"{profile.email} can no longer sign in and was signed out everywhere.")


@users.command("activate", epilog="Example: flask users activate amelia@firm.example")
@click.argument("email")
def activate(email: str) -> None:
    """Let a deactivated user sign in again."""
    profile = operations.profile_by_email(email)
    administration.set_active(_me("activate"), profile, is_active=True)
    db.session.commit()
    click.echo(f"{profile.email} can sign in again.")


@users.command("unlock", epilog="Example: flask users unlock amelia@firm.example --address 203.0.113.9")
@click.argument("email", required=False)
@click.option("--address", help="Forget what was tried from this address, at whichever account.")
def unlock(email: str | None, address: str | None) -> None:
    """Forget failed sign-ins, of a user or from an address, so that the next is looked at without a wait."""
    if not email and not address:
        raise click.UsageError("Name a user's email or --address.")
    if email:
        administration.unlock(_me("unlock"), operations.profile_by_email(email))
    if address:
        throttle.unlock_address(address)
    db.session.commit()
    click.echo(f"{' and '.join(filter(None, (email, address)))} can try again at once.")


@users.command("reset-second-factor", epilog="Example: flask users reset-second-factor amelia@firm.example")
@click.argument("email")
def reset_second_factor(email: str) -> None:
    """Take away the second factor of somebody who has lost the phone, and end the user's sign-in sessions.

    Make sure first that it is them: whoever knows the password gets in from now on.
    """
    profile = operations.profile_by_email(email)
    had_one = administration.reset_second_factor(_me("reset-second-factor"), profile)
    db.session.commit()
    click.echo(f"{profile.email} {'has no second factor any more' if had_one else 'had no second factor'}.")


@users.command("sign-out-everywhere", epilog="Example: flask users sign-out-everywhere amelia@firm.example")
@click.argument("email", required=False)
@click.option("--everybody", is_flag=True, help="End every sign-in session there is.")
def sign_out_everywhere(email: str | None, everybody: bool) -> None:
    """End every sign-in session of a user at once, or everybody's."""
    if bool(email) == everybody:
        raise click.UsageError("Name either a user's email or --everybody.")
    if email:
        profile = operations.profile_by_email(email)
        administration.sign_out_everywhere(_me("sign-out-everywhere"), profile)
        done = f"{profile.email} was signed out everywhere."
    else:
        done = f"{administration.sign_out_all_users(_me('sign-out-everywhere'))} users were signed out everywhere."
    db.session.commit()
    click.echo(done)


def _me(command: str) -> Actor:
    return cli_actor(f"flask users {command}")


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
