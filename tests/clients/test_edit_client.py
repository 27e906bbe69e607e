"""Edit a client: the form, its validation and its errors."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from portal.clients import Client
from portal.clients.editor.forms import ClientForm
from portal.extensions import db
from tests.support.cast import Cast, make_profile
from tests.support.factories import make_client
from tests.support.html import errors_of, form_of, options_of, text_of
from tests.support.test_client import Visitor
from tests.support.volume import volume

Visit = type[Visitor]
FIELDS = {name for names in ClientForm.GROUPS.values() for name in names}


@pytest.fixture
def client(cast: Cast) -> Client:
    return make_client(
        "Whitmore Family",
        adviser_id=cast.daniel.id,
        client_since=date(2019, 4, 6),
        email="ruth@mail.example",
        phone="020 7946 0018",
        risk_profile=4,
        capacity_for_loss="medium",
        next_review_on=date(2026, 12, 8),
        objectives="Retire at 60\n- Bath\n- Boat",
        notes="First line\n  indented second\n\nlast",
    )


def save(browser: Visitor, client: Client, **typed: Any) -> TestResponse:
    """Open the editor, change what is `typed`, press Save changes."""
    form = form_of(browser.get(f"/clients/{client.id}/edit"))
    return browser.post(f"/clients/{client.id}/edit", data={**form, **typed})


def stored(client: Client) -> Client:
    db.session.refresh(client)
    return client


def test_form_shows_the_values_of_the_record(amelia: Visitor, client: Client, cast: Cast) -> None:
    form = form_of(amelia.get(f"/clients/{client.id}/edit"))

    assert form["version"] == "1"
    assert form["name"] == "Whitmore Family"
    assert form["adviser_id"] == str(cast.daniel.id)
    assert (form["client_since"], form["next_review_on"]) == ("6 April 2019", "8 December 2026")
    assert (form["risk_profile"], form["capacity_for_loss"], form["client_type"]) == ("4", "medium", "family")
    assert form["objectives"] == "Retire at 60\r\n- Bath\r\n- Boat"
    assert set(form) >= FIELDS


def test_every_field_of_the_form_has_a_label_and_a_group(amelia: Visitor, client: Client) -> None:
    words = text_of(amelia.get(f"/clients/{client.id}/edit"))

    for word in (
        "Record",
        "Contact",
        "Advice",
        "Objectives and key information",
        "Name",
        "Email",
        "Phone",
        "Postcode",
        "Save changes",
        "Cancel",
    ):
        assert word in words


NEW_VALUES: dict[str, tuple[str, Any]] = {
    "name": ("  Whitmore & Sons  ", "Whitmore & Sons"),
    "client_type": ("trust", "trust"),
    "status": ("dormant", "dormant"),
    "adviser_id": ("", None),
    "client_since": ("", None),
    "email": ("Ruth.W@mail.example", "Ruth.W@mail.example"),
    "phone": (" 01225 460 123 ", "01225 460 123"),
    "address_line1": ("Zoë’s house — 1", "Zoë’s house — 1"),
    "address_line2": ("x" * 200, "x" * 200),
    "town": ("Llanfair­pwll", "Llanfair­pwll"),
    "postcode": ("ba1 1aa", "ba1 1aa"),
    "risk_profile": ("7", 7),
    "capacity_for_loss": ("", ""),
    "next_review_on": ("31/1/2027", date(2027, 1, 31)),
    "objectives": ("One\r\nTwo\r\n\r\nThree\r\n", "One\nTwo\n\nThree"),
    "notes": ("👩‍👩‍👧 café\t1\r\n" + "x" * 9_000, "👩‍👩‍👧 café\t1\n" + "x" * 9_000),
}


def test_every_field_of_a_client_can_be_changed(amelia: Visitor, client: Client, cast: Cast) -> None:
    response = save(amelia, client, **{field: typed for field, (typed, _) in NEW_VALUES.items()})

    assert (response.status_code, response.headers["Location"]) == (302, f"/clients/{client.id}")
    assert set(NEW_VALUES) == FIELDS
    assert {field: getattr(stored(client), field) for field in FIELDS} == {
        field: kept for field, (_, kept) in NEW_VALUES.items()
    }
    assert (client.version, client.updated_by) == (2, cast.amelia.id)
    assert "Your changes are saved." in text_of(amelia.get(f"/clients/{client.id}"))
    assert "Your changes are saved." not in text_of(amelia.get(f"/clients/{client.id}"))


WRONG: list[tuple[str, str, str]] = [
    ("name", "", "Enter the client’s name."),
    ("name", "   ", "Enter the client’s name."),
    ("name", "x" * 201, "Use at most 200 characters. This has 201: 1 too many."),
    ("name", "a\0b", "invisible control character (U+0000) after “a”. Delete it, or type that part again."),
    ("name", "a\x07b", "control character"),
    ("client_type", "king", "Not a valid choice"),
    ("client_type", "", "Not a valid choice"),
    ("status", "ACTIVE", "Not a valid choice"),
    ("adviser_id", "999999", "Not a valid choice"),
    ("adviser_id", "x", "Invalid Choice"),
    ("adviser_id", "1.0", "Invalid Choice"),
    ("client_since", "6 April", "Add the year"),
    ("client_since", "30/02/2019", "30 February 2019 is not in the calendar"),
    ("client_since", "1899-12-31", "Enter a date between 1900 and 2199."),
    ("client_since", "1/1/10000", "Enter the year with four digits"),
    ("email", "ruth", "Enter an email address such as ruth@mail.example."),
    ("email", "ruth@", "Enter an email address"),
    ("email", "a@b.example\0", "control character"),
    ("email", "a" * 250 + "@mail.example", "Use at most 254 characters. This has 263: 9 too many."),
    ("phone", "0" * 41, "Use at most 40 characters. This has 41: 1 too many."),
    ("phone", "12", "This has 2 digits; a telephone number has 3 to 15."),
    ("phone", "+44 1632 960 001 / 07700 900123", "This has 23 digits; a telephone number has 3 to 15."),
    ("phone", "1\x1b[2J", "control character"),
    ("address_line1", "x" * 201, "Use at most 200 characters. This has 201: 1 too many."),
    ("address_line2", "a\x08b", "control character"),
    ("town", "x" * 101, "Use at most 100 characters. This has 101: 1 too many."),
    ("postcode", "x" * 13, "Use at most 12 characters. This has 13: 1 too many."),
    ("risk_profile", "0", "Not a valid choice"),
    ("risk_profile", "8", "Not a valid choice"),
    ("risk_profile", "four", "Invalid Choice"),
    ("capacity_for_loss", "none", "Not a valid choice"),
    ("next_review_on", "2200-01-01", "Enter a date between 1900 and 2199."),
    ("next_review_on", "tomorrow", "Enter a date such as 8/12/2026 or 8 December 2026."),
    ("objectives", "x" * 2_001, "Use at most 2,000 characters. This has 2,001: 1 too many."),
    ("objectives", "a\0", "control character"),
    ("notes", "x" * 10_001, "Use at most 10,000 characters. This has 10,001: 1 too many."),
    ("notes", "a\x0eb", "control character"),
]


@pytest.mark.parametrize(("field", "typed", "error"), WRONG)
def test_invalid_value_has_its_error_beside_the_field_and_saves_nothing(
    amelia: Visitor, client: Client, field: str, typed: str, error: str
) -> None:
    response = save(amelia, client, **{field: typed, "town": typed if field == "town" else "Typed Town"})

    assert response.status_code == 422
    assert list(errors_of(response)) == [field]
    assert error in errors_of(response)[field]
    assert "Nothing is saved yet: one field needs another look" in text_of(response)
    assert stored(client).version == 1
    assert client.town == ""


def test_every_field_has_a_test_of_invalid_values() -> None:
    assert {field for field, _, _ in WRONG} == FIELDS


@pytest.mark.parametrize(("field", "typed"), [(field, typed) for field, typed, _ in WRONG if field != "adviser_id"])
def test_rejected_value_is_kept_in_the_form(amelia: Visitor, client: Client, field: str, typed: str) -> None:
    """The user can correct the invalid value and loses no other."""
    response = save(amelia, client, **{field: typed, "phone": typed if field == "phone" else "0123"})

    form = form_of(response)
    if field not in ("client_type", "status", "risk_profile", "capacity_for_loss") and "\0" not in typed:
        assert form[field].strip() == typed.strip()
    assert form["phone"].strip() == (typed.strip() if field == "phone" else "0123")
    assert form["version"] == "1"


def test_several_errors_are_counted_with_links_to_their_fields(amelia: Visitor, client: Client) -> None:
    response = save(amelia, client, name="", email="x", phone="0" * 50)

    assert set(errors_of(response)) == {"name", "email", "phone"}
    assert "Nothing is saved yet: 3 fields need another look" in text_of(response)
    assert '<a href="#email">' in response.text
    assert response.text.count('aria-invalid="true"') == 3


@pytest.mark.parametrize("version", ["", "0", "-1", "x", "1.0", "99999999999", "2147483648", "\0"])
def test_invalid_version_is_rejected(amelia: Visitor, client: Client, version: str) -> None:
    response = save(amelia, client, name="Changed", version=version)

    assert response.status_code == 422
    assert stored(client).name == "Whitmore Family"


def test_save_without_a_version_is_rejected(amelia: Visitor, client: Client) -> None:
    """A program that omits it must not overwrite another user's change."""
    form = form_of(amelia.get(f"/clients/{client.id}/edit"))
    del form["version"]

    assert amelia.post(f"/clients/{client.id}/edit", data={**form, "name": "Changed"}).status_code == 422
    assert stored(client).name == "Whitmore Family"


