"""Show what an undo would do now, field by field, and accept a reason."""

import re
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.clients import Client, Person
from portal.extensions import db
from tests.clients.conftest import ClientEditor, history_of
from tests.support.cast import Cast
from tests.support.factories import make_client, make_person, make_product
from tests.support.html import form_of, links_of, text_of
from tests.support.test_client import Visitor


@pytest.fixture
def client(cast: Cast) -> Client:
    return make_client("Whitmore Family", adviser_id=cast.amelia.id, phone="111", town="Bath", notes="One\nTwo\nThree")


def ask(editor: ClientEditor, version: int, entry: str = "", **query: str) -> TestResponse:
    return editor.browser.get(f"{editor.address}/history/{version}/revert", query_string={"entry": entry, **query})


def words_of(editor: ClientEditor, version: int, entry: str = "") -> str:
    response = ask(editor, version, entry)
    assert response.status_code == 200, response.text
    return text_of(response)


def undo(editor: ClientEditor, version: int, entry: str = "", **sent: str) -> TestResponse:
    return editor.send({**form_of(ask(editor, version, entry)), **sent}, f"/history/{version}/revert")


def test_undo_page_shows_each_field_now_and_after_the_undo(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor
) -> None:
    daniels_editor.change(phone="222", town="Wells")

    words = words_of(amelias_editor, 2)

    assert "Undo change 2?" in words
    assert "Daniel Okafor changed Phone and Town" in words
    assert "Phone 222 → 111" in words
    assert "Town Wells → Bath" in words
    assert "Daniel Okafor is notified of it." in words
    assert "is notified of it" not in words_of(daniels_editor, 2)


def test_undo_page_names_fields_changed_since(amelias_editor: ClientEditor, daniels_editor: ClientEditor) -> None:
    amelias_editor.change(phone="222", town="Wells", notes="ONE\nTwo\nThree")
    daniels_editor.change(phone="333", notes="ONE\nTwo\nTHREE")

    words = words_of(amelias_editor, 2)

    assert "Phone 333 → 111 Daniel Okafor has changed this since: you are asked which value stays." in words
    assert "Town Wells → Bath" in words
    assert re.search(r"Key information .*ONE.*One.*Two THREE", words)


def test_undo_page_names_fields_that_have_the_old_value_already(amelias_editor: ClientEditor) -> None:
    amelias_editor.change(phone="222", town="Wells")
    amelias_editor.change(phone="111")

    words = words_of(amelias_editor, 2)

    assert "Phone 111 stays as it is" in words
    assert "Town Wells → Bath" in words


def test_undo_page_has_no_button_if_nothing_would_change(amelias_editor: ClientEditor) -> None:
    amelias_editor.change(phone="222")
    amelias_editor.change(phone="111")

    page = ask(amelias_editor, 2)

    assert "There is nothing to undo: the record is as it was before that change." in text_of(page)
    assert 'name="reason"' not in page.text


def test_undo_page_writes_nothing(amelias_editor: ClientEditor, client: Client) -> None:
    amelias_editor.change(phone="222")
    ask(amelias_editor, 2)

    assert [revision.version for revision in history_of(client)] == [2]


