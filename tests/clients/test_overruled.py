"""Show overruled users a notice until they restore their value or dismiss it."""

import re
from datetime import date

import pytest
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from portal.clients import Client, ClientGrant, Person
from portal.clients.saving.overruled import OverruledChange
from portal.extensions import db
from tests.clients.conftest import ClientEditor, history_of
from tests.support.cast import Cast
from tests.support.factories import make_client, make_product
from tests.support.html import form_of, text_of
from tests.support.test_client import Visitor

Visit = type[Visitor]


@pytest.fixture
def client(cast: Cast) -> Client:
    return make_client("Whitmore Family", adviser_id=cast.amelia.id, phone="111", town="Bath", notes="One\nTwo")


def overrule(
    by: ClientEditor, over: ClientEditor, choice: str = "yours", path: str = "/edit", **typed: dict[str, str]
) -> None:
    """Open both editors. `over` saves first, then `by` saves other values and resolves the conflicts."""
    form = by.open(path)
    over.change(path, **{name: pair["theirs"] for name, pair in typed.items()})
    question_page = by.send(form, path, **{name: pair["yours"] for name, pair in typed.items()})
    assert question_page.status_code == 409
    resolutions = {f"decide-{name}": choice for name in typed}
    third = {f"third-{name}": "third" for name in typed}
    assert by.send({**form_of(question_page), **resolutions, **third}, path).status_code == 302


def notice_text(editor: ClientEditor, path: str = "") -> str:
    """Return the text of the notices on the page; '' without notices."""
    page = editor.browser.get(editor.address + path)
    assert page.status_code == 200
    [part] = re.findall(r'<section class="overruled".*?</section>', page.text, re.DOTALL) or [""]
    return " ".join(re.sub(r"<[^>]+>", " ", part).split())


def press(editor: ClientEditor, button: str, path: str = "") -> TestResponse:
    """Send the form of the notice that has this button."""
    page = editor.browser.get(editor.address + path).text
    forms = re.findall(r'<form method="post" action="([^"]+)"[^>]*>(.*?)</form>', page, re.DOTALL)
    [(action, inside)] = [(action, inside) for action, inside in forms if button in inside]
    sent = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', inside))
    return editor.browser.post(action.replace("&amp;", "&"), data=sent)


PHONE = {"theirs": "222", "yours": "333"}


@pytest.mark.parametrize(("choice", "value"), [("yours", "333"), ("third", "third")])
def test_overruled_user_sees_both_values(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, choice: str, value: str
) -> None:
    overrule(daniels_editor, amelias_editor, choice, phone=PHONE)

    assert f"Daniel replaced your Phone: 222 → {value}" in notice_text(amelias_editor)
    assert notice_text(daniels_editor) == ""


@pytest.mark.parametrize("path", ["", "/edit"])
def test_notice_is_shown_on_the_page_and_in_the_editor(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, path: str
) -> None:
    overrule(daniels_editor, amelias_editor, phone=PHONE)

    assert "Daniel replaced your Phone" in notice_text(amelias_editor, path)


def test_newer_value_rejected_in_the_editor_is_overruled(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor
) -> None:
    form = daniels_editor.open()
    amelias_editor.change(phone="222")
    assert daniels_editor.send(form, phone="333", seen="phone:2").status_code == 302

    assert "Daniel replaced your Phone: 222 → 333" in notice_text(amelias_editor)


def test_decision_for_the_other_value_and_later_change_overrule_no_user(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor
) -> None:
    overrule(daniels_editor, amelias_editor, "theirs", phone=PHONE)
    daniels_editor.change(phone="444")

    assert notice_text(amelias_editor) == ""


def test_only_the_author_of_the_replaced_value_sees_a_notice(
    visit: Visit, cast: Cast, client: Client, amelias_editor: ClientEditor, daniels_editor: ClientEditor
) -> None:
    ada = ClientEditor(visit(cast.ada), client)
    form = daniels_editor.open()
    amelias_editor.change(phone="222")
    ada.change(phone="333", town="Wells")
    question_page = daniels_editor.send(form, phone="444", town="Frome")
    assert (
        daniels_editor.send({**form_of(question_page), "decide-phone": "yours", "decide-town": "yours"}).status_code
        == 302
    )

    assert notice_text(amelias_editor) == ""
    words = notice_text(ada)
    assert "Daniel replaced your Phone: 333 → 444" in words
    assert "Daniel replaced your Town: Wells → Frome" in words


def test_notice_of_a_long_text_links_to_the_change(amelias_editor: ClientEditor, daniels_editor: ClientEditor) -> None:
    overrule(daniels_editor, amelias_editor, notes={"theirs": "ONE\r\nTwo", "yours": "Eins\r\nTwo"})

    words = notice_text(amelias_editor)
    assert "Daniel replaced your Key information" in words
    assert "Show what was changed" in words
    assert "Eins" not in words


