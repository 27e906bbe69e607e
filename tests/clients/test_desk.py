"""The desk: what colleagues work on, and what waits for the user."""

import re
from datetime import date, timedelta

import pytest

from portal import clock
from portal.auth import Profile
from portal.clients import Client, ClientGrant
from portal.clients.desk import queries
from portal.editing.drafts import store
from portal.editing.drafts.store import DraftKey, DraftPayload
from portal.extensions import db
from portal.notifications.kinds import Kind, mention_subject
from portal.notifications.models import Notification
from tests.support.cast import Cast, make_profile
from tests.support.edits import save_for
from tests.support.factories import make_client, make_person, make_product
from tests.support.html import links_of, text_of
from tests.support.postgres_proxy import Wiretap, work_in
from tests.support.test_client import Visitor
from tests.support.time_travel import let_pass
from tests.support.visits import record_visit

Visit = type[Visitor]
TODAY = date(2026, 11, 22)


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "today", lambda: TODAY)


def part(browser: Visitor, name: str) -> str:
    """Return the HTML of one part of the desk."""
    response = browser.get("/")
    assert response.status_code == 200
    return response.text.partition(f'data-live="{name}"')[2].partition("</section>")[0]


def keep_draft(profile: Profile, client: Client, form: str, draft_id: str = "a") -> None:
    key = DraftKey(profile.id, f"client-{client.id}", form)
    store.save(key, draft_id, DraftPayload(1, "", {"phone": "SECRET"}))
    db.session.commit()


def mention(client: Client, by: Profile, reader: Profile, note_id: int = 12) -> None:
    subject = mention_subject(note_id)
    values = {"profile_id": reader.id, "client_id": client.id, "actor_id": by.id}
    db.session.add(Notification(kind=Kind.MENTIONED, subject=subject, **values))
    db.session.commit()


def test_empty_parts_say_what_they_are_for_and_lead_on(amelia: Visitor) -> None:
    for name, words in {
        "in-use": "No colleague has a client open.",
        "reviews": "No review is due within 30 days.",
        "desk-drafts": "Nothing is unsaved.",
        "mentions": "No note mentions you.",
        "recent": "You have opened no client yet.",
    }.items():
        empty = part(amelia, name)
        assert words in empty
        assert 'href="/clients' in empty


def test_navigation_and_sign_in_lead_to_the_desk(amelia: Visitor) -> None:
    assert '<a href="/" aria-current="page">My desk</a>' in amelia.get("/").text
    assert '<a href="/" >My desk</a>' in amelia.get("/clients").text
    assert amelia.get("/sign-in").location == "/"
    assert amelia.get("/sign-in?next=/clients/7").location == "/clients/7"


@pytest.mark.statements
def test_clients_in_use_name_who_does_what_there(amelia: Visitor, visit: Visit, cast: Cast) -> None:
    busy, quiet = make_client("Busy Bell"), make_client("Quiet Cook")
    visit(cast.daniel).beat(f"client-{busy.id}", activity="editing", fields=["Phone"], focus="Phone")
    visit(cast.ada).beat(f"client-{busy.id}", visible=False)
    amelia.beat(f"client-{quiet.id}")

    shown = part(amelia, "in-use")

    assert "Daniel is editing Phone · Ada is away" in shown
    assert f'href="/clients/{busy.id}"' in shown
    assert "Quiet Cook" not in shown
    let_pass(121)
    assert "Busy Bell" not in part(amelia, "in-use")


def test_twenty_clients_in_use_are_shown_the_last_arrival_first(amelia: Visitor, visit: Visit, cast: Cast) -> None:
    daniel = visit(cast.daniel)
    clients = [make_client(f"Busy {number}") for number in range(22)]
    for client in clients:
        daniel.beat(f"client-{client.id}")
    daniel.beat(f"client-{clients[5].id}")  # a heartbeat is no arrival

    shown = [client.name for client in queries.clients_in_use(cast.amelia)]

    assert shown == [f"Busy {number}" for number in range(21, 1, -1)]


@pytest.mark.statements
def test_reviews_are_those_of_own_active_clients_within_thirty_days(amelia: Visitor, cast: Cast) -> None:
    def due(name: str, days: int, profile: Profile = cast.amelia, **values: str) -> None:
        make_client(name, adviser_id=profile.id, next_review_on=TODAY + timedelta(days=days), **values)

    for name, days in {"Today": 0, "Late": -3, "Soon": 30, "Later": 31}.items():
        due(name, days)
    due("Dormant", 1, status="dormant")
    due("Daniels", 1, cast.daniel)

    reviews = queries.reviews_of(cast.amelia, TODAY)

    assert [row.name for row in reviews.rows] == ["Late", "Today", "Soon"]
    assert (reviews.overdue_count, reviews.due_count) == (1, 2)
    shown = part(amelia, "reviews")
    assert "1 overdue" in shown
    assert "2 due within 30 days" in shown
    assert "3 days overdue" in shown


def test_reviews_beyond_ten_are_counted(amelia: Visitor, cast: Cast) -> None:
    for number in range(12):
        make_client(f"Late {number}", adviser_id=cast.amelia.id, next_review_on=TODAY - timedelta(days=1))

    reviews = queries.reviews_of(cast.amelia, TODAY)
    assert (len(reviews.rows), reviews.overdue_count, reviews.due_count) == (10, 12, 0)


