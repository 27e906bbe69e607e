"""Save with a merge of other users' saves and a conflict page ("Saving" in ARCHITECTURE.md)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from portal import clock
from portal.audit import AuditEvent, Event
from portal.clients import Client
from portal.clients.records.entries import CLIENT, Entry
from portal.clients.records.revisions import MAX_REVISIONS, ClientRevision
from portal.clients.saving import operations
from portal.extensions import db
from tests.support.cast import Cast, make_profile
from tests.support.edits import edit_from
from tests.support.factories import make_client
from tests.support.html import errors_of, form_of, text_of
from tests.support.test_client import Visitor
from tests.support.volume import volume

Visit = type[Visitor]


@pytest.fixture
def client(cast: Cast) -> Client:
    return make_client("Whitmore Family", phone="111", town="Bath", notes="one\ntwo\nthree\nfour\nfive")


def open_editor(browser: Visitor, client: Client) -> dict[str, str]:
    return form_of(browser.get(f"/clients/{client.id}/edit"))


def send(browser: Visitor, client: Client, form: dict[str, str], **typed: str) -> TestResponse:
    return browser.post(f"/clients/{client.id}/edit", data={**form, **typed})


def decide(browser: Visitor, client: Client, page: TestResponse, **resolutions: str) -> TestResponse:
    """Send the conflict page: `decide(…, phone="theirs")`, with a custom value as `third_phone="…"`."""
    named = {
        name.replace("third_", "third-") if name.startswith("third_") else f"decide-{name}": choice
        for name, choice in resolutions.items()
    }
    return browser.post(f"/clients/{client.id}/edit", data={**form_of(page), **named})


def stored(client: Client) -> dict[str, Any]:
    db.session.refresh(client)
    return {"phone": client.phone, "town": client.town, "version": client.version}


def last_revision(client: Client) -> ClientRevision:
    newest = select(ClientRevision).order_by(ClientRevision.version.desc()).limit(1)
    return db.session.scalars(newest.where(ClientRevision.client_id == client.id)).one()


def test_save_increments_the_version_and_records_author_and_time(amelia: Visitor, cast: Cast, client: Client) -> None:
    before = datetime.now(UTC)

    assert send(amelia, client, open_editor(amelia, client), phone="222").status_code == 302

    assert stored(client) == {"phone": "222", "town": "Bath", "version": 2}
    assert client.updated_by == cast.amelia.id
    assert before <= client.updated_at <= datetime.now(UTC)


def test_save_is_written_into_the_history(amelia: Visitor, cast: Cast, client: Client) -> None:
    send(amelia, client, open_editor(amelia, client), phone="222", next_review_on="2027-01-31")

    revision = last_revision(client)
    assert revision.changes == {"phone": ["111", "222"], "next_review_on": [None, "2027-01-31"]}
    assert (revision.version, revision.changed_by, revision.source) == (2, cast.amelia.id, "form")
    assert revision.changed_at == client.updated_at


def test_changes_to_different_fields_are_merged(amelia: Visitor, daniel: Visitor, client: Client) -> None:
    form = open_editor(amelia, client)
    send(daniel, client, open_editor(daniel, client), phone="222")

    assert send(amelia, client, form, town="Wells").status_code == 302

    assert stored(client) == {"phone": "222", "town": "Wells", "version": 3}
    assert last_revision(client).merged_with == [2]
    assert "Saved together with Daniel’s change to Phone." in text_of(amelia.get(f"/clients/{client.id}"))


def test_equal_new_values_are_no_conflict(amelia: Visitor, daniel: Visitor, client: Client) -> None:
    form = open_editor(amelia, client)
    send(daniel, client, open_editor(daniel, client), phone="222")

    assert send(amelia, client, form, phone="222").status_code == 302
    assert stored(client)["version"] == 2


def test_changes_to_separate_lines_of_a_text_are_merged(amelia: Visitor, daniel: Visitor, client: Client) -> None:
    form = open_editor(amelia, client)
    send(daniel, client, open_editor(daniel, client), notes="ONE\ntwo\nthree\nfour\nfive")

    assert send(amelia, client, form, notes="one\ntwo\nthree\nfour\nfive\nsix").status_code == 302
    db.session.refresh(client)
    assert client.notes == "ONE\ntwo\nthree\nfour\nfive\nsix"


def test_two_additions_at_the_end_of_a_text_are_merged_in_order_of_their_saves(
    amelia: Visitor, daniel: Visitor, client: Client
) -> None:
    form = open_editor(amelia, client)
    send(daniel, client, open_editor(daniel, client), notes=f"{client.notes}\nDaniel rang.")

    assert send(amelia, client, form, notes=f"{client.notes}\nAmelia wrote.").status_code == 302
    db.session.refresh(client)
    assert client.notes == "one\ntwo\nthree\nfour\nfive\nDaniel rang.\nAmelia wrote."
    assert last_revision(client).resolutions == {}


@pytest.fixture
def collision(amelia: Visitor, daniel: Visitor, client: Client) -> TestResponse:
    """Return Amelia's conflict page about a line that Daniel has changed too. Each has also added a line elsewhere."""
    form = open_editor(amelia, client)
    send(daniel, client, open_editor(daniel, client), notes="zero\none\ntwo\nDANIEL\nfour\nfive")
    response = send(amelia, client, form, notes="one\ntwo\nAMELIA\nfour\nfive\nsix")
    assert response.status_code == 409
    return response


