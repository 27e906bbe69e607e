"""Test `flask users …`, with which an operator manages profiles. Passwords are prompted for, never arguments."""

from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select

from portal.app import create_app
from portal.audit import AuditEvent
from portal.auth import Profile, profiles
from portal.auth.authentication import authenticate
from portal.auth.cli import users
from portal.auth.mfa import totp
from portal.config import DEMO_PASSWORD
from portal.errors import NotAllowed
from portal.extensions import db
from tests.conftest import settings_for
from tests.support.cast import PASSWORD, Cast
from tests.support.factories import make_client
from tests.support.sign_in import choose_password, enrol_second_factor, register_failures, sign_in
from tests.support.test_client import Visitor

Visit = type[Visitor]
GOOD = "a long new password"


@pytest.fixture
def run(app: Flask) -> Any:
    """Return `run("list")` for `flask users list`. `typed` is the input for its prompts."""

    def invoke(*arguments: str, typed: str = "") -> Result:
        result = app.test_cli_runner().invoke(args=["users", *arguments], input=typed)
        db.session.rollback()
        db.session.expire_all()
        assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
        return result

    return invoke


def twice(password: str) -> str:
    return f"{password}\n{password}\n"


def test_add_creates_a_profile_that_can_sign_in(run: Any, visit: Visit) -> None:
    result = run("add", "zoe@firm.example", "Zoë", "O'Brien", "--role", "reader", typed=twice(GOOD))

    assert result.exit_code == 0, result.output
    assert "Added Zoë O'Brien <zoe@firm.example> as reader." in result.output
    assert GOOD not in result.output
    zoe = authenticate("ZOE@firm.example", GOOD, is_demo=False).profile
    assert zoe is not None
    assert (zoe.full_name, zoe.role, zoe.is_active, zoe.session_epoch >= 1) == ("Zoë O'Brien", "reader", True, True)
    assert visit(zoe).get("/clients").status_code == 200


def test_add_without_a_role_creates_an_adviser(run: Any) -> None:
    run("add", "zoe@firm.example", "Zoe", "Hall", typed=twice(GOOD))

    assert db.session.scalar(select(Profile.role)) == "adviser"


@pytest.mark.parametrize(
    ("arguments", "typed", "exit_code", "problem"),
    [
        (["AMELIA.hart@firm.example", "A", "B"], twice(GOOD), 1, "AMELIA.hart@firm.example is taken"),
        (["x@firm.example", "A", "B"], twice("too short"), 1, "password: must have 12 to 200 characters"),
        (["x@firm.example", "A", "B"], twice("x" * 201), 1, "password: must have 12 to 200 characters"),
        (["x@firm.example", "A", "B"], twice(DEMO_PASSWORD), 1, "is the public password of the demo"),
        (["x@firm.example", "A", "B"], f"{GOOD}\nanother one, typed wrong\n", 1, "do not match"),
        (
            ["x@firm.example", "A", "B", "--role", "king"],
            "",
            2,
            "'king' is not one of 'adviser', 'paraplanner', 'reader', 'compliance', 'admin'",
        ),
        (["x@firm.example", "A"], "", 2, "Missing argument 'LAST_NAME'"),
        (["x@firm.example", "A", "B", "--password", GOOD], "", 2, "No such option"),
        (["x" * 250 + "@firm.example", "A", "B"], twice(GOOD), 1, "email"),
        (["x@firm.example", "A" * 101, "B"], twice(GOOD), 1, "first_name"),
        (["x@firm.example", "A", "\u200b\n"], twice(GOOD), 1, "last_name"),
        (["no email", "A", "B"], twice(GOOD), 1, "email"),
    ],
)
def test_add_with_invalid_input_names_the_problem_and_adds_no_user(
    run: Any, cast: Cast, arguments: list[str], typed: str, exit_code: int, problem: str
) -> None:
    result = run("add", *arguments, typed=typed)

    assert problem in result.output
    assert result.exit_code == exit_code
    assert db.session.scalar(select(func.count()).select_from(Profile)) == 5


def test_list_shows_each_user_with_role_state_and_last_sign_in(run: Any, visit: Visit, cast: Cast) -> None:
    sign_in(visit(None), cast.amelia.email)

    result = run("list")

    assert result.exit_code == 0
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert [line[1] for line in lines] == ["Ada Byron", "Amelia Hart", "Rhys Morgan", "Daniel Okafor", "Olga Petrova"]
    assert lines[0] == ["ada.byron@firm.example", "Ada Byron", "admin", "active", "never signed in"]
    assert lines[1][4].endswith(" UTC")
    assert lines[4][3] == "deactivated"
    assert "argon2" not in result.output
    assert result.stderr == "5 users\n"


