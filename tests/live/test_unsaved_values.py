"""Share unsaved values among the editors of the same form, and with no other user (ARCHITECTURE.md, Unsaved values)."""

import json
from typing import Any, NamedTuple

import pytest
from flask import Flask

from portal.auth import Profile
from portal.clients import Client, ClientGrant
from portal.extensions import LIVE_BIND, db
from portal.live import broadcast, schedule
from portal.presence import live_sql
from portal.presence.prepared import prepare
from portal.presence.shared_drafts_sql import MAX_EDITORS_PER_FORM, MAX_SHARED_DRAFT_BYTES
from tests.live.conftest import Listen, run_sql
from tests.support.cast import Cast, make_profile
from tests.support.notifications import NotificationListener
from tests.support.postgres_proxy import Wiretap
from tests.support.sse_reader import EventReader
from tests.support.test_client import Visitor

Visit = type[Visitor]
PHONE = "0113 496 0712"


class Editor(NamedTuple):
    """One user with an open editor of the page: a tab that has sent a heartbeat."""

    visitor: Visitor
    page: str
    form: str = "record"
    tab: str = "tab"

    def beat(self, **members: Any) -> Any:
        state = {"activity": "editing", "form": self.form, "draft": f"draft-{self.tab}", **members}
        return self.visitor.beat(self.page, tab_id=self.tab, **state)

    def type(self, **values: str) -> None:
        path = f"/edit_drafts/{self.page}?form={self.form}&draft=draft-{self.tab}"
        response = self.visitor.call("PUT", path, json={"version": 1, "values": values})
        assert response.status_code == 200, response.text

    def shared(self) -> list[dict[str, Any]]:
        response = self.visitor.get(f"/user_page_presence/{self.page}/drafts")
        assert response.status_code == 200
        return [{"form": draft["form"], "values": draft["values"]} for draft in response.json["drafts"]]


@pytest.fixture
def edit(visit: Visit, page_identifier: str) -> Any:
    """`edit(profile)` opens an editor of the page."""

    def open_editor(profile: Profile, form: str = "record", tab: str = "tab") -> Editor:
        editor = Editor(visit(profile).with_token(), page_identifier, form, tab)
        assert editor.beat().status_code == 200
        return editor

    return open_editor


@pytest.fixture
def daniel(edit: Any, cast: Cast) -> Editor:
    return edit(cast.daniel)


@pytest.fixture
def amelia(edit: Any, cast: Cast) -> Editor:
    return edit(cast.amelia)


@pytest.fixture
def amelia_events(amelia: Editor, daniel: Editor, listen: Listen) -> EventReader:
    """Amelia's stream while Daniel edits the same form, after its first roster and its first, empty state."""
    events = listen(amelia.visitor, amelia.page)
    events.names()
    assert values_in(events) == []
    return events


def next_drafts(events: EventReader) -> dict[str, Any]:
    """Return the data of the next `drafts` event."""
    while (event := events.next()) is not None:
        if event.name == "drafts":
            data: dict[str, Any] = event.data
            return data
    raise AssertionError("the stream has ended")


def values_in(events: EventReader) -> list[dict[str, str]]:
    """Return the values in the next `drafts` event."""
    return [draft["values"] for draft in next_drafts(events)["drafts"]]


def test_kept_draft_reaches_the_other_editor_of_the_form(
    daniel: Editor, cast: Cast, amelia: Editor, amelia_events: EventReader
) -> None:
    daniel.type(phone=PHONE, **{"aside-notes": "Set aside"})

    event = amelia_events.next()

    assert event is not None
    assert event.name == "drafts"
    [draft] = event.data["drafts"]
    assert draft.pop("updated_at")
    assert event.data["read_at"] > 0
    values = {"phone": PHONE}
    assert draft == {"form": "record", "user": cast.daniel.id, "values": values, "version": 1, "seen": ""}
    assert amelia.shared() == [{"form": "record", "values": {"phone": PHONE}}]


def test_editor_of_one_card_and_editor_of_the_record_see_each_other(
    daniel: Editor, amelia: Editor, listener: NotificationListener
) -> None:
    listener.received()
    path = f"/edit_drafts/{daniel.page}?form=record/contact&draft=draft-tab"

    assert daniel.visitor.call("PUT", path, json={"version": 1, "values": {"phone": PHONE}}).status_code == 200

    assert [notice.event for notice in listener.received()] == ["drafts"]
    assert amelia.shared() == [{"form": "record", "values": {"phone": PHONE}}]


