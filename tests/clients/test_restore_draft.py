"""Offer, merge, restore and discard drafts in the editor."""

import json
import re
from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from portal.clients import Client, Valuation
from portal.editing.drafts import store
from portal.editing.drafts.store import DraftKey, DraftPayload
from portal.extensions import db
from tests.clients.conftest import ClientEditor
from tests.support.cast import Cast
from tests.support.factories import make_client, make_person, make_product
from tests.support.html import form_of, forms_of, links_of, text_of
from tests.support.test_client import Visitor

Visit = type[Visitor]
NOTES = "One\nTwo\nThree"


@pytest.fixture
def client(cast: Cast) -> Client:
    return make_client("Whitmore Family", adviser_id=cast.amelia.id, phone="01632 960001", town="Bath", notes=NOTES)


def editor(visitor: Visitor, client: Client, query: str = "") -> TestResponse:
    response = visitor.get(f"/clients/{client.id}/edit{query}")
    assert response.status_code == 200, response.text
    return response


def save(visitor: Visitor, client: Client, form: dict[str, str], **typed: str) -> TestResponse:
    return visitor.post(f"/clients/{client.id}/edit", data={**form, **typed})


def change(visitor: Visitor, client: Client, **typed: str) -> None:
    """Open the editor and save."""
    assert save(visitor, client, form_of(editor(visitor, client)), **typed).status_code == 302


def keep(cast: Cast, client: Client, version: int = 1, seen: str = "", draft_id: str = "gone", **values: str) -> None:
    """Store a draft of Amelia, as her browser did before it was closed."""
    store.save(draft_key(cast, client), draft_id, DraftPayload(version, seen, values))
    db.session.commit()


def draft_key(cast: Cast, client: Client) -> DraftKey:
    return DraftKey(cast.amelia.id, f"client-{client.id}", "record")


def kept(cast: Cast, client: Client) -> list[dict[str, str]]:
    """Return the values of each draft, newest first."""
    db.session.rollback()
    return [draft.values for draft in store.drafts_of(draft_key(cast, client))]


def stored(client: Client) -> Client:
    db.session.refresh(client)
    return client


def offer_of(response: TestResponse) -> dict[str, str]:
    """Return the form of the first Discard button."""
    return next(form for form in forms_of(response) if "mark" in form)


def data_of(response: TestResponse, name: str) -> Any:
    """Return a data attribute of the editor's form, parsed from JSON."""
    [written] = re.findall(rf'data-{name}="([^"]*)"', response.text)
    return json.loads(written.replace("&#34;", '"').replace("&#39;", "'"))


def test_editor_without_drafts_has_no_offer(amelia: Visitor, client: Client) -> None:
    response = editor(amelia, client)

    assert "unsaved changes" not in text_of(response)
    draft_id = form_of(response)["draft"]
    assert f'data-draft-url="/edit_drafts/client-{client.id}?form=record&amp;draft={draft_id}"' in response.text
    assert draft_id != form_of(editor(amelia, client))["draft"]


def test_draft_is_offered_with_its_age_and_fields(amelia: Visitor, cast: Cast, client: Client) -> None:
    keep(cast, client, notes="One\nTwo\nThree\nFour", phone="01632 960100", town="Bath")
    db.session.execute(text("UPDATE edit_drafts SET updated_at = now() - interval '5 minutes 20 seconds'"))
    db.session.commit()

    response = editor(amelia, client)

    assert "You have unsaved changes from 5 minutes ago (Phone, Key information)." in text_of(response)
    assert f"/clients/{client.id}/edit?draft=gone" in links_of(response)
    assert form_of(response)["phone"] == "01632 960001"


def test_several_drafts_are_offered_newest_first_and_restored_one_by_one(
    amelia: Visitor, cast: Cast, client: Client
) -> None:
    for draft_id, town in (("first", "Wells"), ("second", "Frome"), ("third", "Bath")):  # the third is no change
        keep(cast, client, draft_id=draft_id, town=town)
    keep(cast, client, draft_id="fourth", phone="1")

    response = editor(amelia, client)
    address = f"/clients/{client.id}/edit"
    assert [link for link in links_of(response) if "draft=" in link] == [
        f"{address}?draft=fourth",
        f"{address}?draft=second",
        f"{address}?draft=first",
    ]

    restored = editor(amelia, client, "?draft=first")
    assert form_of(restored)["town"] == "Wells"
    assert [link for link in links_of(restored) if "draft=" in link] == [
        f"{address}?draft=fourth",
        f"{address}?draft=second",
    ]
    assert save(amelia, client, form_of(restored)).status_code == 302
    assert kept(cast, client) == [{"phone": "1"}, {"town": "Bath"}, {"town": "Frome"}]


