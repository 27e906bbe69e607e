"""Test the table of audit events: the content of a row, and that rows cannot change."""

import psycopg2.errors
import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from portal import audit
from portal.audit import AuditEvent, Event
from portal.audit.events import LABELS
from portal.extensions import db
from portal.web.actor import Actor, RequestOrigin, cli_actor
from tests.support.cast import Cast

HERE = RequestOrigin("203.0.113.9", "Browser/1", "r1")


def test_event_stores_actor_time_origin_and_details(app: Flask, cast: Cast) -> None:
    audit.record(
        Event.ROLE_CHANGED, Actor(cast.ada.id, HERE), profile_id=cast.rhys.id, before="reader", after="adviser"
    )
    db.session.commit()

    [event] = db.session.scalars(select(AuditEvent))
    assert (event.event, event.actor_id, event.profile_id) == ("role_changed", cast.ada.id, cast.rhys.id)
    assert (event.address, event.user_agent, event.request_id) == ("203.0.113.9", "Browser/1", "r1")
    assert event.about == {"before": "reader", "after": "adviser"}
    assert db.session.scalar(text("SELECT at BETWEEN now() - interval '1 min' AND now() FROM audit_events"))


def test_event_of_a_rolled_back_action_is_not_stored(app: Flask, cast: Cast) -> None:
    audit.record(Event.ROLE_CHANGED, Actor(cast.ada.id, HERE), profile_id=cast.rhys.id)
    db.session.rollback()

    assert db.session.scalars(select(AuditEvent)).all() == []


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_events SET actor_id = NULL", "DELETE FROM audit_events", "UPDATE audit_events SET at = now()"],
)
def test_row_cannot_be_changed_or_deleted(app: Flask, cast: Cast, statement: str) -> None:
    """The trigger applies to the owner of the table too."""
    audit.record(Event.SIGNED_IN, Actor(cast.ada.id, HERE))
    db.session.commit()

    with pytest.raises(IntegrityError) as refused:
        db.session.execute(text(statement))
    assert isinstance(refused.value.orig, psycopg2.errors.RestrictViolation)
    db.session.rollback()
    assert db.session.scalar(text("SELECT count(*) FROM audit_events")) == 1


def test_role_with_only_select_and_insert_can_record(app: Flask, cast: Cast) -> None:
    """With the GRANTs of docs/security.md the portal's role can neither change nor delete rows."""
    with db.engine.connect() as connection, connection.begin():
        connection.execute(text("CREATE ROLE clerk"))
        connection.execute(text("GRANT SELECT, INSERT ON audit_events TO clerk"))
        connection.execute(text("SET LOCAL ROLE clerk"))
        connection.execute(text("INSERT INTO audit_events (event) VALUES ('signed_in')"))
        for statement in ("UPDATE audit_events SET at = now()", "DELETE FROM audit_events", "TRUNCATE audit_events"):
            nested = connection.begin_nested()
            with pytest.raises(Exception, match="permission denied"):
                connection.execute(text(statement))
            nested.rollback()
        connection.get_transaction().rollback()  # type: ignore[union-attr]  # the role too


def test_command_is_recorded_with_the_account_that_ran_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ops\n")
    actor = cli_actor("flask users add")

    assert actor.profile_id is None
    assert actor.request_origin.user_agent == "flask users add, by ops"


def test_each_event_has_a_label_and_fits_its_column() -> None:
    assert set(LABELS) == set(Event)
    assert max(len(event) for event in Event) <= 40
