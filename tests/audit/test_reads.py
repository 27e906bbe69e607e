"""Test the read log: what is recorded, who sees it, and that looking at it is recorded too."""

import csv
import io
import json
import re
from typing import Any
from unittest.mock import Mock

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from portal.audit import AuditEvent
from portal.audit.reads import ClientRead
from portal.auth import Profile
from portal.auth.sessions import store
from portal.clients import Client
from portal.clients.permission_recheck import READ_BY_POST, RECHECKED_STATUSES
from portal.clients.permissions import record_read
from portal.clients.reads import queries, views
from portal.clients.reads.filters import parse_read_filters
from portal.extensions import db
from portal.jobs import JOBS, run_job
from tests.support.cast import Cast, make_profile
from tests.support.factories import make_client
from tests.support.html import errors_of, links_of, text_of
from tests.support.locks import overtaken
from tests.support.routes import REQUEST_BODIES, make_records, path_of, routes_of
from tests.support.test_client import Visitor, identity_of

Visit = type[Visitor]
[PURGE] = [job for job in JOBS if job.name == "read log purge"]
EVIL = "=1+1<script>alert(1)</script>"
ADD = text(
    "INSERT INTO client_reads SELECT date_trunc('hour', now(), 'UTC') - make_interval(hours => :ago), :client, :reader"
)


def add_reads(client: Client, *profiles: Profile, hours_ago: int = 0) -> None:
    for profile in profiles:
        db.session.execute(ADD, {"ago": hours_ago, "client": client.id, "reader": profile.id})
    db.session.commit()


def stored() -> list[tuple[int, int]]:
    """Return (client id, profile id) of all rows, the newest hour first."""
    db.session.rollback()
    query = select(ClientRead.client_id, ClientRead.profile_id)
    order = (ClientRead.hour.desc(), ClientRead.client_id, ClientRead.profile_id)
    return [tuple(row) for row in db.session.execute(query.order_by(*order))]


def looks() -> list[tuple[str, int | None, int | None, dict[str, Any]]]:
    """Return (event, actor, profile, about) of the events of the read log."""
    query = select(AuditEvent).where(AuditEvent.event.in_(["reads_viewed", "exported"])).order_by(AuditEvent.id)
    return [(row.event, row.actor_id, row.profile_id, row.about) for row in db.session.scalars(query)]


@pytest.fixture
def carys(cast: Cast) -> Profile:
    return make_profile("Carys", "Lloyd", "compliance")


def test_each_route_that_shows_a_client_records_the_read(app: Flask, visit: Visit, cast: Cast) -> None:
    """Also a route that is added later, and one that reads by POST."""
    make_records(cast)
    amelia = visit(cast.amelia).with_token()
    of_a_client = sorted(route for route in routes_of(app) if "<client_id>" in route[1])
    recorded: list[str] = []
    for method, rule in of_a_client:
        db.session.execute(text("TRUNCATE client_reads"))
        db.session.commit()
        path = path_of(app, rule)
        answer = amelia.call(method, path, **REQUEST_BODIES.get((method, rule), {}))
        is_recorded = stored() == [(1, cast.amelia.id)]
        # The response to an accepted write shows nothing of the client, nor does an empty one.
        endpoint, _ = app.url_map.bind("localhost").match(path, method)
        is_accepted_write = method == "POST" and answer.status_code == 200 and endpoint not in READ_BY_POST
        is_read = answer.status_code in RECHECKED_STATUSES and not is_accepted_write
        assert is_recorded == is_read, (method, rule, answer.status_code)
        recorded += [rule] if is_recorded else []

    assert set(recorded) >= {
        *("/clients/<client_id>", "/clients/<client_id>/edit", "/clients/<client_id>/history"),
        *("/clients/<client_id>/changes", "/clients/<client_id>/merge", "/clients/<client_id>/product/<product_id>"),
    }


