"""Run the commands `flask presence …`."""

import re
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from portal.app import create_app
from portal.extensions import db
from portal.presence.cli import presence
from tests.conftest import settings_for
from tests.support.cast import Cast
from tests.support.factories import make_client
from tests.support.test_client import Visitor
from tests.support.time_travel import let_pass, rows

Visit = type[Visitor]


@pytest.fixture
def run(app: Flask) -> Any:
    """`run("list")` is `flask presence list`."""

    def invoke(*arguments: str) -> Result:
        result = app.test_cli_runner().invoke(args=["presence", *arguments])
        db.session.rollback()
        assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
        return result

    return invoke


@pytest.fixture
def other_page(cast: Cast, page_identifier: str) -> str:
    return f"client-{make_client('Other').id}"


def test_list_shows_users_by_page_newest_heartbeat_first(
    run: Any, visit: Visit, cast: Cast, page_identifier: str, other_page: str
) -> None:
    visit(cast.daniel).beat(page_identifier)
    let_pass(130)
    visit(cast.amelia).beat(page_identifier, tab_id="one")
    visit(cast.amelia).beat(page_identifier, tab_id="two")
    visit(cast.rhys).beat(other_page)

    result = run("list")

    assert result.exit_code == 0
    assert re.sub("[0-4] s ago", "s ago", result.stdout).splitlines() == [
        f"{page_identifier}\tamelia.hart@firm.example\ts ago\t2 tabs",
        f"{page_identifier}\tdaniel.okafor@firm.example\t13s ago\t1 tabs\tno longer active",
        f"{other_page}\trhys.morgan@firm.example\ts ago\t1 tabs",
    ]
    assert result.stderr == "3 rows\n"


def test_list_of_one_page_shows_only_its_users(
    run: Any, visit: Visit, cast: Cast, page_identifier: str, other_page: str
) -> None:
    visit(cast.daniel).beat(page_identifier)
    visit(cast.rhys).beat(other_page)

    assert run("list", "--page", other_page).stdout.startswith(f"{other_page}\trhys.morgan@firm.example\t")
    assert run("list", "--page", "nowhere").stdout == ""


def test_cleanup_deletes_stale_rows_and_prints_their_number(
    run: Any, visit: Visit, cast: Cast, page_identifier: str
) -> None:
    visit(cast.daniel).beat(page_identifier)
    let_pass(301)
    visit(cast.amelia).beat(page_identifier)

    assert run("cleanup").stdout == "Deleted 1 stale rows.\n"
    assert rows() == [(cast.amelia.id, page_identifier)]


def test_clear_removes_a_user_from_every_page(
    run: Any, visit: Visit, cast: Cast, page_identifier: str, other_page: str
) -> None:
    for page in (page_identifier, other_page):
        visit(cast.amelia).beat(page)
    visit(cast.daniel).beat(page_identifier)

    assert run("clear", "--user", "AMELIA.Hart@firm.example").stdout == "Deleted 2 rows.\n"
    assert rows() == [(cast.daniel.id, page_identifier)]


def test_clear_removes_all_users_from_a_page(
    run: Any, visit: Visit, cast: Cast, page_identifier: str, other_page: str
) -> None:
    for profile in (cast.amelia, cast.daniel):
        visit(profile).beat(page_identifier)
    visit(cast.rhys).beat(other_page)

    assert run("clear", "--page", page_identifier).stdout == "Deleted 2 rows.\n"
    assert rows() == [(cast.rhys.id, other_page)]


@pytest.mark.parametrize("arguments", [[], ["--user", "a@firm.example", "--page", "client-1"]])
def test_clear_requires_either_user_or_page(run: Any, arguments: list[str]) -> None:
    result = run("clear", *arguments)

    assert result.exit_code == 2
    assert "Name either --user or --page." in result.output


def test_clear_of_an_unknown_user_names_the_email(run: Any) -> None:
    result = run("clear", "--user", "nobody@firm.example")

    assert result.exit_code == 1
    assert "No user has the email nobody@firm.example." in result.output


@pytest.mark.parametrize("command", sorted(presence.commands))
def test_help_of_every_command_has_an_example(run: Any, command: str) -> None:
    result = run(command, "--help")

    assert result.exit_code == 0
    assert f"Example: flask presence {command}" in result.output


@pytest.mark.parametrize("arguments", [["list"], ["cleanup"], ["clear", "--page", "client-1"]])
def test_database_outage_is_one_line_and_exit_code_1(arguments: list[str]) -> None:
    app = create_app(settings_for("postgresql+psycopg2://postgres@/kingston?host=/nonexistent"))

    result = app.test_cli_runner().invoke(args=["presence", *arguments])

    assert result.exit_code == 1
    assert result.output.startswith("Error: The database is unavailable: ")
    assert isinstance(result.exception, SystemExit)
