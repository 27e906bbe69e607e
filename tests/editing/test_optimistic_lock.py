"""Update a versioned record by one conditional UPDATE (portal.editing.optimistic_lock)."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import text

from portal.clients import Client
from portal.editing.optimistic_lock import bump_versions_if_unchanged, update_if_unchanged
from portal.errors import StaleVersion
from portal.extensions import db
from tests.support.cast import Cast
from tests.support.factories import make_client
from tests.support.locks import until_a_lock_is_awaited


def test_update_writes_and_returns_the_new_version(cast: Cast) -> None:
    client = make_client(phone="1")

    assert update_if_unchanged(db.session, Client, client.id, 1, {"phone": "2"}) == 2
    db.session.commit()
    assert (client.phone, client.version) == ("2", 2)


@pytest.mark.parametrize("base_version", [0, 2, 99])
def test_other_base_version_is_stale(cast: Cast, base_version: int) -> None:
    client = make_client(phone="1")

    with pytest.raises(StaleVersion):
        update_if_unchanged(db.session, Client, client.id, base_version, {"phone": "2"})
    db.session.commit()
    assert (client.phone, client.version) == ("1", 1)


def test_removed_record_is_stale(cast: Cast) -> None:
    with pytest.raises(StaleVersion):
        update_if_unchanged(db.session, Client, 999_999, 1, {"phone": "2"})


def test_many_versions_are_incremented_together_or_not_at_all(cast: Cast) -> None:
    one, other = make_client("One", phone="1"), make_client("Other", phone="1")

    assert bump_versions_if_unchanged(db.session, Client, {one.id: 1, other.id: 1}, {"phone": "2"}) == {
        one.id: 2,
        other.id: 2,
    }
    db.session.commit()
    for behind in ({one.id: 2, other.id: 1}, {one.id: 2, 999_999: 1}):
        with pytest.raises(StaleVersion):
            bump_versions_if_unchanged(db.session, Client, behind, {"phone": "3"})
        db.session.rollback()
    assert (one.phone, other.phone, one.version) == ("2", "2", 2)
    assert bump_versions_if_unchanged(db.session, Client, {}, {"phone": "3"}) == {}


def test_update_does_not_commit(cast: Cast) -> None:
    client = make_client(phone="1")
    update_if_unchanged(db.session, Client, client.id, 1, {"phone": "2"})
    db.session.rollback()

    assert (client.phone, client.version) == ("1", 1)


def test_other_records_are_unchanged(cast: Cast) -> None:
    one, other = make_client("One"), make_client("Other")
    update_if_unchanged(db.session, Client, one.id, 1, {"name": "Changed"})
    db.session.commit()

    assert (other.name, other.version) == ("Other", 1)


def test_writer_that_waited_for_another_is_stale(app: Flask, cast: Cast) -> None:
    """Both have read version 1; the second waits for the first to commit."""
    client_id = make_client(phone="1").id

    def save() -> None:
        with app.app_context():
            update_if_unchanged(db.session, Client, client_id, 1, {"phone": "second"})

    with ThreadPoolExecutor(1) as pool:
        with db.engine.begin() as connection:
            connection.execute(text("UPDATE clients SET phone = 'first', version = 2"))
            second = pool.submit(save)
            until_a_lock_is_awaited()
        with pytest.raises(StaleVersion):
            second.result(10)

    assert db.session.scalar(text("SELECT phone FROM clients")) == "first"


def test_writer_that_waited_for_a_rollback_succeeds(app: Flask, cast: Cast) -> None:
    client_id = make_client(phone="1").id

    def save() -> int:
        with app.app_context():
            version = update_if_unchanged(db.session, Client, client_id, 1, {"phone": "second"})
            db.session.commit()
            return version

    with ThreadPoolExecutor(1) as pool, db.engine.connect() as connection:
        first = connection.begin()
        connection.execute(text("UPDATE clients SET phone = 'first', version = 2"))
        second = pool.submit(save)
        until_a_lock_is_awaited()
        first.rollback()
        assert second.result(10) == 2