def test_stream_that_opens_later_starts_with_the_values(daniel: Editor, amelia: Editor, listen: Listen) -> None:
    daniel.type(phone=PHONE)

    assert values_in(listen(amelia.visitor, amelia.page)) == [{"phone": PHONE}]


def test_stream_of_an_editor_that_reconnects_starts_with_the_state_even_if_it_is_empty(
    daniel: Editor, amelia: Editor, amelia_events: EventReader, listen: Listen
) -> None:
    """The page would go on showing a value that was saved or discarded while its connection was broken."""
    daniel.type(phone=PHONE)
    assert values_in(amelia_events) == [{"phone": PHONE}]
    amelia_events.close()
    daniel.type()

    assert values_in(listen(amelia.visitor, amelia.page)) == []


@pytest.mark.parametrize("who", ["reader", "viewer", "editor of another form", "page of the release before"])
def test_user_without_the_form_open_for_a_change_receives_no_value(
    visit: Visit, cast: Cast, daniel: Editor, amelia: Editor, page_identifier: str, listen: Listen, who: str
) -> None:
    profile = cast.rhys if who == "reader" else cast.ada
    state = {"reader": {"form": "record"}, "editor of another form": {"form": "person/new"}}.get(who, {})
    other = visit(profile).with_token()
    activity = "viewing" if who == "viewer" else "editing"
    assert other.beat(page_identifier, tab_id="tab", activity=activity, **state).status_code == 200
    events, amelias = listen(other, page_identifier), listen(amelia.visitor, page_identifier)
    events.names()
    assert values_in(amelias) == []

    daniel.type(phone=PHONE)
    assert values_in(amelias) == [{"phone": PHONE}]
    daniel.beat(fields=["Phone"])

    while (event := events.next()) is not None and event.name == "drafts":
        assert event.data["drafts"] == []
    assert event is not None
    assert event.name == "roster"
    assert PHONE not in json.dumps(event.data)
    assert other.get(f"/user_page_presence/{page_identifier}/drafts").json["drafts"] == []


def test_values_are_refused_without_a_session_and_for_a_hidden_client(
    visit: Visit, cast: Cast, client: Client, page_identifier: str
) -> None:
    client.is_restricted = True
    db.session.commit()
    path = f"/user_page_presence/{page_identifier}/drafts"

    assert visit(None).get(path).status_code == 401
    assert visit(cast.daniel).get(path).status_code == 404


@pytest.mark.parametrize("how", ["saved", "saved without a change", "discarded", "emptied", "left", "signed out"])
def test_value_disappears_at_once_when_its_owner_is_done(
    daniel: Editor, cast: Cast, client: Client, amelia: Editor, amelia_events: EventReader, how: str
) -> None:
    daniel.type(phone=PHONE)
    assert values_in(amelia_events) == [{"phone": PHONE}]
    saved = {"version": "1", "name": client.name, "client_type": "family", "status": "active", "draft": "draft-tab"}

    if how.startswith("saved"):
        changed = {"phone": PHONE} if how == "saved" else {}
        response = daniel.visitor.post(f"/clients/{client.id}/edit", data={**saved, **changed})
        assert response.status_code == 302
    elif how == "discarded":
        daniel.visitor.delete(f"/edit_drafts/{daniel.page}?form=record&draft=draft-tab")
    elif how == "emptied":
        daniel.type()
    elif how == "left":
        daniel.visitor.leave(daniel.page, "tab")
    else:
        daniel.visitor.post("/sign-out")

    assert values_in(amelia_events) == []
    assert amelia.shared() == []


def test_value_disappears_when_its_owner_loses_the_permission(
    visit: Visit, cast: Cast, client: Client, daniel: Editor, amelia_events: EventReader
) -> None:
    daniel.type(phone=PHONE)
    assert values_in(amelia_events) == [{"phone": PHONE}]

    restricted = {"version": "1", "is_restricted": "yes"}
    assert visit(cast.amelia).post(f"/clients/{client.id}/access", data=restricted).status_code == 302

    assert values_in(amelia_events) == []


def test_stream_that_closes_its_editor_is_sent_an_empty_state(
    daniel: Editor, amelia: Editor, amelia_events: EventReader
) -> None:
    daniel.type(phone=PHONE)
    assert values_in(amelia_events) == [{"phone": PHONE}]

    amelia.visitor.beat(amelia.page, tab_id="tab")  # the same tab, without a form

    assert values_in(amelia_events) == []
    daniel.type(phone=PHONE + "1")
    daniel.beat(fields=["Phone"])
    event = amelia_events.next()
    assert event is not None
    assert event.name == "roster"


