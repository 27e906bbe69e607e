"""The audit as a table: what a row says, and that nobody changes one."""

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


def test_an_event_says_who_when_from_where_and_what(app: Flask, cast: Cast) -> None:
    audit.record(
        Event.ROLE_CHANGED, Actor(cast.ada.id, HERE), profile_id=cast.rhys.id, before="reader", after="adviser"
    )
    db.session.commit()

    [event] = db.session.scalars(select(AuditEvent))
    assert (event.event, event.actor_id, event.profile_id) == ("role_changed", cast.ada.id, cast.rhys.id)
    assert (event.address, event.user_agent, event.request_id) == ("203.0.113.9", "Browser/1", "r1")
    assert event.about == {"before": "reader", "after": "adviser"}
    assert db.session.scalar(text("SELECT at BETWEEN now() - interval '1 min' AND now() FROM audit_events"))


def test_what_was_not_done_after_all_is_not_in_it(app: Flask, cast: Cast) -> None:
    audit.record(Event.ROLE_CHANGED, Actor(cast.ada.id, HERE), profile_id=cast.rhys.id)
    db.session.rollback()

    assert db.session.scalars(select(AuditEvent)).all() == []


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_events SET actor_id = NULL", "DELETE FROM audit_events", "UPDATE audit_events SET at = now()"],
)
def test_no_row_is_ever_changed_or_deleted(app: Flask, cast: Cast, statement: str) -> None:
    """Not even by the owner of the table."""
    audit.record(Event.SIGNED_IN, Actor(cast.ada.id, HERE))
    db.session.commit()

    with pytest.raises(IntegrityError) as refused:
        db.session.execute(text(statement))
    assert isinstance(refused.value.orig, psycopg2.errors.RestrictViolation)
    db.session.rollback()
    assert db.session.scalar(text("SELECT count(*) FROM audit_events")) == 1


def test_a_role_that_may_only_read_and_insert_is_enough(app: Flask, cast: Cast) -> None:
    """The GRANTs of docs/security.md: the portal's own role can neither change nor delete, trigger or no trigger."""
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


def test_the_command_line_is_named_with_the_account_that_ran_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ops\n")
    actor = cli_actor("flask users add")

    assert actor.profile_id is None
    assert actor.request_origin.user_agent == "flask users add, by ops"


def test_every_event_has_words_and_fits_its_column() -> None:
    assert set(LABELS) == set(Event)
    assert max(len(event) for event in Event) <= 40
