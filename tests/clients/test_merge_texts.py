"""Merge typed texts with saved ones by POST /clients/<id>/merge, which writes nothing."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from portal.clients import Client
from portal.editing.drafts.payload import MAX_VALUE_LENGTH
from tests.clients.conftest import ClientEditor, history_of
from tests.support.cast import Cast
from tests.support.factories import make_client


@pytest.fixture
def client(cast: Cast) -> Client:
    return make_client("Whitmore Family", notes="one\ntwo\nthree")


def merged(editor: ClientEditor, **body: Any) -> dict[str, Any]:
    response: TestResponse = editor.send_json("/merge", **body)
    assert response.status_code == 200, response.text
    result: dict[str, Any] = response.json
    return result


def test_texts_with_changes_in_separate_lines_are_merged(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    daniels_editor.change(notes="one\ntwo\nthree\nDaniel rang.")

    result = merged(amelias_editor, version=1, notes="one\ntwo\nthree\nAmelia wrote.")

    assert result["version"] == 2
    assert result["texts"]["notes"]["merged"] == "one\ntwo\nthree\nDaniel rang.\nAmelia wrote."
    assert result["texts"]["notes"]["changes"] == [["same", "one\ntwo\nthree"], ["new", "\nDaniel rang."]]
    assert len(history_of(client)) == 1, "only Daniel's save is there"


def test_texts_with_changes_in_the_same_lines_return_all_options(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor
) -> None:
    daniels_editor.change(notes="zero\none\nDANIEL\nthree")

    [text] = merged(amelias_editor, version=1, notes="one\nAMELIA\nthree\nfour")["texts"].values()

    assert text["merged"] is None
    assert text["saved"] == "zero\none\nDANIEL\nthree"
    assert text["yours"] == "zero\none\nAMELIA\nthree\nfour"
    assert text["both"] == "zero\none\nDANIEL\nAMELIA\nthree\nfour"
    assert text["changes"] == [
        ["new", "zero\n"],
        ["same", "one\n"],
        ["gone", "two\n"],
        ["new", "DANIEL\n"],
        ["same", "three"],
    ]


def test_text_without_other_changes_stays_as_typed(amelias_editor: ClientEditor, daniels_editor: ClientEditor) -> None:
    daniels_editor.change(phone="111")
    [text] = merged(amelias_editor, version=1, notes="one\nAMELIA")["texts"].values()
    assert (text["merged"], text["changes"]) == ("one\nAMELIA", [["cut", "3 lines"]])


def test_merge_starts_from_a_newer_text_that_the_editor_has_shown(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor
) -> None:
    daniels_editor.change(notes="one\ntwo\nthree\nfour")
    daniels_editor.change(notes="one\ntwo\nthree\nfour\nfive")

    result = merged(amelias_editor, version=1, seen="notes:2", notes="ONE\ntwo\nthree\nfour")

    assert result["texts"]["notes"]["merged"] == "ONE\ntwo\nthree\nfour\nfive"


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"notes": "x"}, 422, "version"),
        ({"version": 2, "notes": "x"}, 422, "version"),
        ({"version": 1, "phone": "x"}, 422, "phone"),
        ({"version": 1, "notes": ["x"]}, 422, "notes"),
        ({"version": 1, "notes": "x" * (MAX_VALUE_LENGTH + 1)}, 422, "notes"),
        ({"version": 1}, 422, "notes or objectives"),
    ],
)
def test_request_that_cannot_be_merged_is_rejected_naming_the_field(
    amelias_editor: ClientEditor, body: dict[str, Any], status: int, field: str
) -> None:
    response = amelias_editor.send_json("/merge", **body)
    assert response.json.get("field") == field, response.text
    assert response.status_code == status


def test_merge_request_as_a_form_is_rejected(amelias_editor: ClientEditor) -> None:
    assert amelias_editor.send({"version": "1", "notes": "x"}, "/merge").status_code == 415


def unsaved_merge(editor: ClientEditor, **body: Any) -> dict[str, Any]:
    response: TestResponse = editor.send_json("/merge_unsaved", **body)
    assert response.status_code == 200, response.text
    result: dict[str, Any] = response.json
    return result


def test_unsaved_text_is_compared_with_the_saved_one_and_merged_with_mine(
    amelias_editor: ClientEditor, client: Client
) -> None:
    result = unsaved_merge(
        amelias_editor, version=1, notes="one\ntwo\nthree\nDaniel rang.", mine="one\nTWO\nthree\nAmelia wrote."
    )

    assert result == {
        "version": 1,
        "changes": [["same", "one\ntwo\nthree"], ["new", "\nDaniel rang."]],
        "merged": "one\nTWO\nthree\nDaniel rang.\nAmelia wrote.",
    }
    assert history_of(client) == []


def test_unsaved_text_that_touches_mine_adds_its_lines_and_loses_none(amelias_editor: ClientEditor) -> None:
    result = unsaved_merge(amelias_editor, version=1, notes="one\nDANIEL\nthree", mine="one\nAMELIA\nthree")

    assert result["merged"] == "one\nDANIEL\nAMELIA\nthree"


def test_unsaved_text_that_began_before_a_save_does_not_remove_what_was_saved(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor
) -> None:
    daniels_editor.change(notes="zero\none\ntwo\nthree")

    result = unsaved_merge(amelias_editor, version=1, notes="one\ntwo\nthree\nfour", mine="zero\none\ntwo\nthree")

    assert result["merged"] == "zero\none\ntwo\nthree\nfour"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"notes": "a", "objectives": "b", "mine": ""}, "notes or objectives"),
        ({"mine": "a"}, "notes or objectives"),
        ({"notes": "a", "mine": "x" * (MAX_VALUE_LENGTH + 1)}, "mine"),
        ({"notes": "a", "mine": "", "phone": "1"}, "phone"),
    ],
)
def test_merge_of_unsaved_text_rejects_other_input(
    amelias_editor: ClientEditor, body: dict[str, Any], field: str
) -> None:
    response = amelias_editor.send_json("/merge_unsaved", version=1, **body)
    assert (response.status_code, response.json["field"]) == (422, field)