def test_set_password_replaces_the_old_one_and_ends_the_sessions(run: Any, visit: Visit, cast: Cast) -> None:
    browser = visit(cast.amelia)

    result = run("set-password", cast.amelia.email, typed=twice(GOOD))

    assert result.exit_code == 0
    assert "amelia.hart@firm.example has a new password and was signed out everywhere." in result.output
    assert authenticate(cast.amelia.email, GOOD, is_demo=False).profile is not None
    assert authenticate(cast.amelia.email, PASSWORD, is_demo=False).profile is None
    assert browser.get("/clients").status_code == 302


def test_set_password_with_a_weak_password_keeps_the_old_one(run: Any, visit: Visit, cast: Cast) -> None:
    browser = visit(cast.amelia)

    result = run("set-password", cast.amelia.email, typed=twice("short"))

    assert (result.exit_code, "password: must have 12" in result.output) == (1, True)
    assert authenticate(cast.amelia.email, PASSWORD, is_demo=False).profile is not None
    assert browser.get("/clients").status_code == 200


def test_deactivate_blocks_sign_in_until_activate(run: Any, visit: Visit, cast: Cast) -> None:
    make_client()
    browser = visit(cast.amelia)
    browser.beat("client-1")

    result = run("deactivate", "Amelia.Hart@FIRM.example")
    assert (result.exit_code, result.stdout) == (
        0,
        "amelia.hart@firm.example can no longer sign in and was signed out everywhere.\n",
    )
    assert browser.get("/clients").status_code == 302
    assert visit(cast.daniel).roster("client-1") == []
    assert authenticate(cast.amelia.email, PASSWORD, is_demo=False).profile is None

    result = run("activate", cast.amelia.email)
    assert (result.exit_code, result.stdout) == (0, "amelia.hart@firm.example can sign in again.\n")
    assert browser.get("/clients").status_code == 302
    assert authenticate(cast.amelia.email, PASSWORD, is_demo=False).profile is not None


def test_sign_out_everywhere_ends_only_that_users_sessions(run: Any, visit: Visit, cast: Cast) -> None:
    make_client()
    amelia, daniel = visit(cast.amelia), visit(cast.daniel)
    amelia.beat("client-1")
    daniel.beat("client-1")

    result = run("sign-out-everywhere", cast.amelia.email)

    assert (result.exit_code, result.stdout) == (0, "amelia.hart@firm.example was signed out everywhere.\n")
    assert amelia.get("/clients").status_code == 302
    assert [user["first_name"] for user in daniel.roster("client-1")] == ["Daniel"]
    assert authenticate(cast.amelia.email, PASSWORD, is_demo=False).profile is not None


@pytest.mark.parametrize("command", ["set-password", "deactivate", "activate", "sign-out-everywhere"])
def test_command_for_an_unknown_user_names_the_email(run: Any, cast: Cast, command: str) -> None:
    result = run(command, "nobody@firm.example", typed=twice(GOOD))

    assert result.exit_code == 1
    assert result.output.endswith("Error: No user has the email nobody@firm.example.\n")


@pytest.mark.parametrize("command", sorted(users.commands))
def test_help_of_each_command_has_an_example(run: Any, command: str) -> None:
    result = run(command, "--help")

    assert result.exit_code == 0
    assert f"Example: flask users {command}" in result.output


def test_unavailable_database_prints_one_line_and_exits_with_1() -> None:
    app = create_app(settings_for("postgresql+psycopg2://postgres@/kingston?host=/nonexistent"))

    result = app.test_cli_runner().invoke(args=["users", "list"])

    assert result.exit_code == 1
    assert result.output.startswith("Error: The database is unavailable: ")
    assert isinstance(result.exception, SystemExit)