@pytest.mark.statements
def test_drafts_name_what_they_edit_and_lead_to_its_editor(amelia: Visitor, cast: Cast) -> None:
    bell, cook = make_client("Bell Family"), make_client("Cook Trust")
    ruth = make_person(bell, "Ruth", "Bell")
    isa = make_product(cook, plan_number="A1")
    keep_draft(cast.amelia, bell, "record", "one")
    keep_draft(cast.amelia, bell, f"person/{ruth.id}", "two")
    keep_draft(cast.amelia, cook, f"valuation/new/{isa.id}", "three")
    keep_draft(cast.amelia, cook, f"person/{ruth.id}", "four")  # a person of another client is not named
    keep_draft(cast.daniel, cook, "record", "five")

    shown = part(amelia, "desk-drafts")

    for words in (
        "Continue this record",
        "Continue Ruth Bell",
        "Continue a new valuation of ISA A1",
        "Continue a person",
    ):
        assert words in shown
    assert shown.count("Ruth Bell") == 1
    assert f"/clients/{bell.id}/edit?draft=one" in shown
    assert f"/clients/{bell.id}/person/{ruth.id}/edit?draft=two" in shown
    assert "five" not in shown
    assert "SECRET" not in shown


def test_reader_has_no_drafts(visit: Visit, cast: Cast) -> None:
    keep_draft(cast.rhys, make_client(), "record")

    assert "Nothing is unsaved." in part(visit(cast.rhys), "desk-drafts")


@pytest.mark.statements
def test_mentions_lead_to_the_note(amelia: Visitor, cast: Cast) -> None:
    client = make_client("Bell Family")
    mention(client, cast.daniel, cast.amelia)
    mention(client, cast.amelia, cast.daniel, 13)

    shown = part(amelia, "mentions")

    assert "Daniel mentioned you" in shown
    assert ">New<" in shown
    [link] = re.findall('href="(/notifications/[0-9]+)"', shown)
    assert amelia.get(link).headers["Location"].endswith(f"/clients/{client.id}#note-12")
    assert ">New<" not in part(amelia, "mentions")


@pytest.mark.statements
def test_recent_clients_are_marked_if_others_have_changed_them(amelia: Visitor, cast: Cast) -> None:
    client = make_client("Bell Family")
    record_visit(amelia, client, 1)
    assert "Bell Family" in part(amelia, "recent")
    assert ">Changed<" not in part(amelia, "recent")

    save_for(cast.daniel, client, phone="222")

    assert ">Changed<" in part(amelia, "recent")


def test_restricted_client_leaves_no_trace_on_the_desk_without_access(visit: Visit, cast: Cast) -> None:
    hidden = make_client("Hidden Hall", adviser_id=cast.amelia.id)
    daniel, rhys = visit(cast.daniel), visit(cast.rhys)
    for browser in (daniel, rhys):
        record_visit(browser, hidden, 1)
    visit(cast.amelia).beat(f"client-{hidden.id}", activity="editing")
    for reader in (cast.daniel, cast.rhys):
        keep_draft(reader, hidden, "record")
        mention(hidden, cast.amelia, reader)
    assert daniel.get("/").text.count("Hidden Hall") == 4
    hidden.is_restricted = True
    db.session.commit()

    for browser in (daniel, rhys):
        page = browser.get("/")
        assert "Hidden" not in page.text
        assert f"/clients/{hidden.id}" not in "".join(links_of(page))
    assert "Hidden Hall" in visit(cast.ada).get("/").text
    db.session.add(ClientGrant(client_id=hidden.id, profile_id=cast.rhys.id))
    db.session.commit()
    assert rhys.get("/").text.count("Hidden Hall") == 3  # in use, mentions and recent: a reader has no drafts


def test_names_on_the_desk_are_data(amelia: Visitor, visit: Visit, cast: Cast) -> None:
    client = make_client("<b>Bell")
    zoe = make_profile("<i>Zoe", "Hall")
    visit(zoe).beat(f"client-{client.id}", activity="editing", focus="<u>Phone")
    mention(client, zoe, cast.amelia)

    page = amelia.get("/").text
    assert "<b>Bell" not in page
    assert "<i>Zoe" not in page
    assert "&lt;i&gt;Zoe is editing &lt;u&gt;Phone" in page


@pytest.mark.statements
def test_desk_takes_at_most_eight_statements(tapped_visit: Visit, cast: Cast, wiretap: Wiretap) -> None:
    amelia = tapped_visit(cast.amelia).with_token()
    for number in range(12):
        client = make_client(f"Client {number}", adviser_id=cast.amelia.id, next_review_on=TODAY)
        record_visit(amelia, client, 1)
        person = make_person(client)
        keep_draft(cast.amelia, client, f"person/{person.id}")
        mention(client, cast.daniel, cast.amelia, number + 1)
        tapped_visit(cast.daniel).beat(f"client-{client.id}")

    with wiretap.listening() as heard:
        assert "12 due within" in text_of(amelia.get("/"))

    assert len(work_in(heard)) <= 8, heard
