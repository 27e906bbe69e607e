"""Undo a change by a new change, with a version check and a merge."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.clients import Client, Person, Product, Valuation
from portal.extensions import db
from tests.clients.conftest import ClientEditor, history_of
from tests.support.cast import Cast
from tests.support.factories import make_client, make_person, make_product
from tests.support.html import form_of, links_of, text_of

NOTES = "One\nTwo\nThree\nFour"


@pytest.fixture
def client(cast: Cast) -> Client:
    return make_client("Whitmore Family", adviser_id=cast.amelia.id, phone="111", town="Bath", notes=NOTES)


def undo(editor: ClientEditor, client: Client, version: int, entry: str = "", **more: str) -> TestResponse:
    db.session.refresh(client)
    form = {"version": str(client.version), "entry": entry, **more}
    return editor.browser.post(f"{editor.address}/history/{version}/revert", data=form)


def stored(client: Client) -> Client:
    db.session.refresh(client)
    return client


def all_of(model: type[Any]) -> list[Any]:
    db.session.rollback()
    return list(db.session.scalars(select(model).order_by(model.id)))


def test_undo_restores_the_old_values_and_says_so(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, cast: Cast, client: Client
) -> None:
    daniels_editor.change(phone="222", town="Wells")

    response = undo(amelias_editor, client, 2)

    assert (response.status_code, response.headers["Location"]) == (302, f"{amelias_editor.address}/history")
    assert (stored(client).phone, client.town, client.version) == ("111", "Bath", 3)
    revision = history_of(client)[1]
    assert (revision.source, revision.reverts, revision.changed_by) == ("revert", 2, cast.amelia.id)
    assert revision.changes == {"phone": ["222", "111"], "town": ["Wells", "Bath"]}
    page = text_of(amelias_editor.browser.get(f"{amelias_editor.address}/history"))
    assert "Change 2 is undone." in page
    assert "Undoes change 2" in page


def test_undo_keeps_later_changes_of_other_fields(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    amelias_editor.change(phone="222", notes="ONE\nTwo\nThree\nFour")
    daniels_editor.change(town="Wells", notes="ONE\nTwo\nThree\nFOUR")

    assert undo(amelias_editor, client, 2).status_code == 302
    assert (stored(client).phone, client.town, client.notes) == ("111", "Wells", "One\nTwo\nThree\nFOUR")


def test_undo_of_a_field_that_changed_again_asks(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    amelias_editor.change(phone="222", town="Wells")
    daniels_editor.change(phone="333")

    page = undo(amelias_editor, client, 2)

    assert page.status_code == 409
    words = text_of(page)
    assert "Change 2 is not undone yet." in words
    assert "It was 222 Daniel Okafor’s, less than a minute ago 333 As before that change 111" in words
    assert stored(client).version == 3
    again = undo(amelias_editor, client, 2)
    sent = {**form_of(again), "decide-phone": "yours"}
    assert amelias_editor.browser.post(f"{amelias_editor.address}/history/2/revert", data=sent).status_code == 302
    assert (stored(client).phone, client.town, client.version) == ("111", "Bath", 4)
    assert history_of(client)[2].resolutions == {"phone": "yours"}


def test_save_during_an_undo_conflict_asks_again(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    amelias_editor.change(phone="222")
    daniels_editor.change(phone="333")
    sent = {**form_of(undo(amelias_editor, client, 2)), "decide-phone": "yours"}
    daniels_editor.change(phone="444")

    response = amelias_editor.browser.post(f"{amelias_editor.address}/history/2/revert", data=sent)

    assert response.status_code == 409
    assert "changed again while you were deciding" in text_of(response)
    assert stored(client).phone == "444"


def test_second_undo_changes_nothing(amelias_editor: ClientEditor, client: Client) -> None:
    amelias_editor.change(phone="222")

    assert [undo(amelias_editor, client, 2).status_code for _ in range(2)] == [302, 302]
    assert stored(client).version == 3
    assert "There is nothing to undo" in text_of(amelias_editor.browser.get(f"{amelias_editor.address}/history"))


def test_undo_can_be_undone(amelias_editor: ClientEditor, client: Client) -> None:
    amelias_editor.change(phone="222")
    undo(amelias_editor, client, 2)

    assert undo(amelias_editor, client, 3).status_code == 302
    assert (stored(client).phone, client.version) == ("222", 4)


def test_undo_of_an_added_person_removes_them(amelias_editor: ClientEditor, client: Client) -> None:
    amelias_editor.change("/person/new", first_name="Ruth", last_name="Whitmore")
    [ruth] = all_of(Person)

    assert undo(amelias_editor, client, 2, f"person/{ruth.id}").status_code == 302
    assert all_of(Person) == []


def test_person_who_changed_since_is_not_removed_by_undo(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    amelias_editor.change("/person/new", first_name="Ruth", last_name="Whitmore")
    [ruth] = all_of(Person)
    daniels_editor.change(f"/person/{ruth.id}/edit", known_as="Ru")

    response = undo(amelias_editor, client, 2, f"person/{ruth.id}")

    assert response.status_code == 409
    assert "Not undone. This person has been changed since you opened it. Remove it from its own page." in text_of(
        response
    )
    assert len(all_of(Person)) == 1


def test_undo_of_a_removed_product_restores_it_and_its_valuations_under_their_ids(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    product = make_product(client, (date(2026, 3, 31), "1000"), (date(2026, 6, 30), "1100.5"), fixed_fee="12.30")
    kept = (product.id, product.plan_number, [valuation.id for valuation in all_of(Valuation)])
    daniels_editor.change(f"/product/{product.id}/remove")
    assert all_of(Valuation) == []

    assert undo(amelias_editor, client, 2, f"product/{kept[0]}").status_code == 302

    [back] = all_of(Product)
    assert (back.id, back.plan_number, back.fixed_fee) == (kept[0], kept[1], Decimal("12.30"))
    assert [valuation.id for valuation in all_of(Valuation)] == kept[2]
    assert len(history_of(client)[1].changes) == 3
    assert undo(amelias_editor, client, 2, f"product/{kept[0]}").status_code == 302
    assert stored(client).version == 3


def test_undo_of_a_removal_whose_plan_number_is_in_use_says_so(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    product_id = make_product(client, plan_number="A1").id
    daniels_editor.change(f"/product/{product_id}/remove")
    make_product(client, plan_number="A1")

    response = undo(amelias_editor, client, 2, f"product/{product_id}")

    assert response.status_code == 422
    assert "Not undone. This plan number is in use already." in text_of(response)


def test_valuation_cannot_be_restored_before_its_product(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    product = make_product(client, (date(2026, 3, 31), "1000"))
    product_id, [valuation_id] = product.id, [valuation.id for valuation in all_of(Valuation)]
    amelias_editor.change(f"/valuation/{valuation_id}/remove")
    daniels_editor.change(f"/product/{product_id}/remove")

    response = undo(amelias_editor, client, 2, f"valuation/{valuation_id}")

    assert response.status_code == 422
    assert "bring that back first" in text_of(response)


def test_change_of_a_person_who_was_removed_since_cannot_be_undone(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    ruth_id = make_person(client).id
    amelias_editor.change(f"/person/{ruth_id}/edit", known_as="Ru")
    daniels_editor.change(f"/person/{ruth_id}/remove")

    response = undo(amelias_editor, client, 2, f"person/{ruth_id}")

    assert response.status_code == 409
    assert "Ruth Whitmore has been removed" in text_of(response)


@pytest.mark.parametrize(
    ("version", "entry", "status"),
    [
        (2, "grant/1", 422),
        (2, "person/1", 422),
        (2, "nonsense", 422),
        (2, "person/x", 422),
        (99, "", 404),
        (1, "", 404),
    ],
)
def test_field_that_the_change_did_not_touch_cannot_be_undone(
    amelias_editor: ClientEditor, client: Client, version: int, entry: str, status: int
) -> None:
    make_person(client)
    amelias_editor.change(phone="222")

    assert undo(amelias_editor, client, version, entry).status_code == status
    assert stored(client).phone == "222"


def test_change_of_another_client_is_404(amelias_editor: ClientEditor, client: Client) -> None:
    other = make_client("Baker Family")
    amelias_editor.change(phone="222")

    assert undo(ClientEditor(amelias_editor.browser, other), other, 2).status_code == 404


@pytest.mark.parametrize("kind", ["record", "person"])
def test_conflict_page_of_an_undo_has_a_draft_that_the_undo_settles(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client, kind: str
) -> None:
    """If the user leaves the undo, the editor offers the draft."""
    form, entry, field = "record", "", "phone"
    if kind == "person":
        entry = form = f"person/{make_person(client, 'Ruth', 'Whitmore').id}"
        field = "known_as"
    path = f"/{entry}/edit" if entry else "/edit"
    daniels_editor.change(path, **{field: "222"})
    daniels_editor.change(path, **{field: "333"})

    question_page = undo(amelias_editor, client, 2, entry)

    assert "changed since" in text_of(question_page)
    assert "changed by both" not in text_of(question_page)
    sent = form_of(question_page)
    [url] = re.findall(r'data-draft-url="([^"]+)"', question_page.text)
    assert url.replace("&amp;", "&").replace("%2F", "/") == (
        f"/edit_drafts/client-{client.id}?form={form}&draft={sent['draft']}"
    )
    custom = {f"decide-{field}": "third", f"third-{field}": "444"}
    typed = {"version": int(sent["version"]), "seen": f"{field}:{sent['seen_version']}", "values": {field: "444"}}
    assert amelias_editor.browser.call("PUT", url.replace("&amp;", "&"), json=typed).status_code == 200
    page = amelias_editor.browser.get(amelias_editor.address + path)
    assert "You have unsaved changes" in text_of(page)
    [restore] = [link for link in links_of(page) if f"{path}?draft=" in link]
    assert form_of(amelias_editor.browser.get(restore))[field] == "444"

    again = amelias_editor.send({**sent, **custom, f"third-{field}": "4" * 900}, "/history/2/revert")
    assert (again.status_code, form_of(again)["draft"]) == (409, sent["draft"])
    assert amelias_editor.send({**sent, **custom}, "/history/2/revert").status_code == 302
    assert "You have unsaved changes" not in text_of(amelias_editor.browser.get(amelias_editor.address + path))


def test_custom_value_of_an_undo_that_is_in_use_stays_and_is_asked_again(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    product = make_product(client, plan_number="A1")
    make_product(client, plan_number="T1")
    path = f"/product/{product.id}/edit"
    daniels_editor.change(path, plan_number="B1", provider="Zurich")
    daniels_editor.change(path, plan_number="C1", provider="Prudential")
    question_page = form_of(undo(amelias_editor, client, 2, f"product/{product.id}"))
    decided = {"decide-plan_number": "third", "third-plan_number": "T1", "decide-provider": "yours"}

    again = amelias_editor.send({**question_page, **decided}, "/history/2/revert")

    assert again.status_code == 409
    assert "This plan number is in use already." in text_of(again)
    assert decided.items() <= form_of(again).items()
    assert amelias_editor.send({**form_of(again), "third-plan_number": "D1"}, "/history/2/revert").status_code == 302
    db.session.refresh(product)
    assert (product.plan_number, product.provider) == ("D1", "Aviva")
