"""`flask clients hand-over`: an adviser's clients to another, each a guarded save in the history."""

import pytest
from flask import Flask

from portal.auth import Profile
from portal.clients import Client
from portal.extensions import db
from tests.clients.conftest import history_of
from tests.support.cast import Cast
from tests.support.factories import make_client


def hand_over(app: Flask, giver: str, taker: str) -> tuple[int, str]:
    outcome = app.test_cli_runner().invoke(args=["clients", "hand-over", giver, taker])
    db.session.rollback()
    return outcome.exit_code, outcome.output


def adviser_of(client: Client) -> int | None:
    db.session.refresh(client)
    return client.adviser_id


def test_every_client_changes_hands_and_its_history_says_so(app: Flask, cast: Cast) -> None:
    mine = [make_client(name, adviser_id=cast.daniel.id) for name in ("One", "Two")]
    other = make_client("Other", adviser_id=cast.ada.id)

    assert hand_over(app, cast.daniel.email.upper(), cast.amelia.email) == (0, "2 clients were handed over.\n")

    assert [adviser_of(client) for client in (*mine, other)] == [cast.amelia.id, cast.amelia.id, cast.ada.id]
    for client in mine:
        [revision] = history_of(client)
        assert (revision.version, revision.source, revision.changed_by) == (2, "cli", None)
        assert revision.changes == {"adviser_id": [cast.daniel.id, cast.amelia.id]}
    assert history_of(other) == []
    assert hand_over(app, cast.daniel.email, cast.amelia.email) == (0, "0 clients were handed over.\n")


@pytest.mark.parametrize("taker", ["rhys", "olga"])
def test_nobody_gets_clients_who_cannot_look_after_them(app: Flask, cast: Cast, taker: str) -> None:
    client = make_client(adviser_id=cast.daniel.id)
    profile: Profile = getattr(cast, taker)

    code, output = hand_over(app, cast.daniel.email, profile.email)

    assert code == 1
    assert f"to: {profile.email} cannot look after clients" in output
    assert adviser_of(client) == cast.daniel.id


def test_an_unknown_address_is_named(app: Flask, cast: Cast) -> None:
    code, output = hand_over(app, "nobody@firm.example", cast.amelia.email)

    assert (code, "nobody@firm.example" in output) == (1, True)
