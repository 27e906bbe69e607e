"""Clean the invisible characters in text pasted from other programs, for every input of a client record."""

from pathlib import Path

import pytest
from flask import Flask

from portal.auth.profiles import find_by_email
from portal.clients import Client
from portal.clients.csv.importing.importer import import_folder
from portal.editing.drafts import store
from portal.editing.drafts.store import DraftKey, DraftPayload
from portal.extensions import db
from tests.clients.conftest import ClientEditor
from tests.support.cast import Cast
from tests.support.csv_folder import CsvFolder
from tests.support.factories import make_client
from tests.support.html import errors_of, form_of

PASTED = {
    "name": "\u200eWhitmore\u2028Family\ufeff",
    "email": "\u2068ruth@mail.example\u2069",
    "phone": "\u202a07700 900123\u202c",
    "town": "\u3164\u200b",
    "client_since": "\u200e2016-05-09",
    "notes": "Decided:\u2028one\x0btwo\x0cthree\rfour\U000e0041",
}
KEPT = {
    "name": "Whitmore Family",
    "email": "ruth@mail.example",
    "phone": "07700 900123",
    "town": "",
    "client_since": "2016-05-09",
    "notes": "Decided:\none\ntwo\nthree\nfour",
}


def kept(client: Client) -> dict[str, str]:
    db.session.refresh(client)
    return {name: str(getattr(client, name)) for name in PASTED}


def test_pasted_text_in_a_form_is_cleaned(amelias_editor: ClientEditor, client: Client) -> None:
    amelias_editor.change(**PASTED)

    assert kept(client) == KEPT


def test_pasted_text_in_json_is_cleaned(amelias_editor: ClientEditor, client: Client) -> None:
    response = amelias_editor.send_json("/edit", version=1, **PASTED)

    assert (response.status_code, kept(client)) == (200, KEPT)


def test_pasted_text_in_an_import_is_cleaned(app: Flask, tmp_path: Path) -> None:
    client = make_client("Other", client_ref="KG1")
    folder = CsvFolder(tmp_path / "in")
    for column, value in PASTED.items():
        folder.set("clients.csv", column, f'"{value}"')

    import_folder(folder.path)
    db.session.commit()

    assert kept(client) == KEPT


def test_pasted_text_in_a_draft_is_cleaned_when_restored(
    amelias_editor: ClientEditor, client: Client, cast: Cast
) -> None:
    store.save(DraftKey(cast.amelia.id, f"client-{client.id}", "record"), "a", DraftPayload(1, "", PASTED))
    db.session.commit()

    restored = amelias_editor.open("/edit?draft=a")

    shown = {**KEPT, "client_since": "9 May 2016"}
    assert {name: restored[name].replace("\r\n", "\n") for name in PASTED} == shown


@pytest.mark.parametrize("name", ["\u200b", "\ufeff", "\u3164", "\u2800", "\u115f", "\u200b \U000e0041"])
def test_name_without_a_visible_character_is_rejected(amelias_editor: ClientEditor, client: Client, name: str) -> None:
    response = amelias_editor.send(amelias_editor.open(), name=name)

    assert (response.status_code, errors_of(response)) == (422, {"name": "Enter the client’s name."})
    assert amelias_editor.send_json("/edit", version=1, name=name).json["field"] == "name"
    assert kept(client)["name"] == "Whitmore Family"


def test_direction_marks_in_an_amount_are_ignored(amelias_editor: ClientEditor) -> None:
    amelias_editor.change(
        "/product/new",
        product_name="ISA",
        product_type="ISA",
        provider="Aviva",
        plan_number="\u200eA1\u200e",
        fixed_fee="\u202a£1,200.50\u202c",
    )

    assert form_of(amelias_editor.browser.get(f"{amelias_editor.address}/product/1/edit"))["fixed_fee"] == "1,200.50"


def test_email_pasted_with_marks_finds_its_user(cast: Cast) -> None:
    assert find_by_email(f"\ufeff{cast.amelia.email}\u200e") is cast.amelia
