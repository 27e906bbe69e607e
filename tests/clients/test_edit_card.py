"""Edit one card of the client page: a subset of the fields, with its own draft, merged and checked as in the editor."""

from collections.abc import Mapping

import pytest

from portal.auth import Profile
from portal.clients import Client
from portal.clients.editor.forms import CARDS, ClientForm
from portal.editing.drafts import store
from portal.editing.drafts.store import DraftKey, DraftPayload
from portal.extensions import db
from tests.clients.conftest import ClientEditor, history_of
from tests.support.cast import Cast
from tests.support.factories import make_client
from tests.support.html import form_of, forms_of, links_of, text_of
from tests.support.problems import assert_problem
from tests.support.test_client import Visitor

CONTACT = "/edit?card=contact"


@pytest.fixture
def client(cast: Cast) -> Client:
    return make_client("Whitmore Family", adviser_id=cast.amelia.id, phone="01632 960001", town="Bath", notes="One")


def keep(profile: Profile, client: Client, form: str, draft_id: str, values: Mapping[str, str]) -> DraftKey:
    key = DraftKey(profile.id, f"client-{client.id}", form)
    store.save(key, draft_id, DraftPayload(1, "", values))
    db.session.commit()
    return key


@pytest.mark.parametrize("card", CARDS)
def test_card_has_its_own_fields_and_no_others(amelias_editor: ClientEditor, card: str) -> None:
    shown = set(amelias_editor.open(f"/edit?card={card}"))

    assert shown & set(ClientForm.field_names()) == set(CARDS[card].field_names())


def test_cards_together_have_every_field_of_the_client_once() -> None:
    fields = [name for form in CARDS.values() for name in form.field_names()]

    assert sorted(fields) == sorted(ClientForm.field_names())
    assert len(fields) == len(set(fields))


def test_heading_names_the_card_and_the_client(amelias_editor: ClientEditor) -> None:
    assert "Edit contact of Whitmore Family" in text_of(amelias_editor.browser.get(amelias_editor.address + CONTACT))


def test_client_page_links_each_card_to_its_editor_for_those_who_may_edit(
    amelias_editor: ClientEditor, visit: type[Visitor], cast: Cast
) -> None:
    shown = links_of(amelias_editor.browser.get(amelias_editor.address))
    read = links_of(visit(cast.rhys).get(amelias_editor.address))

    linked = {link.partition("card=")[2].partition("#")[0] for link in shown if "card=" in link}
    assert linked == set(CARDS)
    assert [link for link in read if "/edit?" in link or link.endswith("/edit")] == []


@pytest.mark.parametrize("card", ["people", "Contact", "contact/", "record/contact", "<b>"])
def test_unknown_card_is_404_and_shows_what_was_typed(amelias_editor: ClientEditor, client: Client, card: str) -> None:
    path, form = f"{amelias_editor.address}/edit", amelias_editor.open()
    shown = amelias_editor.browser.get(path, query_string={"card": card})
    sent = amelias_editor.browser.post(path, query_string={"card": card}, data={**form, "phone": "01632 960777"})

    for response in (shown, sent):
        assert response.status_code == 404
        assert "no such card. Its cards are: record, contact, advice, notes." in text_of(response)
    assert "01632 960777" in text_of(sent)
    assert history_of(client) == []


def test_card_is_refused_to_a_reader_and_hidden_from_those_without_access(
    amelias_editor: ClientEditor, visit: type[Visitor], cast: Cast, client: Client
) -> None:
    form = {"version": "1", "phone": "01632 960777"}
    client.is_restricted = True
    db.session.commit()
    for who in (cast.rhys, cast.daniel):
        assert visit(who).get(amelias_editor.address + CONTACT).status_code == 404
        assert visit(who).post(amelias_editor.address + CONTACT, data=form).status_code == 404
    client.is_restricted = False
    db.session.commit()
    assert visit(cast.rhys).get(amelias_editor.address + CONTACT).status_code == 403
    assert visit(cast.rhys).post(amelias_editor.address + CONTACT, data=form).status_code == 403
    assert history_of(client) == []


