"""Add a client: the fields and checks of the editor, a draft, one client for a form that is sent twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import func, select

from portal.audit import AuditEvent, Event
from portal.clients import Client
from portal.editing.drafts import store
from portal.editing.drafts.store import DraftKey
from portal.extensions import db
from tests.clients.conftest import history_of
from tests.support.cast import Cast
from tests.support.edits import save_for
from tests.support.factories import make_client
from tests.support.html import errors_of, form_of, links_of, options_of, text_of
from tests.support.test_client import Visitor

NEW = "/clients/new"


def clients() -> list[Client]:
    db.session.rollback()
    return list(db.session.scalars(select(Client).order_by(Client.id)))


def test_added_client_has_the_typed_values_and_a_history(amelia: Visitor, cast: Cast) -> None:
    form = form_of(amelia.get(NEW))
    assert (form["adviser_id"], form["version"]) == (str(cast.amelia.id), "1")

    answer = amelia.post(NEW, data={**form, "name": " Whitmore ", "phone": "111", "client_since": "1/2/2026"})

    [client] = clients()
    assert answer.headers["Location"] == f"/clients/{client.id}"
    assert (client.client_ref, client.name, client.phone) == ("KG00001", "Whitmore", "111")
    assert (client.client_since, client.adviser_id) == (date(2026, 2, 1), cast.amelia.id)
    assert (client.version, client.updated_by, client.is_restricted) == (1, cast.amelia.id, False)
    [revision] = history_of(client)
    assert (revision.version, revision.changed_by, revision.source) == (1, cast.amelia.id, "form")
    assert "Whitmore is added as KG00001." in text_of(amelia.get(f"/clients/{client.id}"))
    assert "Amelia Hart added this client" in text_of(amelia.get(f"/clients/{client.id}/history"))
    [event] = db.session.scalars(select(AuditEvent).where(AuditEvent.event == Event.CLIENT_ADDED))
    assert (event.actor_id, event.about) == (cast.amelia.id, {"client_id": client.id})


def test_first_save_after_the_addition_is_version_2(amelia: Visitor, cast: Cast) -> None:
    amelia.post(NEW, data={**form_of(amelia.get(NEW)), "name": "Whitmore"})
    [client] = clients()
    edit = f"/clients/{client.id}/edit"

    assert amelia.post(edit, data={**form_of(amelia.get(edit)), "phone": "222"}).status_code == 302
    assert [revision.version for revision in history_of(client)] == [1, 2]
    assert amelia.get(f"/clients/{client.id}/history/1/revert?entry=").status_code == 422


def test_reference_follows_the_highest_one_of_its_form(amelia: Visitor, cast: Cast) -> None:
    for reference in ("KG00041", "KG123456", "SMITH-1", "KG99999999999", "kg999999"):
        make_client(reference, client_ref=reference)
    amelia.post(NEW, data={**form_of(amelia.get(NEW)), "name": "Whitmore"})

    assert clients()[-1].client_ref == "KG123457"


def test_form_sent_twice_adds_one_client(amelia: Visitor, cast: Cast) -> None:
    form = {**form_of(amelia.get(NEW)), "name": "Whitmore"}

    first, second = amelia.post(NEW, data=form), amelia.post(NEW, data=form)

    [client] = clients()
    assert first.headers["Location"] == second.headers["Location"] == f"/clients/{client.id}"
    assert len(history_of(client)) == 1
    assert db.session.scalar(select(func.count()).where(AuditEvent.event == Event.CLIENT_ADDED)) == 1


def test_values_that_were_typed_after_a_lost_answer_are_not_lost(amelia: Visitor, cast: Cast) -> None:
    form = {**form_of(amelia.get(NEW)), "name": "Whitmore"}
    amelia.post(NEW, data=form)
    page = f"new_client-{cast.amelia.id}"
    draft = {"version": 1, "values": {"name": "Whitmore", "phone": "111"}}
    amelia.call("PUT", f"/edit_drafts/{page}?form=record&draft={form['draft']}", json=draft)

    again = amelia.post(NEW, data={**form, "phone": "111"})
    program = amelia.post(
        NEW, json={"name": "Whitmore", "client_type": "family", "phone": "222", "draft": form["draft"]}
    )

    [client] = clients()
    assert (again.status_code, program.status_code, program.json["id"], client.phone) == (409, 409, client.id, "")
    assert "This form has added a client already, " in text_of(again)
    assert f"/clients/{client.id}" in links_of(again)
    kept = form_of(again)
    assert (kept["name"], kept["phone"]) == ("Whitmore", "111")
    assert len(store.drafts_of(DraftKey(cast.amelia.id, page, "record"))) == 1
    assert amelia.post(NEW, data=kept).status_code == 302
    assert [client.phone for client in clients()] == ["", "111"]
    assert store.drafts_of(DraftKey(cast.amelia.id, page, "record")) == []


def test_form_sent_again_after_the_client_was_changed_adds_no_other(amelia: Visitor, cast: Cast) -> None:
    form = {**form_of(amelia.get(NEW)), "name": "Whitmore"}
    amelia.post(NEW, data=form)
    [client] = clients()
    save_for(cast.daniel, client, name="Whitmore-Hart", phone="222")

    assert amelia.post(NEW, data=form).headers["Location"] == f"/clients/{client.id}"
    assert len(clients()) == 1


def test_form_sent_twice_at_the_same_time_adds_one_client(amelia: Visitor, cast: Cast) -> None:
    amelia.with_token()
    form = {**form_of(amelia.get(NEW)), "name": "Whitmore"}
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: amelia.post(NEW, data=form), range(4)))

    assert {answer.status_code for answer in answers} == {302}
    assert len(clients()) == 1


def test_two_openings_of_the_form_add_two_clients_with_two_references(
    amelia: Visitor, daniel: Visitor, cast: Cast
) -> None:
    forms = [(user, {**form_of(user.with_token().get(NEW)), "name": "Same"}) for user in (amelia, amelia, daniel)]
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda each: each[0].post(NEW, data=each[1]), forms))

    assert [client.client_ref for client in clients()] == ["KG00001", "KG00002", "KG00003"]


def test_wrong_value_keeps_what_was_typed(amelia: Visitor, cast: Cast) -> None:
    form = form_of(amelia.get(NEW))

    answer = amelia.post(NEW, data={**form, "name": "", "phone": "111", "email": "x", "next_review_on": "soon"})

    assert answer.status_code == 422
    assert set(errors_of(answer)) == {"name", "email", "next_review_on"}
    assert (form_of(answer)["phone"], form_of(answer)["draft"]) == ("111", form["draft"])
    assert clients() == []


def test_adviser_who_was_deactivated_meanwhile_is_refused(amelia: Visitor, cast: Cast) -> None:
    form = {**form_of(amelia.get(NEW)), "name": "Whitmore", "adviser_id": str(cast.daniel.id)}
    cast.daniel.is_active = False
    db.session.commit()

    answer = amelia.post(NEW, data=form)

    assert answer.status_code == 422
    assert set(errors_of(answer)) == {"adviser_id"}
    assert clients() == []


def test_draft_is_offered_restored_and_discarded_by_the_addition(amelia: Visitor, daniel: Visitor, cast: Cast) -> None:
    page, query = f"new_client-{cast.amelia.id}", "form=record&draft=a"
    draft = {"version": 1, "values": {"name": "Whit", "next_review_on": "soon"}}
    assert amelia.call("PUT", f"/edit_drafts/{page}?{query}", json=draft).status_code == 200
    assert daniel.call("PUT", f"/edit_drafts/{page}?{query}", json=draft).status_code == 404

    assert "unsaved changes" in text_of(amelia.get(NEW))
    assert "unsaved changes" not in text_of(daniel.get(NEW))
    restored = form_of(amelia.get(f"{NEW}?draft=a"))
    assert (restored["name"], restored["next_review_on"]) == ("Whit", "soon")
    amelia.post(NEW, data={**restored, "next_review_on": ""})

    [client] = clients()
    assert client.name == "Whit"
    assert store.drafts_of(DraftKey(cast.amelia.id, page, "record")) == []


def test_program_adds_a_client_by_json(amelia: Visitor, cast: Cast) -> None:
    answer = amelia.post(NEW, json={"name": "Whitmore", "client_type": "family", "phone": 777, "adviser_id": None})

    [client] = clients()
    expected = {"status": "added", "id": client.id, "client_ref": "KG00001", "version": 1}
    assert (answer.status_code, answer.json) == (200, expected)
    assert (client.phone, client.adviser_id, history_of(client)[0].source) == ("777", None, "json")
    assert amelia.post(NEW, json={"name": "", "client_type": "family"}).json["errors"].keys() == {"name"}
    assert amelia.post(NEW, json={"nam": "W"}).json["field"] == "nam"
    assert len(clients()) == 1


def test_administrator_may_add_a_client_for_an_adviser(visit: type[Visitor], cast: Cast) -> None:
    ada = visit(cast.ada)
    page = ada.get(NEW)
    assert options_of(page, "adviser_id")[:2] == ["", str(cast.ada.id)]

    ada.post(NEW, data={**form_of(page), "name": "Whitmore", "adviser_id": str(cast.amelia.id)})

    assert clients()[0].adviser_id == cast.amelia.id


def test_list_leads_to_the_form_only_for_those_who_may_add(amelia: Visitor, visit: type[Visitor], cast: Cast) -> None:
    rhys = visit(cast.rhys)
    assert NEW in links_of(amelia.get("/clients"))
    assert NEW not in links_of(rhys.get("/clients"))
    assert rhys.post(NEW, data={"name": "Whitmore"}).status_code == 403


@pytest.mark.parametrize("role", ["reader", "deactivated"])
def test_permission_that_is_lost_while_the_form_is_open_adds_nothing(amelia: Visitor, cast: Cast, role: str) -> None:
    form = {**form_of(amelia.get(NEW)), "name": "Whitmore"}
    if role == "reader":
        cast.amelia.role = "reader"
    else:
        cast.amelia.is_active = False
    db.session.commit()

    assert amelia.post(NEW, data=form).status_code in (302, 403)
    assert clients() == []
