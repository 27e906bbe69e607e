"""Say on the client page what other users have changed since the reader's last visit."""

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest
from sqlalchemy import select, text

from portal.clients import Client, ClientGrant, Person, Valuation
from portal.clients.records.entries import CLIENT, PERSON, VALUATION, Entry
from portal.clients.saving import operations
from portal.extensions import db
from portal.formatting import since
from tests.clients.conftest import ClientEditor
from tests.support.cast import Cast, make_profile
from tests.support.edits import edit_from, save_for
from tests.support.factories import make_client, make_person, make_product
from tests.support.html import links_of, text_of
from tests.support.postgres_proxy import Wiretap, work_in
from tests.support.test_client import Visitor
from tests.support.visits import record_visit

Visit = type[Visitor]


@pytest.fixture
def client(cast: Cast) -> Client:
    return make_client("Whitmore Family", adviser_id=cast.amelia.id, phone="111", town="Bath")


def strip_of(browser: Visitor, client: Client, **options: object) -> str:
    """Return the text of the strip, '' if the page has none."""
    response = browser.get(f"/clients/{client.id}", **options)
    _, is_there, rest = response.text.partition('<section class="since-visit')
    if not is_there:
        assert "new-mark" not in response.text
        return ""
    words = re.sub("<[^>]*>", " ", unescape(rest.partition("</section>")[0]))
    return " ".join(words.partition(">")[2].split())


@pytest.mark.statements
def test_strip_says_what_two_colleagues_changed_and_leads_to_the_history(
    amelia: Visitor, cast: Cast, client: Client
) -> None:
    record_visit(amelia, client, 1)
    save_for(cast.daniel, client, phone="222")
    save_for(cast.ada, client, town="Wells", objectives="Retire")
    save_for(cast.daniel, client, email="a@mail.example")

    words = strip_of(amelia, client)

    assert words.startswith("3 changes since ")
    assert "Daniel changed Email and Phone; Ada changed Town and Objectives" in words
    address = f"/clients/{client.id}/history?since=1"
    page = amelia.get(f"/clients/{client.id}")
    assert address in links_of(page)
    assert page.text.count('class="new-mark"') == 4  # phone, email, address and objectives
    assert "by Daniel since your last visit" in text_of(page)


def test_history_since_a_version_shows_later_changes_only(amelia: Visitor, cast: Cast, client: Client) -> None:
    for phone in ("222", "333", "444"):
        save_for(cast.daniel, client, phone=phone)

    page = amelia.get(f"/clients/{client.id}/history?since=3")

    assert "333 444" in text_of(page).replace("→ ", "")
    assert "222" not in text_of(page)
    assert '<input type="hidden" name="since" value="3">' in page.text
    assert "Show everything" in text_of(page)


@pytest.mark.parametrize("wrong", ["x", "-1", "0", "2147483648", "1\0"])
def test_history_since_no_version_shows_everything(amelia: Visitor, cast: Cast, client: Client, wrong: str) -> None:
    save_for(cast.daniel, client, phone="222")

    assert "222" in text_of(amelia.get(f"/clients/{client.id}/history", query_string={"since": wrong}))


def test_first_visit_has_no_strip(amelia: Visitor, cast: Cast, client: Client) -> None:
    save_for(cast.daniel, client, phone="222")

    assert strip_of(amelia, client) == ""


def test_own_changes_do_not_count(amelia: Visitor, cast: Cast, client: Client) -> None:
    record_visit(amelia, client, 1)
    save_for(cast.amelia, client, phone="222")
    assert strip_of(amelia, client) == ""

    save_for(cast.daniel, client, town="Wells")
    assert "One change since" in strip_of(amelia, client)
    assert "Phone" not in strip_of(amelia, client)


def test_change_that_the_page_has_shown_does_not_count(amelia: Visitor, cast: Cast, client: Client) -> None:
    save_for(cast.daniel, client, phone="222")
    record_visit(amelia, client, 2)

    assert strip_of(amelia, client) == ""


def test_strip_stays_until_the_visit_is_recorded_or_dismissed(amelia: Visitor, cast: Cast, client: Client) -> None:
    record_visit(amelia, client, 1)
    save_for(cast.daniel, client, phone="222")
    assert strip_of(amelia, client) == strip_of(amelia, client) != ""

    assert amelia.post(f"/clients/{client.id}/visit", data={"version": "2"}).status_code == 302

    assert strip_of(amelia, client) == ""


def test_page_that_reloads_itself_gets_neither_strip_nor_marks(amelia: Visitor, cast: Cast, client: Client) -> None:
    record_visit(amelia, client, 1)
    save_for(cast.daniel, client, phone="222")

    assert strip_of(amelia, client, headers={"X-Background": "1"}) == ""


def test_versions_and_not_clocks_decide_what_is_new(amelia: Visitor, cast: Cast, client: Client) -> None:
    record_visit(amelia, client, 1)
    db.session.execute(text("UPDATE client_visits SET visited_at = now() + interval '1 hour'"))
    db.session.commit()
    save_for(cast.daniel, client, phone="222")

    assert "Daniel changed Phone" in strip_of(amelia, client)