def test_demo_passwords_are_set_in_demo_mode_only(app: Flask, cast: Cast) -> None:
    """Only profiles without a password get the demo password."""
    newcomer = Profile(first_name="No", last_name="Password", email="none@firm.example", role="adviser")
    db.session.add(newcomer)
    db.session.commit()

    with pytest.raises(NotAllowed, match="demo mode only"):
        profiles.set_demo_passwords(is_demo=False)
    assert newcomer.password_hash is None
    assert profiles.set_demo_passwords(is_demo=True) == [newcomer]
    db.session.commit()
    assert authenticate("none@firm.example", DEMO_PASSWORD, is_demo=True).profile == newcomer
    assert authenticate("none@firm.example", DEMO_PASSWORD, is_demo=False).profile is None
    assert authenticate(cast.amelia.email, DEMO_PASSWORD, is_demo=True).profile is None


def events() -> list[tuple[str, int | None]]:
    query = select(AuditEvent.event, AuditEvent.profile_id).order_by(AuditEvent.id)
    return [tuple(row) for row in db.session.execute(query)]


def test_commands_are_recorded_in_the_audit_log(run: Any, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event names the operating system account that ran the command, because a command has no session."""
    monkeypatch.setenv("LOGNAME", "ops")
    email, who = cast.amelia.email, cast.amelia.id
    run("set-role", email, "reader")
    run("deactivate", email)
    run("activate", email)
    run("unlock", email)
    run("reset-second-factor", email)
    run("password-code", email)
    run("set-password", email, typed=twice(GOOD))
    run("sign-out-everywhere", email)
    run("sign-out-everywhere", "--all-users")

    assert events() == [
        ("role_changed", who),
        ("profile_deactivated", who),
        ("profile_activated", who),
        ("unlocked", who),
        ("second_factor_reset", who),
        ("password_code_made", who),
        ("password_set", who),
        ("sessions_ended", who),
        ("sessions_ended", None),
    ]
    origin = db.session.execute(select(AuditEvent.actor_id, AuditEvent.user_agent).order_by(AuditEvent.id)).first()
    assert tuple(origin) == (None, "flask users set-role, by ops")


def test_set_role_changes_the_permissions_and_ends_the_sessions(run: Any, visit: Visit, cast: Cast) -> None:
    browser = visit(cast.amelia)

    result = run("set-role", cast.amelia.email, "admin")

    assert (result.exit_code, result.stdout) == (0, "amelia.hart@firm.example now has the role admin.\n")
    assert browser.get("/clients").status_code == 302
    assert visit(cast.amelia).get("/users").status_code == 200


def test_password_code_prints_only_the_code(run: Any, visit: Visit, cast: Cast) -> None:
    result = run("password-code", cast.amelia.email)

    assert (result.exit_code, len(result.stdout.strip().replace("-", ""))) == (0, 28)
    assert choose_password(visit, cast.amelia.email, result.stdout).status_code == 302


def test_reset_second_factor_removes_it(run: Any, cast: Cast) -> None:
    enrol_second_factor(cast.amelia)
    assert run("reset-second-factor", cast.amelia.email).stdout.endswith("no longer has a second factor.\n")
    assert not totp.is_set_up(cast.amelia.id)
    assert run("reset-second-factor", cast.amelia.email).stdout.endswith("had no second factor.\n")


def test_unlock_resets_an_account_or_an_address(run: Any, visit: Visit, cast: Cast) -> None:
    register_failures(cast.amelia.email, 6, "127.0.0.1")
    register_failures(cast.daniel.email, 6, "127.0.0.1")
    assert run("unlock").exit_code == 2

    run("unlock", cast.amelia.email)
    assert sign_in(visit(None), cast.amelia.email).status_code == 302
    assert sign_in(visit(None), cast.daniel.email).status_code == 401
    assert run("unlock", "--address", "127.0.0.1").stdout == "127.0.0.1 can sign in again without waiting.\n"
    assert sign_in(visit(None), cast.daniel.email).status_code == 302


@pytest.mark.parametrize("option", ["--all-users", "--everybody"])
def test_all_users_can_be_signed_out_at_once(run: Any, visit: Visit, cast: Cast, option: str) -> None:
    make_client()
    browsers = [visit(profile).with_token() for profile in (cast.amelia, cast.daniel, cast.ada)]
    assert browsers[0].beat("client-1").status_code == 200

    result = run("sign-out-everywhere", option)

    assert (result.exit_code, result.stdout) == (0, "5 users were signed out everywhere.\n")
    assert {browser.get("/clients").status_code for browser in browsers} == {302}
    assert browsers[0].beat("client-1").status_code == 401
    for arguments in ([], [cast.amelia.email, option]):
        assert run("sign-out-everywhere", *arguments).exit_code == 2