def test_hour_has_one_row_for_each_profile_and_client(visit: Visit, cast: Cast, client: Client) -> None:
    other = make_client("Other")
    for profile in (cast.amelia, cast.rhys):
        for path in (f"/clients/{client.id}", f"/clients/{client.id}/history", f"/clients/{client.id}"):
            assert visit(profile).get(path).status_code == 200
    visit(cast.rhys).get(f"/clients/{other.id}")

    assert stored() == [(client.id, cast.amelia.id), (client.id, cast.rhys.id), (other.id, cast.rhys.id)]
    assert db.session.scalar(text("SELECT every(hour = date_trunc('hour', now(), 'UTC')) FROM client_reads"))
    add_reads(client, cast.amelia, hours_ago=1)
    assert len(stored()) == 4


def test_refused_or_missing_page_is_no_read(visit: Visit, cast: Cast, client: Client) -> None:
    client.is_restricted = True
    db.session.commit()
    for profile, path, status in (
        (cast.daniel, f"/clients/{client.id}", 404),
        (cast.amelia, "/clients/999", 404),
        (cast.rhys, f"/clients/{make_client('Open').id}/edit", 403),
    ):
        assert visit(profile).get(path).status_code == status

    assert stored() == []


def test_list_roster_and_search_are_no_reads(visit: Visit, cast: Cast, client: Client) -> None:
    amelia = visit(cast.amelia)
    for path in ("/clients", "/clients?q=Whitmore", f"/user_page_presence/client-{client.id}"):
        assert amelia.get(path).status_code == 200
    assert amelia.beat(f"client-{client.id}").status_code == 200

    assert stored() == []


def test_conflict_page_is_a_read_and_a_refused_save_is_not_committed_with_it(
    visit: Visit, cast: Cast, client: Client
) -> None:
    amelia, address = visit(cast.amelia), f"/clients/{client.id}/edit"
    saved = visit(cast.daniel).post(address, json={"version": 1, "phone": "222"})
    assert (saved.status_code, stored()) == (200, [])

    assert amelia.post(address, json={"version": 1, "phone": "333"}).status_code == 409
    assert amelia.post(address, json={"version": 2, "email": "none"}).status_code == 422

    assert stored() == [(client.id, cast.amelia.id)]
    db.session.refresh(client)
    assert (client.phone, client.version) == ("222", 2)


def test_read_waits_for_no_lock_of_the_client_or_the_profile_and_for_no_standby(
    app: Flask, cast: Cast, client: Client
) -> None:
    caller, client_id = identity_of(app, cast.amelia), client.id
    with db.engine.begin() as connection:
        connection.execute(text("SELECT FROM clients, profiles FOR NO KEY UPDATE"))
        connection.execute(text("UPDATE clients SET phone = '1'"))
        db.session.execute(text("SET LOCAL lock_timeout = '2s'"))
        assert record_read(caller, client_id)
        assert db.session.scalar(text("SHOW synchronous_commit")) == "local"
    db.session.commit()
    assert db.session.scalar(text("SHOW synchronous_commit")) == "on"


def test_second_request_of_the_same_hour_waits_for_the_first_and_records_nothing(
    app: Flask, visit: Visit, cast: Cast, client: Client
) -> None:
    amelia, path, reader_id = visit(cast.amelia), f"/clients/{client.id}", cast.amelia.id
    hold = "INSERT INTO client_reads SELECT date_trunc('hour', now(), 'UTC'), id, 1 FROM clients"

    assert overtaken(lambda: amelia.get(path), hold, lambda connection: None).status_code == 200

    assert stored() == [(client.id, reader_id)]


def test_row_is_deleted_only_after_thirteen_months(cast: Cast, client: Client) -> None:
    add_reads(client, cast.amelia, hours_ago=0)
    add_reads(client, cast.amelia, cast.rhys, hours_ago=24 * 400)
    add_reads(client, cast.daniel, hours_ago=24 * 390)

    for statement in ("DELETE FROM client_reads", "UPDATE client_reads SET profile_id = 1"):
        with pytest.raises(IntegrityError, match="stays as it is for 13 months"):
            db.session.execute(text(statement))
        db.session.rollback()
    assert run_job(PURGE) == 2
    assert stored() == [(client.id, cast.amelia.id), (client.id, cast.daniel.id)]


