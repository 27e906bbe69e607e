"""A client record that the people of the cast edit."""

import pytest

from portal.clients import Client
from tests.cast import Cast
from tests.records import make_client


@pytest.fixture
def client(cast: Cast) -> Client:
    return make_client("Whitmore Family", adviser_id=cast.amelia.id, phone="01632 960001", notes="One\nTwo\nThree")
