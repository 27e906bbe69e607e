"""Ask before an editor that is opened by its address, while other users are on the page."""

import json
import re
from collections.abc import Callable
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.clients import Client, Valuation
from portal.extensions import db
from portal.presence.conflicting import conflicting_viewers
from tests.support.cast import Cast, make_profile
from tests.support.factories import make_person, make_product
from tests.support.html import text_of
from tests.support.test_client import Visitor, visitors_of

Visit = type[Visitor]
EXAMPLES = json.loads((Path(__file__).parent.parent / "conflicting.json").read_text())


@pytest.mark.parametrize("warning", ["present", "editing"])
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["who"])
def test_rule_is_that_of_the_browser(example: dict[str, Any], warning: str) -> None:
    viewer = {"id": 2, "entered_at": "2026-11-22T10:00:00+00:00", **example["user"]}

    assert bool(conflicting_viewers([viewer], 1, warning)) == example[warning]


@pytest.mark.parametrize("kind", ["client", "person", "product", "valuation"])
def test_editor_asks_about_the_other_users_who_may_edit(visit: Visit, cast: Cast, client: Client, kind: str) -> None:
    editor = editors_of(client)[kind]
    amelia = visit(cast.amelia)
    amelia.beat(f"client-{client.id}", tab_id="another")
    visit(cast.rhys).beat(f"client-{client.id}")
    assert asked_about(amelia.get(editor)) == []

    visit(cast.ada).beat(f"client-{client.id}")
    visit(cast.daniel).beat(f"client-{client.id}", activity="editing", fields=["Phone"])

    page = amelia.get(editor)
    assert asked_about(page) == ["Ada", "Daniel"]
    assert (
        "Ada Byron and Daniel Okafor are currently viewing or editing this client record. "
        "Making changes while others are editing may cause data conflicts."
    ) in text_of(page)


def test_editor_of_a_new_part_does_not_ask(visit: Visit, cast: Cast, client: Client) -> None:
    visit(cast.daniel).beat(f"client-{client.id}", activity="editing")

    assert asked_about(visit(cast.amelia).get(f"/clients/{client.id}/person/new")) == []


def test_restricted_warning_asks_only_about_users_who_edit(
    make_app: Callable[..., Flask], cast: Cast, client: Client
) -> None:
    visit = visitors_of(make_app(edit_warning="editing"))
    amelia, editor = visit(cast.amelia), f"/clients/{client.id}/edit"
    visit(cast.ada).beat(f"client-{client.id}")
    assert asked_about(amelia.get(editor)) == []
    assert 'data-edit-warning="editing"' in amelia.get(f"/clients/{client.id}").text

    visit(cast.daniel).beat(f"client-{client.id}", activity="editing")
    assert asked_about(amelia.get(editor)) == ["Daniel"]


def test_page_that_returns_typed_values_does_not_ask_again(visit: Visit, cast: Cast, client: Client) -> None:
    visit(cast.daniel).beat(f"client-{client.id}", activity="editing")

    page = visit(cast.amelia).post(f"/clients/{client.id}/edit", data={"version": "1", "name": ""})

    assert page.status_code == 422
    assert asked_about(page) == []


def test_sentence_names_ten_users_and_a_name_is_data(visit: Visit, cast: Cast, client: Client) -> None:
    people = [make_profile(f"Zoë{number}", '"<b>Quinn') for number in range(12)]
    for profile in people:
        visit(profile).beat(f"client-{client.id}")

    page = visit(cast.amelia).get(f"/clients/{client.id}/edit")

    assert len(asked_about(page)) == 12
    assert 'Zoë9 "<b>Quinn and 2 more users are currently viewing or editing' in text_of(page)
    assert "<b>Quinn" not in page.text


def asked_about(page: TestResponse) -> list[str]:
    """Return the first names of the users about whom the page asks."""
    found = re.search('data-conflicting="([^"]*)"', page.text)
    users = json.loads(unescape(found[1])) if found else []
    assert bool(users) == ("<presence-modal>" in page.text)
    return [viewer["first_name"] for viewer in users]


def editors_of(client: Client) -> dict[str, str]:
    """Return the address of an editor of each kind."""
    product = make_product(client, (date(2026, 1, 1), "1"))
    valuation = db.session.scalars(select(Valuation).where(Valuation.product_id == product.id)).one()
    parts = {"person": make_person(client), "product": product, "valuation": valuation}
    address = f"/clients/{client.id}"
    return {"client": f"{address}/edit"} | {kind: f"{address}/{kind}/{part.id}/edit" for kind, part in parts.items()}
