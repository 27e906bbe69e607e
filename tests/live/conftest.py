"""How tests listen to a page."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from flask import Flask
from sqlalchemy import text

from portal.extensions import db
from tests.conftest import AppMaker
from tests.support.postgres_proxy import Wiretap
from tests.support.sse_reader import Hearing
from tests.support.test_client import Visitor, visitors_of

Listen = Callable[..., Hearing]


@pytest.fixture
def listen(app: Flask) -> Iterator[Listen]:
    """`listen(visitor, page)` opens a stream, which is closed when the test ends."""
    with ExitStack() as opened:

        def open_stream(visitor: Visitor, page_identifier: str, tab_id: str = "tab") -> Hearing:
            path = f"/user_page_presence/{page_identifier}/events?tab_id={tab_id}&stream=1"
            answer = visitor.get(path, buffered=False)
            assert answer.status_code == 200, answer.get_data(as_text=True)
            return opened.enter_context(Hearing(answer))

        yield open_stream


@pytest.fixture
def tapped_visit(make_app: AppMaker, wiretap: Wiretap) -> type[Visitor]:
    """On an application for this test alone: its hub would talk while others count what is said on the wire."""
    return visitors_of(make_app(database_url=wiretap.url))


def run_sql(statement: str, **parameters: object) -> None:
    """Change the database behind the portal's back. Commits."""
    db.session.execute(text(statement), parameters)
    db.session.commit()