@pytest.mark.parametrize(
    ("choice", "notes"),
    [
        ("both", "zero\none\ntwo\nDANIEL\nAMELIA\nfour\nfive\nsix"),
        ("yours", "zero\none\ntwo\nAMELIA\nfour\nfive\nsix"),
        ("theirs", "zero\none\ntwo\nDANIEL\nfour\nfive"),
    ],
)
def test_decision_about_a_text_keeps_other_users_lines_elsewhere(
    amelia: Visitor, client: Client, collision: TestResponse, choice: str, notes: str
) -> None:
    assert [decide(amelia, client, collision, notes=choice).status_code for _ in range(2)] == [302, 302]
    db.session.refresh(client)
    assert (client.notes, client.version) == (notes, 3)
    assert last_revision(client).resolutions == {"notes": choice}
    overridden = Event.CONFLICT_OVERRIDDEN in db.session.scalars(select(AuditEvent.event)).all()
    assert overridden == (choice == "yours")


def test_custom_text_starts_from_both_texts(collision: TestResponse) -> None:
    assert form_of(collision)["third-notes"].split("\r\n") == [
        "zero",
        "one",
        "two",
        "DANIEL",
        "AMELIA",
        "four",
        "five",
        "six",
    ]


def test_merged_text_over_the_maximum_length_is_rejected(amelia: Visitor, daniel: Visitor, client: Client) -> None:
    form = open_editor(amelia, client)
    send(daniel, client, open_editor(daniel, client), notes="d" * 6_000)
    page = send(amelia, client, form, notes="a" * 6_000)

    response = decide(amelia, client, page, notes="both")

    assert response.status_code == 409
    assert "2,001 characters too long" in errors_of(response)["decide-notes"]
    assert decide(amelia, client, response, notes="third", third_notes="a\nd").status_code == 302
    db.session.refresh(client)
    assert client.notes == "a\nd"


def test_keeping_both_is_rejected_for_a_field_that_is_not_a_text(
    amelia: Visitor, daniel: Visitor, client: Client
) -> None:
    form = open_editor(amelia, client)
    send(daniel, client, open_editor(daniel, client), phone="daniel's")
    page = send(amelia, client, form, phone="amelia's")

    assert decide(amelia, client, page, phone="both").status_code == 409
    assert stored(client)["phone"] == "daniel's"


def test_different_value_for_the_same_field_is_409_and_changes_nothing(
    amelia: Visitor, daniel: Visitor, cast: Cast, client: Client
) -> None:
    form = open_editor(amelia, client)
    send(daniel, client, open_editor(daniel, client), phone="daniel's")

    response = send(amelia, client, form, phone="amelia's", town="Wells")

    assert response.status_code == 409
    assert stored(client) == {"phone": "daniel's", "town": "Bath", "version": 2}
    assert client.updated_by == cast.daniel.id


