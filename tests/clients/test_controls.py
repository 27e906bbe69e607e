"""Test that a control keeps a half-typed value, and that its hint is below it."""

import re

import pytest

from portal.clients import Client
from tests.support.cast import Cast
from tests.support.factories import make_person, make_product
from tests.support.test_client import Visitor

# A browser's own control for dates or numbers gives scripts and the server no value that it cannot parse.
HIDING_TYPES = {"date", "datetime-local", "month", "number", "time", "week"}
INPUT = re.compile(r"<input\b[^>]*>")


@pytest.mark.parametrize(
    "path",
    [
        "edit",
        "person/{person}/edit",
        "person/new",
        "product/{product}/edit",
        "product/new",
        "product/{product}/valuation/new",
        "review",
        "history",
    ],
)
def test_controls_of_a_row_begin_at_one_height_and_hide_no_half_typed_value_from_scripts(
    visit: type[Visitor], cast: Cast, client: Client, path: str
) -> None:
    parts = {"person": make_person(client).id, "product": make_product(client).id}
    page = visit(cast.amelia).get(f"/clients/{client.id}/{path.format(**parts)}")

    hints = re.findall(r'id="(\w+)-hint"', page.text)
    assert all(page.text.index(f' id="{name}"') < page.text.index(f' id="{name}-hint"') for name in hints)
    named = [tag for tag in INPUT.findall(page.text) if " name=" in tag]
    assert page.status_code == 200
    assert named
    assert [tag for tag in named if HIDING_TYPES & set(re.findall(r'type="([^"]+)"', tag))] == []