def test_page_of_a_client_shows_its_readers_newest_first_and_is_recorded(
    visit: Visit, cast: Cast, client: Client, carys: Profile
) -> None:
    add_reads(client, cast.amelia)
    add_reads(client, cast.rhys, hours_ago=2)
    add_reads(make_client("Other"), cast.daniel)
    browser = visit(carys)
    [link] = [each for each in links_of(browser.get(f"/clients/{client.id}")) if each.startswith("/reads")]

    page = text_of(browser.get(link))

    assert "Who has read this client" in page
    assert page.index("Amelia Hart") < page.index("Rhys Morgan")
    assert "Daniel Okafor" not in page
    assert "Carys Lloyd carys.lloyd@firm.example" in page
    assert looks() == [("reads_viewed", carys.id, None, {"client_id": client.id, "filters": ["client"]})]
    assert "Looked up who has read clients client KG" in text_of(browser.get("/audit"))


def test_reads_of_a_user_are_found_by_name_and_day(visit: Visit, cast: Cast, client: Client) -> None:
    add_reads(client, cast.amelia, cast.rhys)
    add_reads(make_client("Long ago"), cast.rhys, hours_ago=24 * 9)
    ada = visit(cast.ada)
    [link] = [each for each in links_of(ada.get(f"/users/{cast.rhys.id}")) if each.startswith("/reads")]

    page = text_of(ada.get(link))
    assert "What Rhys Morgan has read" in page
    assert page.index("Whitmore Family") < page.index("Long ago")
    since = text_of(ada.get("/reads?who=rhys&since=2026-01-01&until=2026-01-02"))
    assert "No user has read a client in this search." in since
    assert looks()[0] == ("reads_viewed", cast.ada.id, cast.rhys.id, {"filters": ["who"]})
    assert looks()[1][3] == {"filters": ["since", "until", "who"]}


def test_long_log_has_pages_that_keep_the_filters_and_lose_no_row(
    visit: Visit, cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.clients.reads.views.PAGE_SIZE", 3)
    other = make_client("Other")
    for hours_ago in range(3):
        add_reads(client, cast.amelia, cast.daniel, cast.rhys, hours_ago=hours_ago)
        add_reads(other, cast.amelia, hours_ago=hours_ago)
    ada = visit(cast.ada)

    for query, expected in (("", 12), (f"?client={client.client_ref}", 9), ("?who=amelia", 6)):
        link: str | None = f"/reads{query}"
        seen: list[str] = []
        while link:
            answer = ada.get(link)
            seen += re.findall(r'<time datetime="([^"]+)">.*?</td>\s*<td>(.*?)</tr>', answer.text, re.DOTALL)
            link = next((each for each in links_of(answer) if "before=" in each and "rel" not in each), None)
        assert (len(seen), len(set(seen))) == (expected, expected), query


@pytest.mark.parametrize("query", ["?client=KG99999", "?since=yesterday", "?until=2026-02-30"])
def test_invalid_filter_is_named_and_shows_no_row(visit: Visit, cast: Cast, client: Client, query: str) -> None:
    add_reads(client, cast.amelia)
    ada, [field] = visit(cast.ada), re.findall(r"\?(\w+)=", query)

    page, export = ada.get(f"/reads{query}"), ada.get(f"/reads.csv{query}")

    assert (page.status_code, export.status_code) == (422, 422)
    assert field in errors_of(page)
    assert "amelia" not in page.text
    assert looks() == []


@pytest.mark.parametrize("before", ["x", "1-2", "99999999-1-1", "495000-99999999999-1", "-1-1-1", "1-1-1-1", "१-1-1"])
def test_invalid_cursor_is_ignored(before: str) -> None:
    assert parse_read_filters({"before": before}).cursor is None


def test_export_has_the_filtered_rows_without_formulas_and_is_recorded(
    visit: Visit, cast: Cast, client: Client
) -> None:
    client.name = EVIL
    add_reads(client, cast.amelia)
    add_reads(make_client("Other"), cast.rhys)
    answer = visit(cast.ada).get(f"/reads.csv?client={client.client_ref.lower()}")

    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    [row] = csv.DictReader(io.StringIO(answer.text))
    assert (row["user"], row["client_ref"], row["client"]) == ("Amelia Hart", client.client_ref, f"'{EVIL}")
    about = {"client_id": client.id, "filters": ["client"], "what": "reads"}
    assert looks() == [("exported", cast.ada.id, None, about)]
    assert "<script>alert" not in visit(cast.ada).get("/reads").text


def test_export_holds_no_transaction_while_the_browser_reads_and_loses_no_row(
    app: Flask, cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "ROWS_AT_A_TIME", 2)
    for hours_ago in range(2):
        add_reads(client, cast.amelia, cast.daniel, cast.rhys, hours_ago=hours_ago)
    filters, reader = parse_read_filters({"client": client.client_ref}), identity_of(app, cast.ada)
    db.session.rollback()

    lines = []
    for line in views._csv_lines(filters, reader):
        assert not db.session().in_transaction()
        lines.append(line)

    assert (len(lines), len(set(lines))) == (7, 7)


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "adviser"}, {}])
def test_export_ends_when_the_session_of_its_reader_ends_or_the_reader_loses_oversight(
    app: Flask, cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
) -> None:
    monkeypatch.setattr(queries, "ROWS_AT_A_TIME", 1)
    add_reads(client, cast.amelia, cast.daniel)
    lines = views._csv_lines(parse_read_filters({}), identity_of(app, cast.ada))
    next(lines)
    assert "Daniel" in next(lines)

    if change:
        db.session.execute(update(Profile).where(Profile.id == cast.ada.id).values(change))
    else:
        store.end_all(cast.ada.id)
    db.session.commit()

    assert list(lines) == []


