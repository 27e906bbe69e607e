"""Fixtures for concurrent edits."""

import pytest

from portal.clients import Client
from tests.support.cast import Cast
from tests.support.factories import make_client


@pytest.fixture
def client(cast: Cast) -> Client:
    """A client record that the users of the cast may edit."""
    return make_client("Whitmore Family", adviser_id=cast.amelia.id, phone="01632 960001", notes="One\nTwo\nThree")