def test_save_without_changes_keeps_the_version(amelia: Visitor, client: Client) -> None:
    """Line ends and blanks that the browser adds are no change, so other users' editors stay current."""
    before = stored(client).updated_at
    response = save(amelia, client)

    assert response.status_code == 302
    assert (stored(client).version, client.updated_at, client.updated_by) == (1, before, None)


def test_save_writes_only_changed_columns(amelia: Visitor, client: Client) -> None:
    save(amelia, client, phone="111")

    assert (stored(client).phone, client.objectives) == ("111", "Retire at 60\n- Bath\n- Boat")
    assert client.notes == "First line\n  indented second\n\nlast"


def test_fields_outside_the_form_cannot_be_written(amelia: Visitor, client: Client) -> None:
    save(amelia, client, name="New", client_ref="KG99999", id="7", updated_by="5", searched="x", created_at="x")

    assert (stored(client).name, client.client_ref != "KG99999", client.updated_by) == ("New", True, 1)


def test_deactivated_adviser_stays_on_the_record(amelia: Visitor, client: Client, cast: Cast) -> None:
    """Olga is deactivated. Her clients stay editable and keep her as adviser until a user changes it."""
    client.adviser_id = cast.olga.id
    db.session.commit()

    assert save(amelia, client, phone="111").status_code == 302
    assert stored(client).adviser_id == cast.olga.id