def test_user_sees_neither_the_log_nor_a_link_to_it(visit: Visit, cast: Cast, client: Client) -> None:
    add_reads(client, cast.rhys)
    for profile in (cast.amelia, cast.rhys, make_profile("Piers", "Gray", "paraplanner")):
        browser = visit(profile)
        for path in (f"/clients/{client.id}", "/account", f"/clients/{client.id}/history"):
            assert "/reads" not in browser.get(path).text
        assert browser.get("/reads").status_code == 403


def test_command_lists_reads_and_is_recorded(app: Flask, cast: Cast, client: Client) -> None:
    reference, client_id = client.client_ref, client.id
    add_reads(client, cast.amelia)
    add_reads(make_client("Other"), cast.rhys, hours_ago=3)

    def run(*arguments: str) -> Any:
        result = app.test_cli_runner().invoke(args=["clients", "reads", *arguments])
        db.session.rollback()
        return result

    assert "Example: flask clients reads" in run("--help").output
    [line] = run(reference).stdout.splitlines()
    assert line.split("\t")[1:] == ["Amelia Hart", "amelia.hart@firm.example", reference, "Whitmore Family"]
    everything = [json.loads(row) for row in run("--json").stdout.splitlines()]
    assert [row["user"] for row in everything] == ["Amelia Hart", "Rhys Morgan"]
    assert run("--user", "rhys", "--limit", "1").stderr == "1 reads\n"
    unknown = run("KG99999")
    assert (unknown.exit_code, "No client has the reference KG99999." in unknown.output) == (1, True)
    assert looks()[0] == ("reads_viewed", None, None, {"client_id": client_id, "filters": ["client"]})
    assert len(looks()) == 3


def test_command_is_recorded_before_its_first_line(
    app: Flask, cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that closes the pipe, like `head -1`, ends the command at a line."""
    add_reads(client, cast.amelia)
    with monkeypatch.context() as broken:
        broken.setattr("click.echo", Mock(side_effect=BrokenPipeError))
        app.test_cli_runner().invoke(args=["clients", "reads"])
    db.session.rollback()

    assert [event for event, *_ in looks()] == ["reads_viewed"]
