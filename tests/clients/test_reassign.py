"""Test `flask clients reassign`."""

import pytest
from flask import Flask

from portal.auth import Profile
from portal.clients import Client
from portal.extensions import db
from tests.clients.conftest import history_of
from tests.support.cast import Cast
from tests.support.factories import make_client


def reassign(app: Flask, from_email: str, to_email: str, command: str = "reassign") -> tuple[int, str]:
    outcome = app.test_cli_runner().invoke(args=["clients", command, from_email, to_email])
    db.session.rollback()
    return outcome.exit_code, outcome.output


def adviser_of(client: Client) -> int | None:
    db.session.refresh(client)
    return client.adviser_id


def test_reassign_changes_the_adviser_of_each_client_and_records_it_in_the_history(app: Flask, cast: Cast) -> None:
    mine = [make_client(name, adviser_id=cast.daniel.id) for name in ("One", "Two")]
    other = make_client("Other", adviser_id=cast.ada.id)

    assert reassign(app, cast.daniel.email.upper(), cast.amelia.email) == (0, "2 clients were reassigned.\n")

    assert [adviser_of(client) for client in (*mine, other)] == [cast.amelia.id, cast.amelia.id, cast.ada.id]
    for client in mine:
        [revision] = history_of(client)
        assert (revision.version, revision.source, revision.changed_by) == (2, "cli", None)
        assert revision.changes == {"adviser_id": [cast.daniel.id, cast.amelia.id]}
    assert history_of(other) == []
    assert reassign(app, cast.daniel.email, cast.amelia.email) == (0, "0 clients were reassigned.\n")


def test_old_command_name_still_works_with_a_warning(app: Flask, cast: Cast) -> None:
    code, output = reassign(app, cast.daniel.email, cast.amelia.email, "hand-over")

    assert code == 0
    assert output.endswith("0 clients were reassigned.\n")
    assert "Use reassign." in output
    assert "hand-over" not in app.test_cli_runner().invoke(args=["clients", "--help"]).output


@pytest.mark.parametrize("name", ["rhys", "olga"])
def test_clients_are_not_reassigned_to_a_reader_or_a_deactivated_adviser(app: Flask, cast: Cast, name: str) -> None:
    client = make_client(adviser_id=cast.daniel.id)
    profile: Profile = getattr(cast, name)

    code, output = reassign(app, cast.daniel.email, profile.email)

    assert code == 1
    assert f"to: {profile.email} cannot look after clients" in output
    assert adviser_of(client) == cast.daniel.id


def test_reassign_with_an_unknown_email_names_it(app: Flask, cast: Cast) -> None:
    code, output = reassign(app, "nobody@firm.example", cast.amelia.email)

    assert (code, "nobody@firm.example" in output) == (1, True)