def test_adviser_who_became_a_reader_stays_on_the_record(amelia: Visitor, client: Client, cast: Cast) -> None:
    client.adviser_id = cast.rhys.id
    db.session.commit()

    response = save(amelia, client, phone="111")

    assert response.status_code == 302, errors_of(response)
    assert stored(client).adviser_id == cast.rhys.id


def test_readers_are_not_offered_as_advisers(amelia: Visitor, client: Client, cast: Cast) -> None:
    offered = options_of(amelia.get(f"/clients/{client.id}/edit"), "adviser_id")

    assert str(cast.rhys.id) not in offered
    assert {"", str(cast.amelia.id), str(cast.ada.id)} <= set(offered)


def test_reader_can_neither_open_nor_save_the_editor(visit: Visit, cast: Cast, amelia: Visitor, client: Client) -> None:
    rhys = visit(cast.rhys)
    form = form_of(amelia.get(f"/clients/{client.id}/edit"))
    form["csrf_token"] = rhys.get("/session").json["csrf_token"]

    assert rhys.get(f"/clients/{client.id}/edit").status_code == 403
    response = rhys.post(f"/clients/{client.id}/edit", data={**form, "name": "Mine"})
    assert response.status_code == 403
    assert "Your role lets you look at clients but not change them." in text_of(response)
    assert stored(client).name == "Whitmore Family"