def test_save_of_a_card_changes_only_its_fields(amelias_editor: ClientEditor, client: Client) -> None:
    """A form may have further fields, as of a browser extension. A program gets an error."""
    saved = amelias_editor.send(amelias_editor.open(CONTACT), CONTACT, phone="01632 960777", notes="Other")
    rejected = amelias_editor.send_json(CONTACT, version=2, notes="Other")

    assert saved.status_code == 302
    assert [set(revision.changes) for revision in history_of(client)] == [{"phone"}]
    assert client.notes == "One"
    assert_problem(rejected, 422)
    assert rejected.json["field"] == "notes"


def test_two_cards_saved_meanwhile_are_both_kept_without_a_question(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    contact, notes = amelias_editor.open(CONTACT), daniels_editor.open("/edit?card=notes")

    assert daniels_editor.send(notes, "/edit?card=notes", notes="Two").status_code == 302
    assert amelias_editor.send(contact, CONTACT, phone="01632 960777").status_code == 302

    db.session.refresh(client)
    assert (client.phone, client.notes) == ("01632 960777", "Two")


def test_same_field_of_a_card_is_decided_as_in_the_editor(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    form = amelias_editor.open(CONTACT)
    daniels_editor.change("/edit", phone="01632 960111", notes="Two")

    asked = amelias_editor.send(form, CONTACT, phone="01632 960777")
    assert asked.status_code == 409
    question = form_of(asked)
    assert "third-phone" in question
    assert question["phone"] == "01632 960777"
    assert "notes" not in question
    decided = amelias_editor.send(question, CONTACT, **{"decide-phone": "yours"})

    assert decided.status_code == 302
    assert decided.location == amelias_editor.address
    db.session.refresh(client)
    assert (client.phone, client.notes) == ("01632 960777", "Two")


def test_error_returns_the_card_with_what_was_typed(amelias_editor: ClientEditor) -> None:
    response = amelias_editor.send(amelias_editor.open(CONTACT), CONTACT, email="no address", phone="01632 960777")

    assert response.status_code == 422
    form = form_of(response)
    assert (form["email"], form["phone"]) == ("no address", "01632 960777")
    assert "notes" not in form
    assert "Edit contact of Whitmore Family" in text_of(response)


def test_drafts_of_the_editor_and_of_each_card_are_kept_beside_each_other(
    amelias_editor: ClientEditor, cast: Cast, client: Client
) -> None:
    record = keep(cast.amelia, client, "record", "whole", {"phone": "01632 960111", "notes": "Two"})
    contact = keep(cast.amelia, client, "record/contact", "card", {"phone": "01632 960777"})
    notes = keep(cast.amelia, client, "record/notes", "text", {"notes": "Three"})

    listed = amelias_editor.browser.get(amelias_editor.address)
    assert "Objectives and key information from less than a minute ago Contact from" in text_of(listed)
    base = f"{amelias_editor.address}/edit"
    links = [link for link in links_of(listed) if "draft=" in link]
    assert links == [f"{base}?card=notes&draft=text", f"{base}?card=contact&draft=card", f"{base}?draft=whole"]

    restored = form_of(amelias_editor.browser.get(links[1]))
    assert restored["phone"] == "01632 960777"
    assert amelias_editor.send(restored, CONTACT).status_code == 302
    db.session.rollback()
    assert [len(store.drafts_of(key)) for key in (record, contact, notes)] == [1, 0, 1]


def test_offer_of_a_card_leads_back_to_the_card(amelias_editor: ClientEditor, cast: Cast, client: Client) -> None:
    contact = keep(cast.amelia, client, "record/contact", "card", {"phone": "01632 960777"})

    offered = amelias_editor.browser.get(amelias_editor.address + CONTACT)
    assert f"{amelias_editor.address}/edit?card=contact&draft=card" in links_of(offered)
    assert "unsaved changes" not in text_of(amelias_editor.browser.get(f"{amelias_editor.address}/edit"))
    assert "unsaved changes" not in text_of(amelias_editor.browser.get(f"{amelias_editor.address}/edit?card=notes"))
    [discard] = [form for form in forms_of(offered) if "mark" in form]
    path = f"/discard_draft/client-{client.id}?form=record/contact"
    assert amelias_editor.browser.post(path, data=discard).location == amelias_editor.address + CONTACT
    db.session.rollback()
    assert store.drafts_of(contact) == []
