"""Show the history: author, values, merged changes and resolutions of every accepted change."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from portal.clients import Client, ClientGrant, Valuation
from portal.clients.records.entries import CLIENT, Entry
from portal.clients.records.revisions import ClientRevision
from portal.clients.saving import operations
from portal.extensions import db
from tests.clients.conftest import ClientEditor, history_of
from tests.support.cast import Cast
from tests.support.edits import edit_from
from tests.support.factories import make_client, make_person, make_product
from tests.support.html import form_of, options_of, text_of
from tests.support.postgres_proxy import Wiretap, work_in
from tests.support.test_client import Visitor

Visit = type[Visitor]


@pytest.fixture
def client(cast: Cast) -> Client:
    return make_client(
        "Whitmore Family", adviser_id=cast.amelia.id, phone="111", notes="One\nTwo\nThree", risk_profile=4
    )


def words_of(editor: ClientEditor, **filters: str) -> str:
    response = editor.browser.get(f"{editor.address}/history", query_string=filters)
    assert response.status_code == 200, response.text
    return text_of(response).split("All users", 1)[1]


def test_new_client_has_an_empty_history(amelias_editor: ClientEditor) -> None:
    assert "Nothing has been changed since this record was made." in words_of(amelias_editor)
    assert "Nothing has been changed since this record was made." in text_of(
        amelias_editor.browser.get(amelias_editor.address)
    )


def test_history_shows_author_time_and_both_values_of_a_change(amelias_editor: ClientEditor, cast: Cast) -> None:
    amelias_editor.change(phone="222", risk_profile="", adviser_id=str(cast.daniel.id), next_review_on="2026-12-08")

    words = words_of(amelias_editor)
    assert "Amelia Hart changed Adviser, Phone and 2 more" in words
    assert "less than a minute ago · change 2" in words
    for line in (
        "Adviser Amelia Hart → Daniel Okafor",
        "Phone 111 → 222",
        "Risk profile 4 of 7 → empty",
        "Next review empty → 8 Dec 2026",
    ):
        assert line in words
    assert "Amelia Hart changed Adviser, Phone and 2 more less than a minute ago" in text_of(
        amelias_editor.browser.get(amelias_editor.address)
    )


def test_history_shows_the_diff_of_a_changed_text(amelias_editor: ClientEditor) -> None:
    amelias_editor.change(notes="One\nTwo and a half\nThree")

    page = amelias_editor.browser.get(f"{amelias_editor.address}/history").text
    assert "<ins> and a half</ins>" in page
    assert "<del>" not in page


def test_history_is_paged_with_the_newest_change_first(amelias_editor: ClientEditor, client: Client) -> None:
    add_revisions(client, 30)

    first, second = words_of(amelias_editor), words_of(amelias_editor, page="2")

    assert first.index("change 31") < first.index("change 7")
    assert "change 6 " not in first
    assert "1–25 of 30" in first
    assert "26–30 of 30" in second
    assert words_of(amelias_editor, page="99") == second


def test_history_shows_merges_and_decisions(amelias_editor: ClientEditor, daniels_editor: ClientEditor) -> None:
    form = amelias_editor.open()
    daniels_editor.change(phone="222", town="Bath", postcode="BA1 1AA")
    page = amelias_editor.send(form, phone="333", town="Wells", postcode="BA2 2BB", email="ruth@mail.example")
    resolutions = {"decide-phone": "yours", "decide-town": "third", "third-town": "Frome", "decide-postcode": "theirs"}
    assert amelias_editor.send(form_of(page), **resolutions).status_code == 302

    words = words_of(amelias_editor)
    assert "Saved together with" not in words
    assert "Kept over what was saved meanwhile: Phone" in words
    assert "Custom value: Town" in words
    assert "Left as it was saved meanwhile: Postcode" in words


def test_resolution_with_all_saved_values_is_recorded(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client, cast: Cast
) -> None:
    form = amelias_editor.open()
    daniels_editor.change(phone="222")
    page = amelias_editor.send(form, phone="333")
    answers = [amelias_editor.send(form_of(page), **{"decide-phone": "theirs"}) for _ in range(2)]

    assert [response.status_code for response in answers] == [302, 302]
    first, second = history_of(client)
    assert (second.version, second.changes, second.resolutions) == (3, {}, {"phone": "theirs"})
    db.session.refresh(client)
    assert (client.phone, client.version, client.updated_by) == ("222", 3, cast.daniel.id)
    assert "Amelia Hart left Phone as it was saved meanwhile" in words_of(amelias_editor)
    assert "Amelia Hart left Phone as it was saved meanwhile" in words_of(amelias_editor, field="phone")
    result = amelias_editor.browser.get(f"{amelias_editor.address}/changes?since={first.version}").json
    assert result == {"version": 3, "changes": []}


def test_history_shows_an_edit_despite_other_users(amelias_editor: ClientEditor, client: Client) -> None:
    form = amelias_editor.open("/edit?proceeded=1")
    amelias_editor.send(form, phone="222")

    assert history_of(client)[0].proceeded
    assert "Proceeded although others were there" in words_of(amelias_editor)


def test_history_shows_a_value_kept_over_another(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    form = amelias_editor.open()
    daniels_editor.change(phone="222")
    amelias_editor.send(form, phone="333", seen="phone:2")

    assert history_of(client)[1].resolutions == {"phone": "yours"}
    assert "Kept over what was saved meanwhile: Phone" in words_of(amelias_editor)


def test_text_that_contains_the_other_lines_overrules_no_user(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    """A restored draft sends such a text: it is merged already, and `seen` has the newer version."""
    form = amelias_editor.open()
    daniels_editor.change(notes="ONE\nTwo\nThree")
    amelias_editor.send(form, notes="ONE\nTwo\nTHREE", seen="notes:2")

    assert history_of(client)[1].resolutions == {}


def test_change_of_a_removed_part_names_the_part(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    product = make_product(client, (date(2026, 3, 31), "1000"), plan_number="A1", product_type="ISA")
    [valuation_id] = db.session.scalars(select(Valuation.id))
    amelias_editor.change(f"/valuation/{valuation_id}/edit", amount="1100")
    daniels_editor.change(f"/product/{product.id}/remove")

    words = words_of(amelias_editor)
    assert "Amelia Hart changed Amount of the valuation of ISA A1 on 31 Mar 2026" in words
    assert "ISA A1, 31 Mar 2026 Amount £1,000.00 → £1,100.00" in words
    latest = text_of(amelias_editor.browser.get(amelias_editor.address))
    assert "Amelia Hart changed Amount of the valuation of ISA A1 on 31 Mar 2026" in latest


def test_change_of_access_is_described_by_its_effect(amelias_editor: ClientEditor, cast: Cast, client: Client) -> None:
    amelias_editor.send(amelias_editor.open("/access"), "/access", is_restricted="yes")
    amelias_editor.send(amelias_editor.open("/access"), "/access/grant", profile_id=str(cast.daniel.id))
    [grant_id] = db.session.scalars(select(ClientGrant.id))
    amelias_editor.send(amelias_editor.open("/access"), f"/access/{grant_id}/revoke")
    amelias_editor.send(amelias_editor.open("/access"), "/access", is_restricted="no")

    words = words_of(amelias_editor)
    for sentence in (
        "restricted the client",
        "gave Daniel Okafor access",
        "took access from Daniel Okafor",
        "showed the client to all users",
    ):
        assert f"Amelia Hart {sentence}" in words


@pytest.mark.parametrize("size", [1, 6])
def test_names_of_many_removed_parts_take_few_statements(
    tapped_visit: Visit, cast: Cast, daniels_editor: ClientEditor, client: Client, wiretap: Wiretap, size: int
) -> None:
    for n in range(size):
        product = make_product(client, (date(2026, 3, 31), "1000"), plan_number=f"A{n}", product_type="ISA")
        valuation_id = db.session.scalar(select(Valuation.id).where(Valuation.product_id == product.id))
        daniels_editor.change(f"/valuation/{valuation_id}/edit", amount="1100")
        daniels_editor.change(f"/product/{product.id}/remove")
    amelia = tapped_visit(cast.amelia)
    amelia.get("/clients")

    with wiretap.listening() as heard:
        page = text_of(amelia.get(f"/clients/{client.id}/history"))

    assert page.count("changed Amount of the valuation of ISA A") == size
    assert len(work_in(heard)) <= 14, heard


def test_history_names_changed_parts(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    person = make_person(client, "Ruth", "Whitmore", known_as="Ru")
    product = make_product(client, (date(2026, 3, 31), "1000"), plan_number="A1", product_type="ISA")
    amelias_editor.change(f"/person/{person.id}/edit", known_as="Ruthie")
    amelias_editor.change(f"/product/{product.id}/valuation/new", valued_on="2026-06-30", amount="1100")
    daniels_editor.change(f"/product/{product.id}/remove")

    words = words_of(amelias_editor)
    assert "Amelia Hart changed Known as of Ruth Whitmore" in words
    assert "Amelia Hart added the valuation of ISA A1 on 30 Jun 2026" in words
    assert "Ruth Whitmore Known as Ru → Ruthie" in words
    assert "ISA A1, 30 Jun 2026 added Valued on 30 Jun 2026 Amount £1,100.00" in words
    assert "Daniel Okafor removed ISA A1 and 2 valuations" in words
    assert "ISA A1 removed Plan number A1" in words
    assert "ISA A1, 31 Mar 2026 removed" in words


def test_imports_and_commands_have_no_author(amelias_editor: ClientEditor, client: Client, cast: Cast) -> None:
    add_revisions(client, 1)
    edit = edit_from(2, None, {"adviser_id": cast.daniel.id}, source="cli")
    operations.save_entry(client, Entry(CLIENT), edit)
    db.session.commit()

    words = words_of(amelias_editor)
    assert "A command changed Adviser" in words
    assert "An import changed Phone" in words
    for person in ("system", "nobody"):  # "nobody" in addresses of release 0.1
        assert "2 of 2" in words_of(amelias_editor, person=person)


FILTERS: list[tuple[dict[str, str], str]] = [
    ({}, "2345"),
    ({"field": "phone"}, "23"),
    ({"field": "town"}, "3"),
    ({"field": "person"}, "45"),
    ({"field": "product"}, ""),
    ({"person": "amelia"}, "24"),
    ({"person": "daniel", "field": "person"}, "5"),
    ({"field": "nonsense", "person": "x\0"}, "2345"),
]


@pytest.mark.parametrize(("filters", "versions"), FILTERS, ids=str)
def test_history_is_filtered_by_field_and_user(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, cast: Cast, filters: dict[str, str], versions: str
) -> None:
    amelias_editor.change(phone="222")
    daniels_editor.change(phone="333", town="Bath")
    amelias_editor.change("/person/new", first_name="Ruth", last_name="Whitmore")
    daniels_editor.change("/person/1/edit", known_as="Ru")
    ids = {"amelia": str(cast.amelia.id), "daniel": str(cast.daniel.id)}

    query = {**filters, **({"person": ids[filters["person"]]} if filters.get("person") in ids else {})}
    page = amelias_editor.browser.get(f"{amelias_editor.address}/history", query_string=query)

    assert "".join(version for version in "2345" if f"change {version}" in text_of(page)) == versions
    assert options_of(page, "person") == ["", str(cast.amelia.id), str(cast.daniel.id)]
    if not versions:
        assert "No change matches these filters." in text_of(page)


@pytest.mark.parametrize("statement", ["UPDATE client_revisions SET source = 'cli'", "DELETE FROM client_revisions"])
def test_database_rejects_changes_of_the_history(amelias_editor: ClientEditor, client: Client, statement: str) -> None:
    amelias_editor.change(phone="222")

    with pytest.raises(DBAPIError, match="is history and stays as it is"):
        db.session.execute(text(statement))
    assert len(history_of(client)) == 1


def test_history_is_deleted_with_its_client(amelias_editor: ClientEditor, client: Client) -> None:
    amelias_editor.change(phone="222")
    db.session.execute(text("DELETE FROM clients"))

    assert db.session.scalar(text("SELECT count(*) FROM client_revisions")) == 0


def test_html_in_names_and_values_is_escaped_in_the_history(amelias_editor: ClientEditor, client: Client) -> None:
    amelias_editor.change(name="<b>&", notes="<script>alert(1)</script>\nTwo\nThree")
    amelias_editor.change("/person/new", first_name="<i>", last_name='"')

    page = amelias_editor.browser.get(f"{amelias_editor.address}/history").text
    assert "<b>&amp;" not in page
    assert "<script>alert" not in page
    assert "<i>" not in page


def add_revisions(client: Client, count: int) -> None:
    """Insert revisions of an import from version 2 on."""
    rows: list[dict[str, Any]] = [
        {"client_id": client.id, "version": number, "source": "import", "changes": {"phone": [f"{number}", "1"]}}
        for number in range(2, count + 2)
    ]
    db.session.execute(insert(ClientRevision), rows)
    client.version = count + 1
    db.session.commit()