@pytest.mark.parametrize("query", ["", "?draft=1", "?draft=", "?draft=%00", f"?draft={'x' * 1000}"])
def test_unknown_draft_is_not_restored_and_the_others_are_offered(
    amelia: Visitor, cast: Cast, client: Client, query: str
) -> None:
    keep(cast, client, phone="01632 960100")

    assert "You have unsaved changes" in text_of(editor(amelia, client, query))


def test_draft_is_not_offered_to_another_user(daniel: Visitor, cast: Cast, client: Client) -> None:
    keep(cast, client, phone="01632 960100")

    for query in ("", "?draft=gone"):
        response = editor(daniel, client, query)
        assert "unsaved changes" not in text_of(response)
        assert "01632 960100" not in response.text


def test_draft_of_saved_values_is_not_offered(amelia: Visitor, cast: Cast, client: Client) -> None:
    """A draft can arrive after the save of its own values."""
    change(amelia, client, phone="01632 960100")
    keep(cast, client, version=1, phone="01632 960100")

    assert "unsaved changes" not in text_of(editor(amelia, client))


def test_restored_draft_is_in_the_form_with_the_saved_values_beside_it(
    amelia: Visitor, cast: Cast, client: Client
) -> None:
    keep(cast, client, phone="01632 960100", risk_profile="5", next_review_on="2027-01-31", notes="Line\n\n<b>&'\"")

    response = editor(amelia, client, "?draft=gone")

    form = form_of(response)
    assert (form["phone"], form["risk_profile"], form["next_review_on"]) == ("01632 960100", "5", "31 January 2027")
    assert (form["notes"], form["version"], form["seen"]) == ("Line\r\n\r\n<b>&'\"", "1", "")
    assert data_of(response, "base") == {
        "phone": "01632 960001",
        "risk_profile": "",
        "next_review_on": "",
        "notes": NOTES,
    }
    assert "data-unsaved" in response.text
    assert "Your unsaved changes are back (Phone, Risk profile, Next review, Key information)." in text_of(response)


def test_restored_draft_is_deleted_when_it_is_saved(amelia: Visitor, cast: Cast, client: Client) -> None:
    keep(cast, client, phone="01632 960100", notes="One\nTwo\nFour")
    form = form_of(editor(amelia, client, "?draft=gone"))

    assert save(amelia, client, form, town="Wells").status_code == 302
    assert (stored(client).phone, client.notes, client.town) == ("01632 960100", "One\nTwo\nFour", "Wells")
    assert kept(cast, client) == []


def test_invalid_values_of_a_draft_are_restored_as_typed(amelia: Visitor, cast: Cast, client: Client) -> None:
    keep(cast, client, next_review_on="31 Jan", email="ruth@", adviser_id="x", nonsense="x")

    response = editor(amelia, client, "?draft=gone")

    assert (form_of(response)["next_review_on"], form_of(response)["email"]) == ("31 Jan", "ruth@")
    assert "(Email, Next review)" in text_of(response)  # what a drop-down does not offer cannot be shown


def test_draft_is_merged_with_later_saves(amelia: Visitor, daniel: Visitor, cast: Cast, client: Client) -> None:
    """The merge takes Daniel's changes to other fields, merges separate lines and keeps Amelia's other values."""
    keep(cast, client, phone="01632 960100", notes="One\nTwo\nThree, mine")
    change(daniel, client, town="Wells", notes="One, theirs\nTwo\nThree")

    form = form_of(editor(amelia, client, "?draft=gone"))

    assert (form["phone"], form["town"]) == ("01632 960100", "Wells")
    assert form["notes"] == "One, theirs\r\nTwo\r\nThree, mine"
    assert (form["version"], form["seen"]) == ("1", "notes:2 town:2")
    assert save(amelia, client, form).status_code == 302
    assert (stored(client).version, client.phone, client.town) == (3, "01632 960100", "Wells")
    assert client.notes == "One, theirs\nTwo\nThree, mine"


def test_field_that_others_changed_too_keeps_the_draft_and_saving_asks(
    amelia: Visitor, daniel: Visitor, cast: Cast, client: Client
) -> None:
    keep(cast, client, phone="01632 960100", town="Wells")
    change(daniel, client, phone="01632 960200")

    form = form_of(editor(amelia, client, "?draft=gone"))

    assert (form["phone"], form["version"], form["seen"]) == ("01632 960100", "1", "")
    assert save(amelia, client, form).status_code == 409
    assert (stored(client).phone, client.version) == ("01632 960200", 2)
    assert kept(cast, client) == [{"phone": "01632 960100", "town": "Wells"}]