def test_draft_of_an_earlier_opening_is_not_shared(daniel: Editor, amelia: Editor) -> None:
    """It waits for its owner's decision, and its tab is closed."""
    daniel.type(phone=PHONE)
    daniel.visitor.leave(daniel.page, "tab")
    Editor(daniel.visitor, daniel.page, tab="other").beat()

    assert amelia.shared() == []


def test_value_of_a_crashed_browser_disappears(
    cast: Cast, daniel: Editor, amelia: Editor, amelia_events: EventReader
) -> None:
    daniel.type(phone=PHONE)
    assert values_in(amelia_events) == [{"phone": PHONE}]
    run_sql(
        "UPDATE user_page_presence SET last_seen = last_seen - interval '3 minutes',"
        " tabs = jsonb_set(tabs, '{tab,at}', to_jsonb((tabs -> 'tab' ->> 'at')::float8 - 180)) WHERE user_id = :id",
        id=cast.daniel.id,
    )

    amelia.beat(fields=["Town"])  # a reading of the page: without it, the next one comes by itself

    assert values_in(amelia_events) == []


def test_user_who_hides_unsaved_values_shares_none(
    cast: Cast, daniel: Editor, amelia: Editor, amelia_events: EventReader
) -> None:
    daniel.type(phone=PHONE)
    assert values_in(amelia_events) == [{"phone": PHONE}]

    assert daniel.visitor.post("/account/unsaved-values", data={"shows_unsaved": "no"}).status_code == 302

    assert values_in(amelia_events) == []
    daniel.type(phone=PHONE + "1")
    assert amelia.shared() == []
    assert daniel.visitor.post("/account/unsaved-values", data={"shows_unsaved": "yes"}).status_code == 302
    assert values_in(amelia_events) == [{"phone": PHONE + "1"}]


def test_draft_notifies_only_while_another_user_edits_the_form_and_never_its_value(
    daniel: Editor, edit: Any, cast: Cast, page_identifier: str, listener: NotificationListener
) -> None:
    with listener.expect_none():
        daniel.type(phone=PHONE)
        edit(cast.daniel, tab="second").type(phone=PHONE)
        listener.received()
        edit(cast.ada, form="person/new")
        listener.received()
        daniel.type(phone=PHONE + "1")
    edit(cast.amelia)
    listener.received()

    daniel.type(phone=PHONE + "2")

    assert [notice.payload() for notice in listener.received()] == [
        f'{{"event": "drafts", "page": "{page_identifier}"}}'
    ]


