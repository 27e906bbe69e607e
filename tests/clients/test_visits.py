"""Visits of client pages: which version a profile has seen, and which clients it has visited last."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from portal.auth import Profile
from portal.clients import Client, ClientGrant
from portal.clients.visits import store
from portal.clients.visits.recent import recent_clients
from portal.clients.visits.store import ClientVisit
from portal.database import advisory_locks
from portal.extensions import db
from portal.jobs import JOBS, run_job
from tests.support.cast import Cast, make_profile
from tests.support.edits import save_for
from tests.support.factories import make_client
from tests.support.postgres_proxy import Wiretap, work_in
from tests.support.test_client import Visitor
from tests.support.visits import record_visit

Visit = type[Visitor]


@pytest.fixture
def client(cast: Cast) -> Client:
    return make_client("Whitmore Family", adviser_id=cast.amelia.id)


def visits() -> dict[tuple[int, int], int]:
    """Return {(profile id, client id): version seen}."""
    db.session.rollback()
    return {(row.profile_id, row.client_id): row.version for row in db.session.scalars(select(ClientVisit))}


def let_days_pass(days: int) -> None:
    shift = "UPDATE client_visits SET visited_at = visited_at - make_interval(days => :days)"
    db.session.execute(text(shift), {"days": days})
    db.session.commit()


def names_of_recent(profile: Profile, limit: int = 10) -> list[str]:
    return [row.name for row in recent_clients(profile, limit)]


def test_page_that_is_loaded_records_no_visit(amelia: Visitor, client: Client) -> None:
    assert amelia.get(f"/clients/{client.id}").status_code == 200

    assert visits() == {}


def test_image_for_browsers_without_javascript_records_the_version_of_the_page(
    amelia: Visitor, cast: Cast, client: Client
) -> None:
    save_for(cast.daniel, client, phone="222")
    page = amelia.get(f"/clients/{client.id}").text
    address = f"/clients/{client.id}/visit?version=2"
    assert f'<noscript><img src="{address}"' in page

    response = amelia.get(address)

    assert (response.status_code, response.data) == (204, b"")
    assert visits() == {(cast.amelia.id, client.id): 2}


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_address_of_the_image_records_nothing_for_another_site(
    amelia: Visitor, cast: Cast, client: Client, site: str
) -> None:
    response = amelia.get(f"/clients/{client.id}/visit?version=1", headers={"Sec-Fetch-Site": site})

    assert (response.status_code, visits()) == (204, {})


@pytest.mark.statements
def test_visit_keeps_the_newest_version_and_the_last_time(amelia: Visitor, cast: Cast, client: Client) -> None:
    save_for(cast.daniel, client, phone="222")
    record_visit(amelia, client, 2)
    let_days_pass(1)

    record_visit(amelia, client, 1)

    assert visits() == {(cast.amelia.id, client.id): 2}
    age = "SELECT now() - visited_at < interval '1 hour' FROM client_visits"
    assert db.session.scalar(text(age))


def test_version_that_the_record_does_not_have_counts_as_the_newest(
    amelia: Visitor, client: Client, cast: Cast
) -> None:
    record_visit(amelia, client, 2**31 - 1)

    assert visits() == {(cast.amelia.id, client.id): 1}


@pytest.mark.parametrize("version", [None, "", "x", "0", "-1", "1.5", "2147483648", "1\0", "١"])
def test_visit_without_a_valid_version_is_refused(amelia: Visitor, client: Client, version: str | None) -> None:
    fields: dict[str, Any] = {} if version is None else {"version": version}
    for response in (
        amelia.post(f"/clients/{client.id}/visit", json=fields),
        amelia.post(f"/clients/{client.id}/visit", data=fields),
        amelia.get(f"/clients/{client.id}/visit", query_string=fields),
    ):
        assert response.status_code == 422
        assert "version: " in response.text
    assert visits() == {}


def test_visit_by_a_form_returns_to_the_page(amelia: Visitor, client: Client) -> None:
    response = amelia.post(f"/clients/{client.id}/visit", data={"version": "1"})

    assert (response.status_code, response.location) == (302, f"/clients/{client.id}")


def test_visit_does_not_extend_the_sign_in_session(amelia: Visitor, client: Client) -> None:
    amelia.with_token()

    response = amelia.post(f"/clients/{client.id}/visit", json={"version": 1})

    assert "Set-Cookie" not in response.headers


def test_visit_takes_three_statements(tapped_visit: Visit, cast: Cast, client: Client, wiretap: Wiretap) -> None:
    amelia = tapped_visit(cast.amelia).with_token()

    with wiretap.listening() as heard:
        amelia.post(f"/clients/{client.id}/visit", json={"version": 1})

    assert len(work_in(heard)) == 3, heard  # session, client, visit


@pytest.mark.statements
def test_recent_clients_are_those_of_the_profile_last_visit_first(visit: Visit, cast: Cast) -> None:
    bell, cook, dean, east = (make_client(name) for name in ("Bell", "Cook", "Dean", "East"))
    amelia, daniel = visit(cast.amelia), visit(cast.daniel)
    for client in (bell, cook, dean, bell):
        record_visit(amelia, client, 1)
    record_visit(daniel, east, 1)

    assert names_of_recent(cast.amelia) == ["Bell", "Dean", "Cook"]
    assert names_of_recent(cast.amelia, limit=2) == ["Bell", "Dean"]
    assert names_of_recent(cast.daniel) == ["East"]
    assert names_of_recent(cast.ada) == []


def test_restricted_client_is_absent_from_recent_clients_without_access(visit: Visit, cast: Cast) -> None:
    hidden, open_to_all = make_client("Hidden", adviser_id=cast.amelia.id), make_client("Open")
    for person in (cast.amelia, cast.daniel, cast.rhys, cast.ada):
        for client in (open_to_all, hidden):
            record_visit(visit(person), client, 1)
    hidden.is_restricted = True
    db.session.commit()

    assert names_of_recent(cast.amelia) == names_of_recent(cast.ada) == ["Hidden", "Open"]
    assert names_of_recent(cast.daniel) == names_of_recent(cast.rhys) == ["Open"]
    db.session.add(ClientGrant(client_id=hidden.id, profile_id=cast.rhys.id))
    db.session.commit()
    assert names_of_recent(cast.rhys) == ["Hidden", "Open"]


def test_recent_client_is_marked_if_another_user_has_changed_it(amelia: Visitor, cast: Cast, client: Client) -> None:
    def is_marked() -> bool:
        [row] = recent_clients(cast.amelia, 1)
        return bool(row.has_changed)

    record_visit(amelia, client, 1)
    save_for(cast.amelia, client, phone="222")
    assert not is_marked()
    save_for(cast.daniel, client, phone="333")
    assert is_marked()
    record_visit(amelia, client, 3)
    assert not is_marked()


@pytest.mark.statements
def test_recent_clients_are_read_by_the_index_in_one_statement(app: Flask, cast: Cast) -> None:
    crowd = """
        INSERT INTO clients (client_ref, name, client_type) SELECT 'V' || n, 'Crowd', 'family'
        FROM generate_series(1, 3000) n;
        INSERT INTO client_visits (profile_id, client_id, version, visited_at)
        SELECT profiles.id, clients.id, 1, now() - make_interval(secs => clients.id) FROM clients, profiles;
        ANALYZE client_visits, clients"""
    db.session.execute(text(crowd))
    db.session.commit()
    plan = "\n".join(
        db.session.scalars(
            text(
                "EXPLAIN SELECT clients.name FROM clients JOIN client_visits ON client_id = clients.id"
                " WHERE profile_id = :id ORDER BY visited_at DESC, clients.id LIMIT 10"
            ),
            {"id": cast.amelia.id},
        )
    )

    assert "ix_client_visits_profile_id_visited_at" in plan, plan


@pytest.mark.statements
def test_visits_are_deleted_with_the_client_and_with_the_profile(visit: Visit, cast: Cast) -> None:
    bell, cook = make_client("Bell"), make_client("Cook")
    zoe = make_profile("Zoe", "Hall")
    for person in (cast.amelia, zoe):
        for client in (bell, cook):
            record_visit(visit(person), client, 1)

    db.session.execute(text("DELETE FROM sign_in_sessions"))
    db.session.execute(text("DELETE FROM profiles WHERE id = :id"), {"id": zoe.id})
    db.session.execute(text("DELETE FROM clients WHERE id = :id"), {"id": bell.id})
    db.session.commit()

    assert visits() == {(cast.amelia.id, cook.id): 1}


@pytest.mark.statements
def test_job_deletes_visits_after_thirteen_months(amelia: Visitor, cast: Cast, client: Client) -> None:
    other = make_client("Bell")
    record_visit(amelia, client, 1)
    let_days_pass(399)
    record_visit(amelia, other, 1)
    [job] = [job for job in JOBS if job.lock == advisory_locks.VISIT_PURGE]

    assert job.run is store.purge
    assert run_job(job) == 1
    assert visits() == {(cast.amelia.id, other.id): 1}
