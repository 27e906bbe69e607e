"""A client page that the people of the cast meet on."""

import pytest

from portal.clients import Client
from tests.cast import Cast
from tests.records import make_client


@pytest.fixture
def client(cast: Cast) -> Client:
    return make_client("Whitmore Family", adviser_id=cast.amelia.id)


@pytest.fixture
def page_identifier(client: Client) -> str:
    return f"client-{client.id}"