def test_reason_of_an_undo_is_in_the_history(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    daniels_editor.change(phone="222")

    assert undo(amelias_editor, 2, reason="  The number is\tRuth's sister's. ").status_code == 302

    assert history_of(client)[1].reason == "The number is Ruth's sister's."
    words = text_of(amelias_editor.browser.get(f"{amelias_editor.address}/history"))
    assert "Undoes change 2: “The number is Ruth's sister's.”" in words


def test_reason_of_an_undo_is_kept_on_the_conflict_page(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    amelias_editor.change(phone="222")
    daniels_editor.change(phone="333")
    question_page = undo(amelias_editor, 2, reason="Wrong client")
    assert question_page.status_code == 409

    sent = {**form_of(question_page), "decide-phone": "yours"}
    assert amelias_editor.send(sent, "/history/2/revert").status_code == 302
    assert history_of(client)[2].reason == "Wrong client"


@pytest.mark.parametrize("reason", ["x" * 301, "a\0b"])
def test_invalid_reason_is_rejected_and_stays_on_the_page(
    amelias_editor: ClientEditor, client: Client, reason: str
) -> None:
    amelias_editor.change(phone="222")

    response = undo(amelias_editor, 2, reason=reason)

    assert response.status_code == 422
    assert "Not undone. The reason" in text_of(response)
    assert form_of(response)["reason"] == reason
    assert amelias_editor.send_json("/history/2/revert", version=2, entry="", reason=reason).status_code == 422
    assert len(history_of(client)) == 1


def test_undo_page_shows_an_added_part_before_its_removal(amelias_editor: ClientEditor, client: Client) -> None:
    product = make_product(client, (date(2026, 3, 31), "5"))
    amelias_editor.change("/product/new", product_name="Bond", product_type="GIA", provider="Aviva", plan_number="B1")
    [added] = [each for each in history_of(client)[0].changes if each != f"product/{product.id}"]

    words = words_of(amelias_editor, 2, added)

    assert "GIA B1 is removed" in words
    assert "Plan number B1" in words


def test_undo_page_has_no_button_for_a_part_changed_since(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    amelias_editor.change("/person/new", first_name="Ruth", last_name="Whitmore")
    [ruth] = db.session.scalars(select(Person))
    key = f"person/{ruth.id}"
    daniels_editor.change(f"/{key}/edit", known_as="Ru")

    page = ask(amelias_editor, 2, key)

    assert "Ruth Whitmore has been changed since: Daniel’s change to Known as" in text_of(page)
    assert f"{amelias_editor.address}/{key}/remove" in links_of(page)
    assert 'name="reason"' not in page.text


def test_undo_page_shows_a_removed_part_before_its_return(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    product = make_product(client, (date(2026, 3, 31), "5"), (date(2026, 6, 30), "6"), plan_number="A1")
    key = f"product/{product.id}"
    daniels_editor.change(f"/{key}/remove")

    words = words_of(amelias_editor, 2, key)

    assert "ISA A1 comes back" in words
    assert "Its 2 valuations come back with it." in words
    assert undo(amelias_editor, 2, key).status_code == 302
    assert "It is there already" in words_of(amelias_editor, 2, key)


def test_undo_page_says_that_the_plan_number_is_in_use(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    key = f"product/{make_product(client, plan_number='A1').id}"
    daniels_editor.change(f"/{key}/remove")
    make_product(client, plan_number="A1")

    assert "This plan number is in use already." in words_of(amelias_editor, 2, key)


def test_undo_does_not_assign_a_deactivated_adviser(
    amelias_editor: ClientEditor, client: Client, cast: Cast, visit: type[Visitor]
) -> None:
    client.adviser_id = cast.daniel.id
    db.session.commit()
    amelias_editor.change(adviser_id=str(cast.ada.id), phone="222")
    cast.daniel.is_active = False
    db.session.commit()
    problem = "Daniel Okafor cannot look after clients. Choose an active adviser or administrator."

    assert problem in words_of(amelias_editor, 2)
    sent: dict[str, Any] = {"version": 2, "entry": ""}
    response = amelias_editor.send_json("/history/2/revert", **sent)
    assert (response.status_code, response.json["detail"]) == (422, problem)
    db.session.refresh(client)
    assert client.adviser_id == cast.ada.id


def test_undo_keeps_the_filters_of_the_history(amelias_editor: ClientEditor) -> None:
    amelias_editor.change(phone="222")
    amelias_editor.change(phone="333")
    filtered = f"{amelias_editor.address}/history?field=phone"
    [link] = [each for each in links_of(amelias_editor.browser.get(filtered)) if "/history/3/revert" in each]

    page = amelias_editor.browser.get(link)
    assert filtered in links_of(page)
    [action] = re.findall(r'action="([^"]*/history/3/revert[^"]*)"', page.text)
    response = amelias_editor.browser.post(action.replace("&amp;", "&"), data=form_of(page))

    assert response.location == filtered


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_undo_redirects_within_the_portal_only(amelias_editor: ClientEditor, back: str) -> None:
    amelias_editor.change(phone="222")
    page = ask(amelias_editor, 2, back=back)

    assert back not in links_of(page)
    response = amelias_editor.browser.post(
        f"{amelias_editor.address}/history/2/revert", query_string={"back": back}, data=form_of(page)
    )
    assert response.location == f"{amelias_editor.address}/history"


def test_undone_change_is_marked_and_cannot_be_undone_again(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    make_person(client)
    daniels_editor.change(phone="222")
    undo(amelias_editor, 2)

    page = amelias_editor.browser.get(f"{amelias_editor.address}/history")

    assert "Undone by Amelia Hart in change 3" in text_of(page)
    assert not [link for link in links_of(page) if "/history/2/revert" in link]
    assert [link for link in links_of(page) if "/history/3/revert" in link]
    assert "This change is undone already, by Amelia Hart in change 3." in words_of(daniels_editor, 2)


def test_change_whose_undo_was_undone_can_be_undone_again(amelias_editor: ClientEditor, client: Client) -> None:
    amelias_editor.change(phone="222")
    undo(amelias_editor, 2)
    undo(amelias_editor, 3)

    page = amelias_editor.browser.get(f"{amelias_editor.address}/history")

    assert "Undone by Amelia Hart in change 4" in text_of(page)
    assert "Undone by Amelia Hart in change 3" not in text_of(page)
    assert [link for link in links_of(page) if "/history/2/revert" in link]


def test_only_the_undone_entry_is_marked(amelias_editor: ClientEditor, client: Client) -> None:
    product = make_product(client, (date(2026, 3, 31), "5"))
    key = f"product/{product.id}"
    amelias_editor.change(f"/{key}/edit", provider="Royal London")
    amelias_editor.change(f"/{key}/remove")
    undo(amelias_editor, 3, key)

    page = text_of(amelias_editor.browser.get(f"{amelias_editor.address}/history", query_string={"version": "3"}))

    assert "Undone by Amelia Hart in change 4" in page
    page = text_of(amelias_editor.browser.get(f"{amelias_editor.address}/history", query_string={"version": "2"}))
    assert "Undone" not in page


def test_reader_cannot_open_the_undo_page(
    visit: type[Visitor], cast: Cast, amelias_editor: ClientEditor, client: Client
) -> None:
    amelias_editor.change(phone="222")

    assert ask(ClientEditor(visit(cast.rhys), client), 2).status_code == 403
