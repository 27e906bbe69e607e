"""Fixtures to read event streams."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from flask import Flask
from sqlalchemy import text

from portal.extensions import db
from tests.conftest import AppMaker
from tests.support.postgres_proxy import Wiretap
from tests.support.sse_reader import EventReader
from tests.support.test_client import Visitor, visitors_of

Listen = Callable[..., EventReader]


@pytest.fixture
def listen(app: Flask) -> Iterator[Listen]:
    """`listen(visitor, page)` opens a stream and closes it after the test."""
    with ExitStack() as opened:

        def open_stream(visitor: Visitor, page_identifier: str, tab_id: str = "tab") -> EventReader:
            path = f"/user_page_presence/{page_identifier}/events?tab_id={tab_id}&stream=1"
            response = visitor.get(path, buffered=False)
            assert response.status_code == 200, response.get_data(as_text=True)
            return opened.enter_context(EventReader(response))

        yield open_stream


@pytest.fixture
def tapped_visit(make_app: AppMaker, wiretap: Wiretap) -> type[Visitor]:
    """Visit an application for this test only. The hub of a shared one would add statements to those that a test
    counts.
    """
    return visitors_of(make_app(database_url=wiretap.url))


def run_sql(statement: str, **parameters: object) -> None:
    """Change the database without the portal. Commits."""
    db.session.execute(text(statement), parameters)
    db.session.commit()
