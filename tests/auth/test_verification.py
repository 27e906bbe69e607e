"""Verify passwords without a request: the caller passes what it knows of the browser."""

from flask import Flask
from sqlalchemy import select

from portal.audit import AuditEvent
from portal.auth import verification
from portal.auth.attempts import Browser
from portal.config.current import current_settings
from portal.extensions import db
from portal.web.actor import RequestOrigin
from tests.support.cast import PASSWORD, Cast
from tests.support.sign_in import failures_by_kind

BROWSER = Browser(RequestOrigin("192.0.2.7", "Browser/1", "r1"), device_tokens={})


def test_correct_password_is_verified_and_the_caller_commits(app: Flask, cast: Cast) -> None:
    verification.verify_password(cast.amelia.email, "wrong", BROWSER, current_settings())

    assert verification.verify_password(cast.amelia.email, PASSWORD, BROWSER, current_settings()) == cast.amelia
    assert failures_by_kind() == {"account": 1, "address": 1}
    db.session.rollback()
    assert failures_by_kind() == {"account": 2, "address": 2, "pair": 2}


def test_wrong_password_is_counted_and_recorded_although_the_caller_rolls_back(app: Flask, cast: Cast) -> None:
    assert verification.verify_password(cast.amelia.email, "wrong", BROWSER, current_settings()) is None
    db.session.rollback()

    assert failures_by_kind() == {"account": 1, "address": 1, "pair": 1}
    [event] = db.session.scalars(select(AuditEvent))
    assert (event.event, event.profile_id, event.address) == ("sign_in_failed", cast.amelia.id, "192.0.2.7")
