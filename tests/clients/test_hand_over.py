"""Hand over a client book in the browser: preview, steps of one change for each client, result."""

import re

import pytest
from flask import Flask
from sqlalchemy import select, text

from portal.audit import AuditEvent
from portal.clients import Client
from portal.clients.sharing import hand_over_views
from portal.extensions import db
from tests.clients.conftest import history_of
from tests.support.cast import PASSWORD, Cast
from tests.support.edits import save_for
from tests.support.factories import make_client
from tests.support.html import errors_of, form_of, links_of, text_of
from tests.support.test_client import Visitor

Visit = type[Visitor]


@pytest.fixture
def path(cast: Cast) -> str:
    return f"/users/{cast.daniel.id}/hand-over"


@pytest.fixture
def book(cast: Cast) -> list[Client]:
    return [make_client(name, adviser_id=cast.daniel.id, is_restricted=name == "Two") for name in ("One", "Two")]


@pytest.fixture
def one_client_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hand_over_views, "STEP_SECONDS", -1)


def opened(ada: Visitor, path: str, cast: Cast) -> dict[str, str]:
    """Return the form as Ada would send it, to hand the clients over to Amelia."""
    form = {**form_of(ada.get(path)), "to": str(cast.amelia.id), "current_password": PASSWORD}
    return {name: value for name, value in form.items() if name != "deactivate"}


def advisers(book: list[Client]) -> list[int | None]:
    db.session.rollback()
    return [db.session.get_one(Client, client.id, populate_existing=True).adviser_id for client in book]


def audited(actor_id: int | None) -> list[tuple[str, int | None, dict[str, object]]]:
    events = select(AuditEvent).where(AuditEvent.actor_id.is_not_distinct_from(actor_id)).order_by(AuditEvent.id)
    return [(event.event, event.profile_id, event.about) for event in db.session.scalars(events)]


def test_preview_names_the_clients_and_changes_nothing(ada: Visitor, path: str, book: list[Client], cast: Cast) -> None:
    make_client("Other", adviser_id=cast.amelia.id)
    assert path in links_of(ada.get(f"/users/{cast.daniel.id}"))

    page = text_of(ada.get(path))

    assert "2 clients" in page
    assert "One" in page
    assert "Two" in page
    assert "Other" not in page
    assert advisers(book) == [cast.daniel.id, cast.daniel.id]


@pytest.mark.usefixtures("one_client_a_step")
def test_each_step_changes_one_client_in_its_history(ada: Visitor, path: str, book: list[Client], cast: Cast) -> None:
    begun = ada.post(path, data=opened(ada, path, cast))
    assert "0 of 2 clients of Daniel Okafor to Amelia Hart" in text_of(begun)
    assert advisers(book) == [cast.daniel.id, cast.daniel.id]

    first = ada.post(f"{path}/step", data=form_of(begun))
    assert "1 of 2 clients" in text_of(first)
    assert advisers(book) == [cast.amelia.id, cast.daniel.id]
    second = ada.post(f"{path}/step", data=form_of(first))
    result = ada.post(f"{path}/step", data=form_of(second))

    assert "2 clients are handed over" in text_of(result)
    assert advisers(book) == [cast.amelia.id, cast.amelia.id]
    for client in book:
        [revision] = history_of(client)
        assert (revision.version, revision.source, revision.changed_by) == (2, "form", cast.ada.id)
        assert revision.changes == {"adviser_id": [cast.daniel.id, cast.amelia.id]}


@pytest.mark.usefixtures("one_client_a_step")
def test_new_adviser_is_notified_once_of_all_clients_which_leads_to_the_list(
    ada: Visitor, path: str, book: list[Client], cast: Cast, visit: Visit
) -> None:
    """The number is right after each step, and the notification names no client that Amelia may lose again."""
    page, amelia = ada.post(path, data=opened(ada, path, cast)), visit(cast.amelia)
    for said in ("Ada Byron handed 1 client to you", "Ada Byron handed 2 clients to you"):
        page = ada.post(f"{path}/step", data=form_of(page))
        notifications = amelia.get("/notifications")
        assert said in text_of(notifications)
        assert notifications.text.count('class="unread"') == 1
    assert all(client.name not in text_of(notifications) for client in book)
    [link] = [link for link in links_of(notifications) if re.fullmatch(r"/notifications/\d+", link)]
    assert amelia.get(link).location == "/clients?view=mine"
    assert 'class="unread"' not in amelia.get("/notifications").text


def test_hand_over_of_one_client_names_it_and_leads_to_it(ada: Visitor, path: str, cast: Cast, visit: Visit) -> None:
    client, amelia = make_client("Alone", adviser_id=cast.daniel.id), visit(cast.amelia)
    ada.post(f"{path}/step", data=form_of(ada.post(path, data=opened(ada, path, cast))))
    assert "handed this client over to you Alone" in text_of(amelia.get("/notifications"))
    save_for(cast.amelia, client, adviser_id=cast.daniel.id, is_restricted=True)
    assert "Alone" not in text_of(amelia.get("/notifications"))


def test_command_notifies_the_new_adviser_once(app: Flask, book: list[Client], cast: Cast, visit: Visit) -> None:
    app.test_cli_runner().invoke(args=["clients", "reassign", cast.daniel.email, cast.amelia.email])
    assert "2 clients were handed to you" in text_of(visit(cast.amelia).get("/notifications"))