@pytest.mark.statements
def test_parts_are_named_and_marked(amelia: Visitor, cast: Cast, client: Client) -> None:
    ruth, shaun = make_person(client, "Ruth"), make_person(client, "Shaun")
    isa = make_product(client, (date(2026, 3, 31), "5"), plan_number="A1")
    record_visit(amelia, client, 1)
    save_for(cast.daniel, client, Entry(PERSON, ruth.id), known_as="Ru")
    operations.remove_part(client, Entry(PERSON, shaun.id), edit_from(2, cast.daniel.id))
    [valuation] = db.session.scalars(select(Valuation))
    db.session.commit()
    save_for(cast.ada, client, Entry(VALUATION, valuation.id), amount="7")

    words = strip_of(amelia, client)

    assert "Daniel changed Known as of Ruth Whitmore and removed Shaun Whitmore" in words
    assert "Ada changed Amount of the valuation of ISA A1 on 31 Mar 2026" in words
    page = amelia.get(f"/clients/{client.id}").text
    assert [f"{kind}/{number}" for kind, number in (("person", ruth.id), ("product", isa.id))] == marked_keys(page)


def marked_keys(page: str) -> list[str]:
    """Return the people and products with a mark, as keys of the history."""
    found = []
    for kind, start in (("person", "<li data-key="), ("product", "<tr data-key=")):
        for row in page.split(start)[1:]:
            if 'class="new-mark"' in row.split("</li>" if kind == "person" else "</tr>")[0]:
                number = row.split('"')[1]
                found.append(f"{kind}/{number}")
    return found


def test_added_part_is_marked_as_new(amelia: Visitor, cast: Cast, client: Client, daniels_editor: ClientEditor) -> None:
    record_visit(amelia, client, 1)
    daniels_editor.change("/person/new", first_name="Ruth", last_name="Whitmore")
    [ruth] = db.session.scalars(select(Person.id))
    daniels_editor.change(f"/person/{ruth}/edit", known_as="Ru")

    assert "2 changes since" in strip_of(amelia, client)
    assert "Daniel added Ruth Whitmore" in strip_of(amelia, client)
    assert "Known as" not in strip_of(amelia, client)
    page = amelia.get(f"/clients/{client.id}").text
    assert ">New<span" in page


def test_import_is_named_as_its_own_author(amelia: Visitor, client: Client) -> None:
    record_visit(amelia, client, 1)
    operations.save_entry(client, Entry(CLIENT), edit_from(1, None, {"phone": "2"}, source="import"))
    db.session.commit()

    assert "An import changed Phone" in strip_of(amelia, client)


def test_fourth_author_is_counted(amelia: Visitor, cast: Cast, client: Client) -> None:
    record_visit(amelia, client, 1)
    for number, name in enumerate(("Bea", "Cyril", "Dora", "Edda", "Flo")):
        save_for(make_profile(name, "Hall"), client, phone=f"22{number}")

    assert "Bea changed Phone; Cyril changed Phone; Dora changed Phone; 2 more changed it, too" in strip_of(
        amelia, client
    )


@pytest.mark.statements
def test_very_many_changes_are_bounded(amelia: Visitor, cast: Cast, client: Client) -> None:
    many = """
        INSERT INTO client_revisions (client_id, version, changed_by, source, changes)
        SELECT :client_id, n, :by, 'form', '{"phone": ["1", "2"]}' FROM generate_series(2, 400) n;
        UPDATE clients SET version = 400 WHERE id = :client_id"""
    record_visit(amelia, client, 1)
    db.session.execute(text(many), {"client_id": client.id, "by": cast.daniel.id})
    db.session.commit()

    assert "More than 50 changes since" in strip_of(amelia, client)


def test_reader_without_access_to_the_restricted_client_sees_nothing(visit: Visit, cast: Cast, client: Client) -> None:
    daniel, rhys = visit(cast.daniel), visit(cast.rhys)
    for browser in (daniel, rhys):
        record_visit(browser, client, 1)
    save_for(cast.amelia, client, is_restricted=True, phone="222")

    assert daniel.get(f"/clients/{client.id}").status_code == 404
    db.session.add(ClientGrant(client_id=client.id, profile_id=cast.rhys.id))
    db.session.commit()
    assert "Amelia changed Phone and restricted the client" in strip_of(rhys, client)
    assert "222" not in strip_of(rhys, client)


def test_names_are_data(amelia: Visitor, cast: Cast, client: Client) -> None:
    cast.daniel.first_name = "<b>Dan"
    db.session.commit()
    record_visit(amelia, client, 1)
    save_for(cast.daniel, client, phone="<i>2")

    page = amelia.get(f"/clients/{client.id}").text
    assert "<b>Dan" not in page
    assert "&lt;b&gt;Dan changed Phone" in page


def test_page_with_a_strip_takes_few_statements(
    tapped_visit: Visit, cast: Cast, client: Client, wiretap: Wiretap
) -> None:
    amelia = tapped_visit(cast.amelia).with_token()
    ruth = make_person(client)
    make_product(client, (date(2026, 1, 1), "1"))
    record_visit(amelia, client, 1)
    save_for(cast.daniel, client, phone="222")
    with wiretap.listening() as without_strip:
        amelia.get(f"/clients/{client.id}", headers={"X-Background": "1"})
    save_for(cast.daniel, client, Entry(PERSON, ruth.id), known_as="Ru")

    with wiretap.listening() as heard:
        assert "Daniel changed Phone and Known as" in strip_of(amelia, client)

    assert len(work_in(without_strip)) <= 8
    assert len(work_in(heard)) <= 8, heard


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(minutes=5), "14:02"),
        (timedelta(hours=14, minutes=8), "yesterday 23:59"),
        (timedelta(days=3), "Tuesday 14:07"),
        (timedelta(days=6), "Saturday 14:07"),
        (timedelta(days=7), "20 Nov 2026"),
        (timedelta(minutes=-5), "14:12"),
    ],
)
def test_last_visit_is_named_by_its_day(ago: timedelta, words: str) -> None:
    now = datetime(2026, 11, 27, 14, 7, tzinfo=UTC)

    assert since(now - ago, now) == words