@pytest.mark.parametrize("method", ["get", "post"])
def test_editor_of_an_unknown_client_is_404_also_for_a_reader(visit: Visit, cast: Cast, method: str) -> None:
    """An adviser and a reader get the same response, so it does not reveal which clients exist."""
    for profile in (cast.amelia, cast.rhys):
        assert getattr(visit(profile), method)("/clients/999999/edit").status_code == 404


def test_form_without_a_csrf_token_is_403(amelia: Visitor, client: Client) -> None:
    form = form_of(amelia.get(f"/clients/{client.id}/edit"))
    del form["csrf_token"]
    amelia.without_token()

    response = amelia.post(f"/clients/{client.id}/edit", data={**form, "name": "Evil"})

    assert response.status_code == 403
    assert stored(client).name == "Whitmore Family"


def test_user_who_became_a_reader_meanwhile_cannot_save(visit: Visit, client: Client) -> None:
    zoe = make_profile("Zoe", "Hall")
    browser = visit(zoe)
    form = form_of(browser.get(f"/clients/{client.id}/edit"))
    zoe.role = "reader"
    db.session.commit()

    assert browser.post(f"/clients/{client.id}/edit", data={**form, "name": "Late"}).status_code == 403


@pytest.mark.parametrize("size", [300_000, 1_000_000])
def test_form_over_the_size_limit_is_413(amelia: Visitor, client: Client, size: int) -> None:
    response = save(amelia, client, notes="x" * size)

    assert response.status_code == 413
    assert "The form has more than 256 KB, so nothing was saved. Go back, shorten the longest text" in text_of(response)
    assert stored(client).notes != "x"


def test_form_with_very_many_fields_is_not_a_server_error(amelia: Visitor, client: Client) -> None:
    assert save(amelia, client, **{f"f{n}": "x" for n in range(2_000)}).status_code in (302, 413)


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data", "image/png", ""])
def test_body_of_another_content_type_is_rejected(amelia: Visitor, client: Client, content_type: str) -> None:
    response = amelia.post(f"/clients/{client.id}/edit", data=b'{"name": "X"}', content_type=content_type)

    assert response.status_code in (400, 415, 422)
    assert stored(client).name == "Whitmore Family"


@settings(max_examples=volume(50, 200))
@given(typed=st.dictionaries(st.sampled_from([*sorted(FIELDS), "version"]), st.text(max_size=60), max_size=5))
def test_arbitrary_text_in_a_form_is_not_a_server_error(amelia: Visitor, client: Client, typed: dict[str, str]) -> None:
    form = {"name": "X", "client_type": "family", "status": "active", "capacity_for_loss": "", "version": "1"}
    data = {key: value.encode("utf-8", "surrogatepass") for key, value in {**form, **typed}.items()}

    assert amelia.post(f"/clients/{client.id}/edit", data=data).status_code in (302, 409, 422)


def test_field_sent_twice_is_not_a_server_error(amelia: Visitor, client: Client) -> None:
    form = {**form_of(amelia.get(f"/clients/{client.id}/edit"))}

    response = amelia.post(f"/clients/{client.id}/edit", data={**form, "name": ["One", "Two"], "version": ["1", "7"]})

    assert response.status_code in (302, 422)