def test_audit_equals_that_of_the_command(app: Flask, ada: Visitor, path: str, book: list[Client], cast: Cast) -> None:
    ada.post(f"{path}/step", data=form_of(ada.post(path, data=opened(ada, path, cast))))
    in_browser = audited(cast.ada.id)
    back = [cast.amelia.email, cast.daniel.email]
    app.test_cli_runner().invoke(args=["clients", "reassign", *back])
    app.test_cli_runner().invoke(args=["clients", "reassign", *reversed(back)])

    by_command = audited(None)[-2:]
    assert [event[:2] for event in in_browser] == [event[:2] for event in by_command]
    assert [event[:2] for event in in_browser] == [("access_lost", cast.daniel.id), ("access_gained", cast.amelia.id)]
    assert in_browser[0][2] == {"client_id": book[1].id, "version": 2}


def test_user_is_deactivated_before_the_first_client_changes(
    ada: Visitor, visit: Visit, path: str, book: list[Client], cast: Cast
) -> None:
    daniel = visit(cast.daniel)
    begun = ada.post(path, data={**opened(ada, path, cast), "deactivate": "y"})

    assert daniel.get("/clients").status_code == 302
    assert audited(cast.ada.id) == [("profile_deactivated", cast.daniel.id, {})]
    assert advisers(book) == [cast.daniel.id, cast.daniel.id]
    ada.post(f"{path}/step", data=form_of(begun))
    assert advisers(book) == [cast.amelia.id, cast.amelia.id]


def test_own_account_is_not_deactivated(ada: Visitor, cast: Cast) -> None:
    client, path = make_client(adviser_id=cast.ada.id), f"/users/{cast.ada.id}/hand-over"

    assert ada.post(path, data={**opened(ada, path, cast), "deactivate": "y"}).status_code == 403
    assert advisers([client]) == [cast.ada.id]
    assert cast.ada.is_active


@pytest.mark.parametrize("password", ["", "wrong"])
def test_wrong_password_starts_nothing(ada: Visitor, path: str, book: list[Client], cast: Cast, password: str) -> None:
    answer = ada.post(path, data={**opened(ada, path, cast), "current_password": password, "deactivate": "y"})

    assert answer.status_code == 422
    assert set(errors_of(answer)) == {"current_password"}
    assert cast.daniel.is_active


def test_clients_that_changed_since_the_preview_are_shown_again(
    ada: Visitor, path: str, book: list[Client], cast: Cast
) -> None:
    form = opened(ada, path, cast)
    late = make_client("Late", adviser_id=cast.daniel.id)

    answer = ada.post(path, data={**form, "deactivate": "y"})

    assert answer.status_code == 409
    assert "The clients have changed since this page was opened." in text_of(answer)
    assert "Late" in text_of(answer)
    assert cast.daniel.is_active
    ada.post(f"{path}/step", data=form_of(ada.post(path, data=opened(ada, path, cast))))
    assert advisers([late]) == [cast.amelia.id]


def test_new_adviser_must_be_active_and_may_not_be_the_old_one(
    ada: Visitor, path: str, book: list[Client], cast: Cast
) -> None:
    form = opened(ada, path, cast)
    for profile in (cast.daniel, cast.olga, cast.rhys):
        assert ada.post(path, data={**form, "to": str(profile.id)}).status_code == 422
    begun = form_of(ada.post(path, data=form))
    cast.amelia.is_active = False
    db.session.commit()

    assert ada.post(f"{path}/step", data=begun).status_code == 422
    assert advisers(book) == [cast.daniel.id, cast.daniel.id]


@pytest.mark.usefixtures("one_client_a_step")
def test_client_with_another_adviser_by_now_is_left_alone(
    ada: Visitor, path: str, book: list[Client], cast: Cast
) -> None:
    state = form_of(ada.post(path, data=opened(ada, path, cast)))
    save_for(cast.daniel, book[1], adviser_id=cast.ada.id)
    first = ada.post(f"{path}/step", data=state)

    result = ada.post(f"{path}/step", data=form_of(first))

    assert "1 client is handed over" in text_of(result)
    assert advisers(book) == [cast.amelia.id, cast.ada.id]


def test_locked_client_is_listed_with_the_reason_and_can_be_tried_again(
    ada: Visitor, path: str, book: list[Client], cast: Cast
) -> None:
    state = form_of(ada.post(path, data=opened(ada, path, cast)))
    with db.engine.begin() as connection:
        connection.execute(text("SELECT FROM clients WHERE name = 'One' FOR NO KEY UPDATE"))
        step = ada.post(f"{path}/step", data=state)  # which ends after the wait for the lock
    assert "1 of 2 clients of Daniel Okafor to Amelia Hart, 1 not changed" in text_of(step)
    result = ada.post(f"{path}/step", data=form_of(step))

    assert "1 client is handed over" in text_of(result)
    assert "1 client was not handed over." in text_of(result)
    assert "Another user was saving it at that moment." in text_of(result)
    assert f"/clients/{book[0].id}" in links_of(result)
    assert advisers(book) == [cast.daniel.id, cast.amelia.id]
    ada.post(f"{path}/step", data=form_of(ada.post(path, data=opened(ada, path, cast))))
    assert advisers(book) == [cast.amelia.id, cast.amelia.id]


def test_step_needs_the_state_of_this_session_and_user(
    ada: Visitor, visit: Visit, path: str, book: list[Client], cast: Cast
) -> None:
    state = form_of(ada.post(path, data=opened(ada, path, cast)))["state"]
    other = f"/users/{cast.amelia.id}/hand-over/step"

    assert visit(cast.ada).post(f"{path}/step", data={"state": state}).status_code == 403
    assert ada.post(other, data={"state": state}).status_code == 403
    assert ada.post(f"{path}/step", data={"state": f"{state}x"}).status_code == 403
    assert advisers(book) == [cast.daniel.id, cast.daniel.id]


def test_preview_of_a_user_without_clients_says_so(ada: Visitor, path: str, cast: Cast) -> None:
    assert "Daniel Okafor is not the adviser of any client." in text_of(ada.get(path))