def test_newer_value_accepted_in_the_draft_is_no_conflict(
    amelia: Visitor, daniel: Visitor, cast: Cast, client: Client
) -> None:
    change(daniel, client, phone="01632 960200")
    keep(cast, client, version=1, seen="phone:2", phone="01632 960300")

    form = form_of(editor(amelia, client, "?draft=gone"))

    assert (form["phone"], form["seen"]) == ("01632 960300", "phone:2")
    assert save(amelia, client, form).status_code == 302
    assert stored(client).phone == "01632 960300"


@pytest.mark.parametrize("typed", ["other fields", "the same fields"])
def test_offered_draft_stays_when_the_editor_saves_other_values(
    amelia: Visitor, cast: Cast, client: Client, typed: str
) -> None:
    """The save neither restores nor discards it, because the user may not have seen the offer."""
    keep(cast, client, phone="01632 960100", notes="Other")
    form = form_of(editor(amelia, client))
    values = {"town": "Wells"} if typed == "other fields" else {"phone": "555", "notes": "Mine"}
    keep(cast, client, draft_id=form["draft"], **values)  # typed beside it
    assert kept(cast, client) == [values, {"phone": "01632 960100", "notes": "Other"}]

    assert save(amelia, client, form, **values).status_code == 302

    assert kept(cast, client) == [{"phone": "01632 960100", "notes": "Other"}]
    assert "(Phone, Key information)" in text_of(editor(amelia, client))


def test_save_in_another_tab_keeps_the_draft_of_this_one(amelia: Visitor, cast: Cast, client: Client) -> None:
    form = form_of(editor(amelia, client))
    keep(cast, client, notes="Typed in the other tab")

    assert save(amelia, client, form).status_code == 302
    assert kept(cast, client) == [{"notes": "Typed in the other tab"}]


def test_rejected_save_keeps_the_draft(amelia: Visitor, cast: Cast, client: Client) -> None:
    form = form_of(editor(amelia, client))
    keep(cast, client, draft_id=form["draft"], name="", phone="01632 960100")

    response = save(amelia, client, form, name="", phone="01632 960100")

    assert response.status_code == 422
    assert data_of(response, "base") == {"name": "Whitmore Family", "phone": "01632 960001"}
    assert "unsaved changes" not in text_of(response)
    assert kept(cast, client) == [{"name": "", "phone": "01632 960100"}]


def test_rejected_save_keeps_the_offers(amelia: Visitor, cast: Cast, client: Client) -> None:
    keep(cast, client, phone="01632 960100")

    response = save(amelia, client, form_of(editor(amelia, client)), name="")

    assert response.status_code == 422
    assert "(Phone)" in text_of(response)


def test_restored_draft_is_not_offered_again_after_a_rejected_save(amelia: Visitor, cast: Cast, client: Client) -> None:
    keep(cast, client, phone="01632 960100")

    response = save(amelia, client, form_of(editor(amelia, client, "?draft=gone")), name="")

    assert response.status_code == 422
    assert "unsaved changes" not in text_of(response)
    assert form_of(response)["phone"] == "01632 960100"
    assert save(amelia, client, form_of(response), name="Whitmore").status_code == 302
    assert kept(cast, client) == []


def test_draft_is_discarded_without_javascript(amelia: Visitor, cast: Cast, client: Client) -> None:
    keep(cast, client, phone="01632 960100")
    path = f"/clients/{client.id}/edit"

    data = offer_of(editor(amelia, client))
    assert data["back"] == path
    response = amelia.post(f"/discard_draft/client-{client.id}?form=record", data=data)

    assert (response.status_code, response.headers["Location"]) == (302, path)
    assert "Your unsaved changes are discarded." in text_of(amelia.get(path))
    assert kept(cast, client) == []


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/\\evil.example", "", "/\nx"])
def test_discard_redirects_within_the_portal_only(amelia: Visitor, client: Client, back: str) -> None:
    response = amelia.post(f"/discard_draft/client-{client.id}?form=record", data={"mark": "a@1", "back": back})

    assert response.headers["Location"] == "/"


