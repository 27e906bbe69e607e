"""Test the URL converter `<id:…>`."""

import pytest
from flask import Flask

from portal.integers import MAX_INTEGER
from tests.support.cast import Cast
from tests.support.test_client import Visitor


@pytest.mark.parametrize("number", [0, -1, MAX_INTEGER, MAX_INTEGER + 1, 10**30, "1.0", "x", "١"])
def test_url_with_a_number_outside_the_range_of_ids_is_404(visit: type[Visitor], cast: Cast, number: object) -> None:
    """The largest id is a possible one, so it reaches the database, which has no such client."""
    assert visit(cast.ada).get(f"/clients/{number}").status_code == 404


def test_every_number_in_a_route_is_an_id(app: Flask) -> None:
    assert [rule.rule for rule in app.url_map.iter_rules() if "<int" in rule.rule] == []