def test_conflict_page_shows_three_values_author_and_time(
    amelia: Visitor, daniel: Visitor, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = open_editor(amelia, client)
    at = datetime.now(UTC)
    send(daniel, client, open_editor(daniel, client), phone="daniel's", client_since="1999-01-02", town="Wells")
    monkeypatch.setattr(clock, "now", lambda: at + timedelta(minutes=2, seconds=5))

    response = send(amelia, client, form, phone="amelia's", client_since=date(2001, 2, 3).isoformat(), status="dormant")

    words = text_of(response)
    assert "2 fields of Whitmore Family need your decision" in words
    assert "Choose what to keep, field by field." in words
    assert "Phone changed by both It was 111 Daniel Okafor’s, 2 minutes ago daniel's Yours amelia's" in words
    assert (
        "Client since changed by both It was empty Daniel Okafor’s, 2 minutes ago 2 Jan 1999 Yours 3 Feb 2001" in words
    )
    assert "Saved without a question Status Dormant yours Town Wells Daniel Okafor’s" in words
    assert "none of them is lost" in words
    assert "checked" not in response.text


def test_conflict_page_keeps_all_typed_values(amelia: Visitor, daniel: Visitor, client: Client) -> None:
    form = open_editor(amelia, client)
    send(daniel, client, open_editor(daniel, client), phone="daniel's")
    typed = {"phone": "amelia's", "town": "Wells & <b>", "notes": "line one\n\nline two", "client_since": "2020-02-29"}

    response = send(amelia, client, form, **typed)

    assert {name: form_of(response)[name] for name in typed} == typed
    assert "<b>" not in response.text.replace("<b>Your changes", "")


@pytest.mark.parametrize(
    ("choice", "phone", "recorded"),
    [("theirs", "daniel's", "theirs"), ("yours", "amelia's", "yours"), ("third", "0123", "custom")],
)
def test_resolution_is_saved(
    amelia: Visitor, daniel: Visitor, client: Client, choice: str, phone: str, recorded: str
) -> None:
    form = open_editor(amelia, client)
    send(daniel, client, open_editor(daniel, client), phone="daniel's")
    page = send(amelia, client, form, phone="amelia's")

    assert decide(amelia, client, page, phone=choice, third_phone="0123").status_code == 302

    assert (stored(client)["phone"], stored(client)["version"]) == (phone, 3)
    assert last_revision(client).resolutions == {"phone": recorded}


def test_custom_value_is_accepted_under_the_name_that_the_next_release_sends(
    amelia: Visitor, daniel: Visitor, client: Client
) -> None:
    """The page itself sends `third`, because a worker of the release before may receive it during a deployment."""
    form = open_editor(amelia, client)
    send(daniel, client, open_editor(daniel, client), phone="daniel's")
    question_page = send(amelia, client, form, phone="amelia's")
    assert form_of(question_page)["third-phone"] == "amelia's"

    sent = {name: text for name, text in form_of(question_page).items() if name != "third-phone"}
    too_long = send(amelia, client, sent, **{"decide-phone": "custom", "custom-phone": "0" * 41})
    assert too_long.status_code == 409
    assert form_of(too_long)["third-phone"] == "0" * 41
    assert form_of(too_long)["decide-phone"] == "third"

    assert send(amelia, client, sent, **{"decide-phone": "custom", "custom-phone": "0123"}).status_code == 302
    assert stored(client)["phone"] == "0123"
    assert last_revision(client).resolutions == {"phone": "custom"}
    raw = db.session.scalars(text("SELECT decisions FROM client_revisions WHERE version = 3")).one()
    assert raw == {"phone": "third"}


def test_conflict_page_without_a_choice_is_shown_again_with_an_error(
    amelia: Visitor, daniel: Visitor, client: Client
) -> None:
    form = open_editor(amelia, client)
    send(daniel, client, open_editor(daniel, client), phone="daniel's", town="Wells")
    page = send(amelia, client, form, phone="amelia's", town="Bristol")

    again = decide(amelia, client, page, phone="yours")

    assert again.status_code == 409
    assert errors_of(again) == {"decide-town": "Choose one of these."}
    assert form_of(again)["decide-phone"] == "yours"
    assert decide(amelia, client, again, town="theirs").status_code == 302
    assert stored(client) == {"phone": "amelia's", "town": "Wells", "version": 3}


def test_custom_value_is_validated_as_in_the_editor(amelia: Visitor, daniel: Visitor, client: Client) -> None:
    form = open_editor(amelia, client)
    send(daniel, client, open_editor(daniel, client), phone="daniel's")
    page = send(amelia, client, form, phone="amelia's")

    again = decide(amelia, client, page, phone="third", third_phone="0" * 41)

    assert again.status_code == 409
    assert errors_of(again) == {"decide-phone": "Use at most 40 characters. This has 41: 1 too many."}
    assert form_of(again)["third-phone"] == "0" * 41


def test_save_by_a_third_user_asks_again_and_keeps_the_other_choices(
    visit: Visit, cast: Cast, amelia: Visitor, daniel: Visitor, client: Client
) -> None:
    ada = visit(cast.ada)
    form = open_editor(amelia, client)
    send(daniel, client, open_editor(daniel, client), phone="daniel's", town="Wells")
    first = send(amelia, client, form, phone="amelia's", town="Bristol")
    send(ada, client, open_editor(ada, client), phone="ada's")

    second = decide(amelia, client, first, phone="yours", town="yours")

    assert second.status_code == 409
    assert "Ada Byron’s" in text_of(second)
    assert "changed again while you were deciding" in text_of(second)
    chosen = form_of(second)
    assert ("decide-phone" in chosen, chosen["decide-town"]) == (False, "yours")
    assert stored(client) == {"phone": "ada's", "town": "Wells", "version": 3}
    assert decide(amelia, client, second, phone="yours").status_code == 302
    assert stored(client) == {"phone": "amelia's", "town": "Bristol", "version": 4}


DISSOLVED: list[tuple[dict[str, str], str]] = [
    ({"phone": "theirs"}, "111"),
    ({"phone": "third", "third_phone": "amelia's third"}, "111"),
    ({"phone": "third", "third_phone": "amelia's third"}, "amelia's"),
]


@pytest.mark.parametrize(("decision", "meanwhile"), DISSOLVED, ids=str)
def test_resolution_of_a_field_that_changed_again_is_asked_even_without_a_conflict(
    amelia: Visitor, daniel: Visitor, client: Client, decision: dict[str, str], meanwhile: str
) -> None:
    """Daniel reverts his change, or saves Amelia's first value. Her resolution is about another value."""
    form = open_editor(amelia, client)
    send(daniel, client, open_editor(daniel, client), phone="daniel's")
    page = send(amelia, client, form, phone="amelia's")
    send(daniel, client, open_editor(daniel, client), phone=meanwhile)

    again = decide(amelia, client, page, **decision)

    assert again.status_code == 409
    assert "changed again while you were deciding" in text_of(again)
    assert stored(client)["phone"] == meanwhile
    assert form_of(again)["third-phone"] == decision.get("third_phone", "amelia's")


def test_resolution_sent_twice_is_saved_once(amelia: Visitor, daniel: Visitor, client: Client) -> None:
    form = open_editor(amelia, client)
    send(daniel, client, open_editor(daniel, client), phone="daniel's")
    page = send(amelia, client, form, phone="amelia's")

    assert [decide(amelia, client, page, phone="yours").status_code for _ in range(2)] == [302, 302]
    assert stored(client)["version"] == 3


def test_resolution_without_its_conflict_page_is_ignored(amelia: Visitor, daniel: Visitor, client: Client) -> None:
    form = open_editor(amelia, client)
    send(daniel, client, open_editor(daniel, client), phone="daniel's")

    assert send(amelia, client, form, phone="amelia's", **{"decide-phone": "yours"}).status_code == 409
    assert stored(client)["phone"] == "daniel's"


def test_base_version_beyond_the_read_limit_makes_every_difference_a_conflict(
    amelia: Visitor, cast: Cast, client: Client
) -> None:
    form = open_editor(amelia, client)
    for number in range(MAX_REVISIONS + 1):
        edit = edit_from(number + 1, cast.daniel.id, {"postcode": f"{number}"})
        operations.save_entry(client, Entry(CLIENT), edit)
    db.session.commit()

    response = send(amelia, client, form, town="Wells")

    assert response.status_code == 409
    assert "2 fields of Whitmore Family need your decision" in text_of(response)
    decided = decide(amelia, client, response, town="yours", postcode="theirs")
    assert decided.status_code == 302
    assert len(last_revision(client).merged_with) == 50


def test_stale_form_sent_again_is_a_conflict_again(amelia: Visitor, daniel: Visitor, client: Client) -> None:
    form = open_editor(amelia, client)
    send(daniel, client, open_editor(daniel, client), phone="daniel's")

    assert [send(amelia, client, form, phone="amelia's").status_code for _ in range(3)] == [409] * 3
    assert stored(client)["phone"] == "daniel's"


def test_own_save_in_another_tab_is_a_conflict_too(amelia: Visitor, client: Client) -> None:
    form = open_editor(amelia, client)
    send(amelia, client, form, phone="first tab")

    response = send(amelia, client, form, phone="second tab")

    assert response.status_code == 409
    assert "Yours, saved elsewhere" in text_of(response)


def test_second_save_of_the_same_values_is_not_an_error(amelia: Visitor, client: Client) -> None:
    """A double click, or Back and Save, sends values that are saved already."""
    form = open_editor(amelia, client)

    assert [send(amelia, client, form, phone="222").status_code for _ in range(2)] == [302, 302]
    assert stored(client)["version"] == 2


def test_form_older_than_the_history_makes_every_difference_a_conflict(amelia: Visitor, client: Client) -> None:
    """The form was opened before the history began, so its base values are unknown."""
    form = open_editor(amelia, client)
    db.session.execute(text("UPDATE clients SET version = version + 1, phone = 'changed', updated_by = NULL"))
    db.session.commit()

    response = send(amelia, client, form, phone="amelia's")

    assert response.status_code == 409
    assert "One field of Whitmore Family needs your decision" in text_of(response)
    assert stored(client)["phone"] == "changed"


def test_future_version_is_rejected(amelia: Visitor, client: Client) -> None:
    assert send(amelia, client, open_editor(amelia, client), version="7", phone="x").status_code == 422
    assert stored(client)["phone"] == "111"


def test_corrected_form_keeps_its_base_version(amelia: Visitor, daniel: Visitor, client: Client) -> None:
    """The corrected form still has the old base version."""
    form = open_editor(amelia, client)
    send(daniel, client, open_editor(daniel, client), phone="daniel's")

    wrong = send(amelia, client, form, phone="0" * 50)
    assert wrong.status_code == 422
    assert send(amelia, client, form_of(wrong), phone="amelia's").status_code == 409


def test_save_of_a_deleted_client_is_404(amelia: Visitor, client: Client) -> None:
    form, path = open_editor(amelia, client), f"/clients/{client.id}/edit"
    db.session.delete(client)
    db.session.commit()

    assert amelia.post(path, data={**form, "phone": "x"}).status_code == 404


def test_exactly_one_of_sixteen_concurrent_saves_from_one_version_succeeds(
    visit: Visit, cast: Cast, client: Client
) -> None:
    """Uses real threads, connections and commits."""
    crowd = [visit(make_profile(f"Writer{number:02}", "Crowd")).with_token() for number in range(16)]
    forms = [open_editor(writer, client) for writer in crowd]
    client_id, start = client.id, Barrier(16)

    def save(number: int) -> tuple[int, str]:
        start.wait(10)
        phone = f"{number:03}"
        response = crowd[number].post(f"/clients/{client_id}/edit", data={**forms[number], "phone": phone})
        return response.status_code, phone

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(save, range(16)))

    winners = [phone for status, phone in outcomes if status == 302]
    assert sorted(status for status, _ in outcomes) == [302] + [409] * 15
    assert (stored(client)["phone"], stored(client)["version"]) == (winners[0], 2)