def test_draft_of_a_future_version_is_not_offered(amelia: Visitor, cast: Cast, client: Client) -> None:
    keep(cast, client, version=7, phone="01632 960100")

    for query in ("", "?draft=gone"):
        assert "unsaved changes" not in text_of(editor(amelia, client, query))


@pytest.mark.parametrize(
    ("form", "label", "path"),
    [
        ("record", "this record", "/edit?draft=gone"),
        ("person/2147483647", "a person", "/person/2147483647/edit?draft=gone"),
        ("product/new", "a new product", "/product/new?draft=gone"),
        ("valuation/new/7", "a new valuation", "/product/7/valuation/new?draft=gone"),
    ],
)
def test_draft_is_shown_on_the_client_page_and_in_the_list_to_its_owner_only(
    amelia: Visitor, daniel: Visitor, cast: Cast, client: Client, form: str, label: str, path: str
) -> None:
    keep_at = DraftKey(cast.amelia.id, f"client-{client.id}", form)
    store.save(keep_at, "older", DraftPayload(1, "", {"phone": "1"}))
    store.save(keep_at, "gone", DraftPayload(1, "", {"phone": "2"}))
    db.session.commit()
    page = amelia.get(f"/clients/{client.id}")

    assert f"You have unsaved changes: {label} , from less than a minute ago ." in text_of(page)
    assert [link for link in links_of(page) if "draft=" in link] == [f"/clients/{client.id}{path}"]
    assert "Draft" in text_of(amelia.get("/clients"))
    assert "unsaved changes" not in text_of(daniel.get(f"/clients/{client.id}"))
    assert "Draft" not in text_of(daniel.get("/clients"))


def page_with_drafts(amelia: Visitor, cast: Cast, client: Client, forms: Iterable[str]) -> TestResponse:
    """Keep a draft of each form, the last one newest, and open the client page."""
    for form in forms:
        store.save(DraftKey(cast.amelia.id, f"client-{client.id}", form), "gone", DraftPayload(1, "", {"phone": "1"}))
        db.session.commit()
    return amelia.get(f"/clients/{client.id}")


def test_several_drafts_are_a_list_in_which_each_part_is_named(amelia: Visitor, cast: Cast, client: Client) -> None:
    ruth = make_person(client, "Ruth", "Whitmore")
    isa = make_product(client, (date(2026, 3, 31), "1000.00"), plan_number="A1")
    valuation = db.session.scalars(select(Valuation)).one()
    shaun_id = make_person(client, "Shaun", "Whitmore").id
    ClientEditor(amelia, client).change(f"/person/{shaun_id}/remove")
    labels = {
        "record": "this record",
        f"person/{ruth.id}": "Ruth Whitmore",
        f"person/{shaun_id}": "Shaun Whitmore",
        f"valuation/{valuation.id}": "the valuation of ISA A1 on 31 Mar 2026",
        f"valuation/new/{isa.id}": "a new valuation of ISA A1",
    }

    page = page_with_drafts(amelia, cast, client, reversed(labels))

    listed = re.findall(r'<li>\s*<a href="[^"]*\?draft=gone" data-edit>([^<]+)</a>', page.text)
    assert listed == list(labels.values())
    assert f"{listed[-1]} from less than a minute ago" in text_of(page)


def test_draft_does_not_tell_the_names_of_another_clients_parts(amelia: Visitor, cast: Cast, client: Client) -> None:
    """The form of a draft is text that a browser has sent."""
    other = make_client("Baker Family", adviser_id=cast.daniel.id, is_restricted=True)
    product = make_product(other, (date(2026, 3, 31), "1000.00"), plan_number="A1")
    valuation = db.session.scalars(select(Valuation)).one()
    person = make_person(other, "Bertha", "Baker")
    labels = {
        f"person/{person.id}": "a person",
        f"product/{product.id}": "a product",
        f"valuation/{valuation.id}": "a valuation",
        f"valuation/new/{product.id}": "a new valuation",
    }

    page = page_with_drafts(amelia, cast, client, reversed(labels))

    assert re.findall(r'\?draft=gone" data-edit>([^<]+)</a>', page.text) == list(labels.values())


@pytest.mark.parametrize("form", ["nonsense", "person", "person/x", "valuation/new", "valuation/new/x", "grant/new"])
def test_draft_of_an_unknown_form_is_ignored(amelia: Visitor, cast: Cast, client: Client, form: str) -> None:
    store.save(DraftKey(cast.amelia.id, f"client-{client.id}", form), "a", DraftPayload(1, "", {"phone": "1"}))
    db.session.commit()

    assert amelia.get(f"/clients/{client.id}").status_code == 200
