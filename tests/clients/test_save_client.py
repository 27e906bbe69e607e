"""Saving is guarded by the version: nobody overwrites anybody without knowing ("Saving" in ARCHITECTURE.md)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from portal import clock
from portal.clients import Client
from portal.extensions import db
from tests.cast import Cast, make_profile
from tests.reading import form_of, links_of, text_of
from tests.records import make_client
from tests.visitor import Visitor

Visit = type[Visitor]


@pytest.fixture
def client(cast: Cast) -> Client:
    return make_client("Whitmore Family", phone="111", town="Bath", notes="as it was")


def open_editor(browser: Visitor, client: Client) -> dict[str, str]:
    return form_of(browser.get(f"/clients/{client.id}/edit"))


def send(browser: Visitor, client: Client, form: dict[str, str], **typed: str) -> TestResponse:
    return browser.post(f"/clients/{client.id}/edit", data={**form, **typed})


def stored(client: Client) -> dict[str, Any]:
    db.session.refresh(client)
    return {"phone": client.phone, "town": client.town, "notes": client.notes, "version": client.version}


def test_a_save_raises_the_version_by_one_and_says_by_whom_and_when(visit: Visit, cast: Cast, client: Client) -> None:
    amelia = visit(cast.amelia)
    before = datetime.now(UTC)

    assert send(amelia, client, open_editor(amelia, client), phone="222").status_code == 302

    assert stored(client) == {"phone": "222", "town": "Bath", "notes": "as it was", "version": 2}
    assert client.updated_by == cast.amelia.id
    assert before <= client.updated_at <= datetime.now(UTC)


def test_a_stale_save_is_409_and_changes_nothing(visit: Visit, cast: Cast, client: Client) -> None:
    amelia, daniel = visit(cast.amelia), visit(cast.daniel)
    amelias_form, daniels_form = open_editor(amelia, client), open_editor(daniel, client)
    send(daniel, client, daniels_form, phone="daniel's")

    answer = send(amelia, client, amelias_form, phone="amelia's", town="Wells")

    assert answer.status_code == 409
    assert stored(client) == {"phone": "daniel's", "town": "Bath", "notes": "as it was", "version": 2}
    assert client.updated_by == cast.daniel.id


def test_the_409_shows_what_was_typed_beside_what_is_there_who_changed_it_and_when(
    visit: Visit, cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    amelia, daniel = visit(cast.amelia), visit(cast.daniel)
    form = open_editor(amelia, client)
    at = datetime(2026, 11, 22, 10, 42, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: at)
    send(daniel, client, open_editor(daniel, client), phone="daniel's", next_review_on="2026-12-08")
    monkeypatch.setattr(clock, "now", lambda: at + timedelta(minutes=2))

    answer = send(amelia, client, form, phone="amelia's", status="dormant")

    words = text_of(answer)
    assert "Daniel Okafor saved Whitmore Family before you" in words
    assert "2 minutes ago (22 Nov 2026, 10:42)" in words
    assert "3 fields differ" in words
    assert "Phone Saved now by Daniel Okafor daniel's Yours amelia's" in words
    assert "Status Saved now by Daniel Okafor Active Yours Dormant" in words
    assert "Next review Saved now by Daniel Okafor 8 Dec 2026 Yours empty" in words
    assert "none of them is lost" in words
    assert f"/clients/{client.id}" in links_of(answer)


def test_the_409_keeps_everything_that_was_typed(visit: Visit, cast: Cast, client: Client) -> None:
    amelia, daniel = visit(cast.amelia), visit(cast.daniel)
    form = open_editor(amelia, client)
    send(daniel, client, open_editor(daniel, client), phone="daniel's")
    typed = {
        "phone": "amelia's",
        "town": "Wells & <b>",
        "notes": "line one\r\n\r\nline two",
        "client_since": "2020-02-29",
    }

    answer = send(amelia, client, form, **typed)

    assert {name: form_of(answer)[name] for name in typed} == typed
    assert "<b>" not in answer.text.split("Your values")[1].replace("<b>Your changes", "")


def test_saving_again_from_the_409_is_knowingly_on_top(visit: Visit, cast: Cast, client: Client) -> None:
    amelia, daniel = visit(cast.amelia), visit(cast.daniel)
    form = open_editor(amelia, client)
    send(daniel, client, open_editor(daniel, client), phone="daniel's")
    conflict = send(amelia, client, form, phone="amelia's")

    answer = amelia.post(f"/clients/{client.id}/edit", data=form_of(conflict))

    assert (answer.status_code, answer.headers["Location"]) == (302, f"/clients/{client.id}")
    assert (stored(client)["phone"], stored(client)["version"]) == ("amelia's", 3)


def test_a_third_persons_save_in_between_is_a_409_again(visit: Visit, cast: Cast, client: Client) -> None:
    amelia, daniel, ada = visit(cast.amelia), visit(cast.daniel), visit(cast.ada)
    form = open_editor(amelia, client)
    send(daniel, client, open_editor(daniel, client), phone="daniel's")
    first = send(amelia, client, form, phone="amelia's")
    send(ada, client, open_editor(ada, client), phone="ada's")

    second = amelia.post(f"/clients/{client.id}/edit", data=form_of(first))

    assert second.status_code == 409
    assert "Ada Byron saved Whitmore Family before you" in text_of(second)
    assert form_of(second)["phone"] == "amelia's"
    assert stored(client)["phone"] == "ada's"
    assert amelia.post(f"/clients/{client.id}/edit", data=form_of(second)).status_code == 302
    assert stored(client)["version"] == 4


def test_sending_the_same_stale_form_again_never_gets_through(visit: Visit, cast: Cast, client: Client) -> None:
    amelia, daniel = visit(cast.amelia), visit(cast.daniel)
    form = open_editor(amelia, client)
    send(daniel, client, open_editor(daniel, client), phone="daniel's")

    assert [send(amelia, client, form, phone="amelia's").status_code for _ in range(3)] == [409] * 3
    assert stored(client)["phone"] == "daniel's"


def test_ones_own_save_in_another_tab_is_a_conflict_too(visit: Visit, cast: Cast, client: Client) -> None:
    amelia = visit(cast.amelia)
    form = open_editor(amelia, client)
    send(amelia, client, form, phone="first tab")

    answer = send(amelia, client, form, phone="second tab")

    assert answer.status_code == 409
    assert "You saved Whitmore Family elsewhere" in text_of(answer)


def test_going_back_and_saving_the_same_again_is_not_an_error(visit: Visit, cast: Cast, client: Client) -> None:
    """A double click, or Back and Save: what is typed is what is saved already."""
    amelia = visit(cast.amelia)
    form = open_editor(amelia, client)

    assert [send(amelia, client, form, phone="222").status_code for _ in range(2)] == [302, 302]
    assert stored(client)["version"] == 2


def test_a_conflict_with_an_import_has_no_name_to_show(visit: Visit, cast: Cast, client: Client) -> None:
    amelia = visit(cast.amelia)
    form = open_editor(amelia, client)
    db.session.execute(text("UPDATE clients SET version = version + 1, phone = 'imported', updated_by = NULL"))
    db.session.commit()

    answer = send(amelia, client, form, phone="amelia's")

    assert answer.status_code == 409
    assert "Somebody saved Whitmore Family before you" in text_of(answer)


def test_a_version_from_the_future_is_stale_too(visit: Visit, cast: Cast, client: Client) -> None:
    amelia = visit(cast.amelia)

    assert send(amelia, client, open_editor(amelia, client), version="7", phone="x").status_code == 409
    assert stored(client)["phone"] == "111"


def test_errors_are_mended_before_the_version_is_looked_at(visit: Visit, cast: Cast, client: Client) -> None:
    """And mending them does not lift the guard."""
    amelia, daniel = visit(cast.amelia), visit(cast.daniel)
    form = open_editor(amelia, client)
    send(daniel, client, open_editor(daniel, client), phone="daniel's")

    wrong = send(amelia, client, form, phone="0" * 50)
    assert wrong.status_code == 422
    assert send(amelia, client, form_of(wrong), phone="amelia's").status_code == 409


def test_a_client_deleted_meanwhile_is_404(visit: Visit, cast: Cast, client: Client) -> None:
    amelia = visit(cast.amelia)
    form, path = open_editor(amelia, client), f"/clients/{client.id}/edit"
    db.session.delete(client)
    db.session.commit()

    assert amelia.post(path, data={**form, "phone": "x"}).status_code == 404


def test_a_conflict_can_be_looked_at_when_the_others_adviser_is_unknown_to_the_form(
    visit: Visit, cast: Cast, client: Client
) -> None:
    """The other save gave the client to somebody who was offered since."""
    amelia = visit(cast.amelia)
    form = open_editor(amelia, client)
    newcomer = make_profile("Zoe", "Hall", "reader")
    db.session.execute(
        text("UPDATE clients SET version = 2, adviser_id = :id, updated_by = :by"),
        {"id": newcomer.id, "by": cast.ada.id},
    )
    db.session.commit()

    answer = send(amelia, client, form, phone="x")

    assert answer.status_code == 409
    assert "Adviser Saved now by Ada Byron Zoe Hall Yours Nobody" in text_of(answer)


def test_of_sixteen_saves_from_one_version_exactly_one_wins(visit: Visit, cast: Cast, client: Client) -> None:
    """With real threads, connections and commits."""
    crowd = [visit(make_profile(f"Writer{number:02}", "Crowd")).with_token() for number in range(16)]
    forms = [open_editor(writer, client) for writer in crowd]
    client_id, start = client.id, Barrier(16)

    def save(number: int) -> tuple[int, str]:
        start.wait(10)
        phone = f"{number:02}"
        answer = crowd[number].post(f"/clients/{client_id}/edit", data={**forms[number], "phone": phone})
        return answer.status_code, phone

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(save, range(16)))

    winners = [phone for status, phone in outcomes if status == 302]
    assert sorted(status for status, _ in outcomes) == [302] + [409] * 15
    assert (stored(client)["phone"], stored(client)["version"]) == (winners[0], 2)


def test_of_many_saves_over_each_other_every_accepted_one_is_one_version(
    visit: Visit, cast: Cast, client: Client
) -> None:
    """Each of eight people saves five times, on top of whatever is there: versions have no gap and no double."""
    crowd = [visit(make_profile(f"Writer{number:02}", "Crowd")).with_token() for number in range(8)]
    client_id, start = client.id, Barrier(8)

    def save_five_times(number: int) -> int:
        start.wait(10)
        accepted = 0
        form = form_of(crowd[number].get(f"/clients/{client_id}/edit"))
        while accepted < 5:
            form["phone"] = f"{number}-{accepted}"
            answer = crowd[number].post(f"/clients/{client_id}/edit", data=form)
            accepted += answer.status_code == 302
            page = crowd[number].get(f"/clients/{client_id}/edit") if answer.status_code == 302 else answer
            form = form_of(page)
        return accepted

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(save_five_times, range(8))) == 40

    assert stored(client)["version"] == 41


def test_dates_of_the_past_and_the_future_are_shown_as_people_write_them(
    visit: Visit, cast: Cast, client: Client
) -> None:
    amelia, daniel = visit(cast.amelia), visit(cast.daniel)
    form = open_editor(amelia, client)
    send(daniel, client, open_editor(daniel, client), client_since="1999-01-02")

    answer = send(amelia, client, form, client_since=date(2001, 2, 3).isoformat())

    assert "Client since Saved now by Daniel Okafor 2 Jan 1999 Yours 3 Feb 2001" in text_of(answer)