def test_burst_of_drafts_is_coalesced_and_one_reading_serves_all_streams(
    daniel: Editor,
    edit: Any,
    cast: Cast,
    amelia_events: EventReader,
    listen: Listen,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ada = edit(cast.ada)
    adas = listen(ada.visitor, ada.page)
    monkeypatch.setattr(schedule, "COALESCE_SECONDS", 1)
    for number in range(30):
        daniel.type(phone=f"{number}")

    last_read_at = set()
    for events in (amelia_events, adas):
        seen = [next_drafts(events)]
        while [draft["values"] for draft in seen[-1]["drafts"]] != [{"phone": "29"}]:
            seen.append(next_drafts(events))
        assert len(seen) < 10
        last_read_at.add(seen[-1]["read_at"])
    assert len(last_read_at) == 1


def test_heartbeat_without_a_stream_tells_that_values_have_changed(daniel: Editor, amelia: Editor) -> None:
    assert "drafts" not in amelia.beat().json
    daniel.type(phone=PHONE)
    first = amelia.beat().json["drafts"]
    assert first == amelia.beat().json["drafts"]
    assert PHONE not in first

    daniel.type(phone=PHONE + "1")
    assert amelia.beat().json["drafts"] != first
    assert "drafts" not in daniel.beat().json  # there are only its own
    assert "drafts" not in amelia.visitor.beat(amelia.page, tab_id="view").json

    daniel.type()
    assert "drafts" not in amelia.beat().json


def test_twenty_editors_of_a_form_are_shared_those_who_typed_last(
    visit: Visit, edit: Any, cast: Cast, amelia: Editor
) -> None:
    for number in range(MAX_EDITORS_PER_FORM + 2):
        edit(make_profile(f"Editor{number}", "Hall")).type(phone=f"{number}")

    assert sorted(int(draft["values"]["phone"]) for draft in amelia.shared()) == list(
        range(2, MAX_EDITORS_PER_FORM + 2)
    )


def test_draft_that_is_too_large_is_not_shared_and_slows_no_other(
    daniel: Editor, edit: Any, cast: Cast, amelia: Editor, amelia_events: EventReader
) -> None:
    edit(cast.ada).type(notes="x" * (MAX_SHARED_DRAFT_BYTES + 1))
    daniel.type(phone=PHONE)

    assert values_in(amelia_events) == [{"phone": PHONE}]
    assert amelia.shared() == [{"form": "record", "values": {"phone": PHONE}}]


def test_many_bytes_of_values_are_sent_less_often(
    daniel: Editor, amelia_events: EventReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last state still arrives, and rosters do not wait for it."""
    monkeypatch.setattr(broadcast, "MAX_DRAFT_BYTES_PER_SECOND", 30_000)
    daniel.type(notes="a" * 60_000)
    assert values_in(amelia_events) == [{"notes": "a" * 60_000}]

    daniel.type(notes="b")
    daniel.beat(fields=["Notes"])

    first = amelia_events.next()
    assert first is not None
    assert first.name == "roster"
    assert values_in(amelia_events) == [{"notes": "b"}]


def test_grant_that_is_revoked_ends_the_stream_of_values(
    visit: Visit, cast: Cast, client: Client, edit: Any, listen: Listen
) -> None:
    client.is_restricted, client.adviser_id = True, cast.amelia.id
    db.session.add(ClientGrant(client_id=client.id, profile_id=cast.daniel.id))
    db.session.commit()
    amelia, daniel = edit(cast.amelia), edit(cast.daniel)
    events = listen(daniel.visitor, daniel.page)
    assert values_in(events) == []
    amelia.type(phone=PHONE)
    assert values_in(events) == [{"phone": PHONE}]
    grant_id = db.session.query(ClientGrant.id).scalar()

    data = {"version": str(client.version)}
    assert amelia.visitor.post(f"/clients/{client.id}/access/{grant_id}/revoke", data=data).status_code == 302
    amelia.type(phone=PHONE + "1")

    names = []
    while (event := events.next()) is not None:
        names.append(event.name)
        assert PHONE + "1" not in json.dumps(event.data)
    assert names[-1] == "signed-out"
    assert daniel.visitor.get(f"/user_page_presence/{daniel.page}/drafts").status_code == 404


@pytest.mark.statements
def test_reading_finds_drafts_by_their_primary_key(app: Flask) -> None:
    """In the generic plan, on each version of PostgreSQL: the drafts of other pages and forms are not read."""
    engine = db.engines[LIVE_BIND]
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        prepare(raw, live_sql.pages_read())
        with raw.cursor() as cursor:
            arguments = (["client-1"], ["client"], [1], [1], ["0" * 32], ["client"], [1], 120, ["client-1"], [1])
            cursor.execute(
                f"EXPLAIN EXECUTE {live_sql.PREPARED_PAGES} (%s, %s, %s, %s, %s::uuid[], %s, %s, %s, %s, %s)", arguments
            )
            plan = "\n".join(line for (line,) in cursor.fetchall())
        connection.invalidate()

    assert "Index Scan using pk_edit_drafts on edit_drafts" in plan
    assert "Seq Scan on edit_drafts" not in plan


def test_keeping_a_draft_takes_one_statement_more_than_before(
    tapped_visit: Visit, cast: Cast, client: Client, wiretap: Wiretap
) -> None:
    """The one that notifies the other editors, if there are any. It knows no value."""
    daniel = Editor(tapped_visit(cast.daniel).with_token(), f"client-{client.id}")
    daniel.type(phone="1")

    with wiretap.listening() as statements:
        daniel.type(phone=PHONE)

    notifying = [statement for statement in statements if "pg_notify" in statement]
    assert len(notifying) == 1
    assert PHONE not in notifying[0]
    assert statements[-1] == notifying[0]


def test_requesting_the_values_takes_one_statement(
    tapped_visit: Visit, cast: Cast, client: Client, wiretap: Wiretap
) -> None:
    """It checks the sign-in session and the permission itself, as all statements of presence do."""
    amelia = Editor(tapped_visit(cast.amelia).with_token(), f"client-{client.id}")
    amelia.beat()
    amelia.shared()

    with wiretap.listening() as statements:
        assert amelia.shared() == []

    assert [statement for statement in statements if "presence_shared_drafts" not in statement] == []
    assert len(statements) == 1