def test_each_accepted_concurrent_save_is_one_version(visit: Visit, cast: Cast, client: Client) -> None:
    """Several users each save several times. Versions have no gap and no duplicate."""
    users, times = volume(4, 8), volume(2, 5)
    crowd = [visit(make_profile(f"Writer{number:02}", "Crowd")).with_token() for number in range(users)]
    client_id, start = client.id, Barrier(users)

    def save_some_times(number: int) -> int:
        start.wait(10)
        path, accepted, tries = f"/clients/{client_id}/edit", 0, 0
        while accepted < times and (tries := tries + 1) < 200:
            form = {**form_of(crowd[number].get(path)), "phone": f"1{number}-{accepted}"}
            accepted += crowd[number].post(path, data=form).status_code == 302
        return accepted

    with ThreadPoolExecutor(users) as pool:
        assert sum(pool.map(save_some_times, range(users))) == users * times

    assert stored(client)["version"] == users * times + 1
    versions = db.session.scalars(select(ClientRevision.version).order_by(ClientRevision.version)).all()
    assert versions == list(range(2, users * times + 2))


def test_unknown_field_of_a_program_is_rejected(amelia: Visitor, client: Client) -> None:
    """An ignored misspelling would lose the edit silently."""
    change = {"version": 1, "name": "Whitmore", "client_type": "family", "status": "active", "phnoe": "222"}
    response = amelia.post(f"/clients/{client.id}/edit", json=change, headers={"Accept": "application/json"})

    assert (response.status_code, response.json["field"]) == (422, "phnoe")
    assert client.version == 1
