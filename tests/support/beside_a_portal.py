"""Use the database of portals that run in other processes."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from portal.app import create_app
from portal.extensions import db
from tests.conftest import DatabaseMaker, settings_for
from tests.support.cast import make_cast


def make_database_with_cast(make_database: DatabaseMaker, migrated_url: str) -> str:
    """Return the URL of a migrated database that contains the cast."""
    url = make_database(migrated_url)
    with create_app(settings_for(url)).app_context():
        make_cast()
        db.engine.dispose()
    return url


@contextmanager
def within(app: Flask) -> Iterator[Flask]:
    """Return the application in which a test creates and reads records, beside the portals' processes."""
    with app.app_context():
        yield app
        db.session.rollback()