def test_author_of_an_undone_change_sees_the_reason(amelias_editor: ClientEditor, daniels_editor: ClientEditor) -> None:
    amelias_editor.change(phone="222", town="Wells")
    sent = {"version": "2", "entry": "", "reason": "Wrong client"}
    assert daniels_editor.send(sent, "/history/2/revert").status_code == 302

    words = notice_text(amelias_editor)
    assert "Daniel undid your change to Phone: 222 → 111" in words
    assert "Daniel undid your change to Town: Wells → Bath" in words
    assert "“Wrong client”" in words


def test_undo_of_own_change_notifies_no_user(amelias_editor: ClientEditor, daniels_editor: ClientEditor) -> None:
    amelias_editor.change(phone="222")
    amelias_editor.send({"version": "2", "entry": ""}, "/history/2/revert")

    assert (notice_text(amelias_editor), notice_text(daniels_editor)) == ("", "")


def test_author_of_a_part_that_an_undo_removes_or_restores_sees_a_notice(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    product_key = f"product/{make_product(client, (date(2026, 3, 31), '5'), plan_number='A1').id}"
    amelias_editor.change("/person/new", first_name="Ruth", last_name="Whitmore")
    amelias_editor.change(f"/{product_key}/remove")
    [ruth] = db.session.scalars(select(Person))
    daniels_editor.send({"version": "3", "entry": f"person/{ruth.id}"}, "/history/2/revert")
    daniels_editor.send({"version": "4", "entry": product_key}, "/history/3/revert")

    words = notice_text(amelias_editor)
    assert "Daniel undid your change: Ruth Whitmore is removed" in words
    assert "Daniel undid your change: ISA A1 is back" in words


def test_put_mine_back_restores_the_value_and_removes_the_notice(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    overrule(daniels_editor, amelias_editor, phone=PHONE, town={"theirs": "Wells", "yours": "Frome"})

    response = press(amelias_editor, "Put mine back: Phone")

    assert response.location == amelias_editor.address
    db.session.refresh(client)
    assert (client.phone, client.town) == ("222", "Frome")
    assert "Phone is as you had it." in text_of(amelias_editor.browser.get(amelias_editor.address))
    assert "Daniel replaced your Town: Wells → Frome" in notice_text(amelias_editor)
    assert "Amelia undid your change to Phone: 333 → 222" in notice_text(daniels_editor)


def test_put_mine_back_is_a_conflict_if_the_value_changed_since(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    overrule(daniels_editor, amelias_editor, phone=PHONE)
    daniels_editor.change(phone="444")

    question_page = press(amelias_editor, "Put mine back: Phone")

    assert question_page.status_code == 409
    sent = {**form_of(question_page), "decide-phone": "yours"}
    assert amelias_editor.send(sent, f"/history/{history_of(client)[1].version}/revert").status_code == 302
    db.session.refresh(client)
    assert client.phone == "222"
    assert notice_text(amelias_editor) == ""


def test_notice_of_a_field_is_removed_when_its_reader_changes_it(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor
) -> None:
    overrule(daniels_editor, amelias_editor, phone=PHONE, town={"theirs": "Wells", "yours": "Frome"})
    daniels_editor.change(phone="444")
    assert "Daniel replaced your Phone" in notice_text(amelias_editor)

    amelias_editor.change(phone="222")

    assert "Phone" not in notice_text(amelias_editor)
    assert "Daniel replaced your Town: Wells → Frome" in notice_text(amelias_editor)
    amelias_editor.change(town="Wells")
    assert notice_text(amelias_editor) == ""
    assert db.session.scalars(select(OverruledChange.version)).all() == []


def changes_told(editor: ClientEditor, since: int) -> list[tuple[str, str, bool, str | None]]:
    """Return (key, change, whether it overrules the reader, the reader's value) of all changes since a version."""
    response = editor.browser.get(f"{editor.address}/changes?since={since}").json
    return [
        (field["key"], field["change"], field.get("overrules_you", False), field.get("value_before"))
        for change in response["changes"]
        for field in change["fields"]
    ]


def test_open_page_learns_which_change_overrules_its_reader(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, cast: Cast
) -> None:
    overrule(daniels_editor, amelias_editor, adviser_id={"theirs": str(cast.daniel.id), "yours": str(cast.ada.id)})
    daniels_editor.change(phone="555")

    assert changes_told(amelias_editor, since=2) == [
        ("adviser_id", "changed", True, "Daniel Okafor"),
        ("phone", "changed", False, None),
    ]
    assert changes_told(daniels_editor, since=2) == [
        ("adviser_id", "changed", False, None),
        ("phone", "changed", False, None),
    ]
    assert daniels_editor.send({"version": "4", "entry": ""}, "/history/4/revert").status_code == 302
    assert changes_told(amelias_editor, since=4) == [("phone", "changed", False, None)]


def test_open_page_learns_which_undo_overrules_its_reader(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    amelias_editor.change(phone="222")
    amelias_editor.change("/person/new", first_name="Ruth", last_name="Whitmore")
    ruth = f"person/{db.session.scalars(select(Person.id)).one()}"
    daniels_editor.send({"version": "3", "entry": ""}, "/history/2/revert")
    daniels_editor.send({"version": "4", "entry": ruth}, "/history/3/revert")

    assert changes_told(amelias_editor, since=3) == [
        ("phone", "changed", True, "222"),
        (ruth, "removed", True, None),
    ]


def test_dismissed_notice_is_not_shown_again(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    overrule(daniels_editor, amelias_editor, phone=PHONE)

    response = press(amelias_editor, "Dismiss")

    assert response.location == amelias_editor.address
    assert notice_text(amelias_editor) == ""
    assert history_of(client)[-1].version == 3


def test_program_dismisses_a_notice_by_json(amelias_editor: ClientEditor, daniels_editor: ClientEditor) -> None:
    overrule(daniels_editor, amelias_editor, phone=PHONE)

    assert amelias_editor.send_json("/overruled/3/dismiss").json == {"status": "dismissed"}
    assert notice_text(amelias_editor) == ""


def test_user_cannot_dismiss_the_notice_of_another_user(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor
) -> None:
    overrule(daniels_editor, amelias_editor, phone=PHONE)

    assert daniels_editor.send({}, "/overruled/3/dismiss").status_code == 302
    assert "Daniel replaced your Phone" in notice_text(amelias_editor)


def test_reader_sees_a_notice_and_cannot_restore_the_value(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, cast: Cast
) -> None:
    overrule(daniels_editor, amelias_editor, phone=PHONE)
    cast.amelia.role = "reader"
    db.session.commit()

    assert "Daniel replaced your Phone: 222 → 333" in notice_text(amelias_editor)
    assert "back" not in notice_text(amelias_editor)
    assert press(amelias_editor, "Dismiss").status_code == 302


def test_notice_of_a_client_without_access_is_not_shown(
    visit: Visit, amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client, cast: Cast
) -> None:
    overrule(amelias_editor, daniels_editor, phone=PHONE)
    client.is_restricted = True
    db.session.commit()

    assert daniels_editor.browser.get(daniels_editor.address).status_code == 404
    assert daniels_editor.send({}, "/overruled/3/dismiss").status_code == 404
    db.session.add(ClientGrant(client_id=client.id, profile_id=cast.daniel.id))
    db.session.commit()
    assert "Amelia replaced your Phone" in notice_text(daniels_editor)


def test_notice_expires_after_ninety_days(amelias_editor: ClientEditor, daniels_editor: ClientEditor) -> None:
    overrule(daniels_editor, amelias_editor, phone=PHONE)
    db.session.execute(text("UPDATE overruled_changes SET at = at - interval '91 days'"))
    db.session.commit()

    assert notice_text(amelias_editor) == ""
    overrule(daniels_editor, amelias_editor, phone={"theirs": "555", "yours": "666"})
    assert db.session.scalars(select(OverruledChange.version)).all() == [5]


def test_only_the_newest_notices_are_shown(amelias_editor: ClientEditor, daniels_editor: ClientEditor) -> None:
    for field in ("name", "phone", "address_line1", "address_line2", "town", "postcode"):
        overrule(daniels_editor, amelias_editor, **{field: {"theirs": "0161 496000", "yours": "0117 496000"}})

    words = notice_text(amelias_editor)
    assert words.count("Daniel replaced your") == 5
    assert "Daniel replaced your Postcode: 0161 496000 → 0117 496000" in words
    assert "Name" not in words


def test_two_notices_are_shown_and_a_button_unfolds_the_others(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor
) -> None:
    for field in ("phone", "town"):
        overrule(daniels_editor, amelias_editor, **{field: {"theirs": "0161 496000", "yours": "0117 496000"}})
    assert "more" not in notice_text(amelias_editor)

    overrule(daniels_editor, amelias_editor, postcode={"theirs": "0161 496000", "yours": "0117 496000"})

    shown, _, folded = notice_text(amelias_editor).partition(" 1 more ")
    assert "replaced your Postcode" in shown
    assert "replaced your Town" in shown
    assert "replaced your Phone" in folded


@pytest.mark.parametrize("only", ["phone name", "x", "phone\0", "is_restricted"])
def test_field_that_the_change_did_not_touch_is_not_restored(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, only: str
) -> None:
    overrule(daniels_editor, amelias_editor, phone=PHONE)
    response = amelias_editor.send_json("/history/3/revert", version=3, entry="", only=only)

    assert (response.status_code, response.json["field"]) == (422, "only")
