"""Limit what one profile's heartbeats can store, because every roster of the page contains it."""

import json

import pytest
from flask import Flask
from sqlalchemy import text

from portal.auth import Profile
from portal.auth.models import ROLES
from portal.clients.permissions import EDITABLE_SQL
from portal.extensions import db
from portal.page_kinds import parse
from portal.presence.beats import MAX_FIELD_LENGTH, MAX_FIELDS, MAX_FIELDS_BYTES, MAX_TABS, Beat
from portal.presence.store import current_store
from portal.presence.tab_sql import MAX_ROW_BYTES
from tests.support.cast import Cast
from tests.support.factories import make_client
from tests.support.test_client import Visitor, identity_of
from tests.support.time_travel import tab_ids

Visit = type[Visitor]
# All that a beat may say: names and ids of the longest, everything optional too.
WORST_FIELDS = [f"{number:02}" + "x" * (MAX_FIELD_LENGTH - 2) for number in range(MAX_FIELDS)]
CLAIMS = {
    **{"activity": "editing", "fields": ["Phone"], "focus": "Phone", "waiting": True, "answer": "soon"},
    **{"form": "record", "draft": "d"},
}
EVERY_FIELD = [
    *("Name", "Type", "Status", "Adviser", "Client since", "Email", "Phone", "Address line 1", "Address line 2"),
    *("Town", "Postcode", "Risk profile", "Capacity for loss", "Next review", "Objectives", "Notes"),
]


def fill(visitor: Visitor, page_identifier: str, tabs: int = MAX_TABS + 5) -> None:
    """Send heartbeats of as many tabs as possible, each as large as possible."""
    for number in range(tabs):
        tab_id = f"{number:064}"
        state = {**CLAIMS, "fields": WORST_FIELDS, "focus": "x" * MAX_FIELD_LENGTH, "stream": 1_000_000}
        state |= {"form": "f" * 60, "draft": "d" * 40}
        assert visitor.beat(page_identifier, tab_id=tab_id, **state).status_code == 200


def bytes_of_rows() -> list[int]:
    return list(db.session.scalars(text("SELECT pg_column_size(tabs) FROM user_page_presence ORDER BY id")))


@pytest.mark.parametrize("who", ["amelia", "rhys"])
def test_row_stays_within_its_bytes_and_tabs_for_any_heartbeats(
    visit: Visit, cast: Cast, page_identifier: str, who: str
) -> None:
    fill(visit(getattr(cast, who)), page_identifier)

    [size] = bytes_of_rows()
    assert size <= MAX_ROW_BYTES
    assert 1 <= len(tab_ids()) <= MAX_TABS
    assert tab_ids()[-1] == f"{MAX_TABS + 4:064}"


def test_fields_that_fit_are_kept_in_their_order(visit: Visit, cast: Cast, page_identifier: str) -> None:
    [amelia] = visit(cast.amelia).beat(page_identifier, activity="editing", fields=WORST_FIELDS).json["users"]

    assert amelia["fields"] == WORST_FIELDS[: MAX_FIELDS_BYTES // MAX_FIELD_LENGTH]


def test_statement_enforces_the_limit_by_itself(app: Flask, cast: Cast, page_identifier: str) -> None:
    """Also for a caller of the store itself, and for names of 4 bytes a character."""
    beat = Beat(parse(page_identifier), activity="editing", fields=("\U0001f600" * MAX_FIELD_LENGTH,) * MAX_FIELDS)
    for _ in range(2):
        roster, *_ = current_store().beat(identity_of(app, cast.amelia), beat)
        assert [tab["fields"] for tab in roster.rows[0][-1].values()] == [[]]


def test_tabs_of_an_ordinary_user_are_all_kept(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """One editor in which every field is changed, one waiting tab and several that only view."""
    amelia = visit(cast.amelia)
    amelia.beat(page_identifier, tab_id="1" * 41, activity="editing", fields=EVERY_FIELD, stream=1)
    amelia.beat(page_identifier, tab_id="2" * 41, waiting=True, stream=1)
    for number in range(3, 7):
        amelia.beat(page_identifier, tab_id=str(number) * 41, stream=1)

    [seen] = visit(cast.daniel).roster(page_identifier)
    assert len(tab_ids()) == 6
    assert (seen["activity"], seen["fields"]) == ("editing", sorted(EVERY_FIELD))
    assert "waiting_since" in seen


def test_reader_appears_neither_editing_nor_waiting_nor_with_fields(
    visit: Visit, cast: Cast, page_identifier: str
) -> None:
    rhys = visit(cast.rhys)
    for _ in range(2):  # the first beat makes the row, the second changes it
        assert rhys.beat(page_identifier, tab_id="t", **CLAIMS).status_code == 200
        [seen] = visit(cast.daniel).roster(page_identifier)
        assert (seen["first_name"], seen["activity"], seen["fields"]) == ("Rhys", "viewing", [])
        assert not seen.keys() & {"focus", "waiting_since", "asked_at", "answer"}


def test_reader_cannot_ask_the_others_to_finish(visit: Visit, cast: Cast, page_identifier: str) -> None:
    visit(cast.daniel).beat(page_identifier, activity="editing")
    rhys = visit(cast.rhys)
    rhys.beat(page_identifier, tab_id="t", waiting=True)

    response = rhys.post(f"/user_page_presence/{page_identifier}/nudge", json={"tab_id": "t"})

    assert (response.status_code, response.json["field"]) == (422, "tab_id")


def test_readers_repeated_claims_notify_no_page(
    visit: Visit, cast: Cast, page_identifier: str, listener: object
) -> None:
    rhys = visit(cast.rhys)
    rhys.beat(page_identifier, tab_id="t", **CLAIMS)
    before = since_of("t")

    rhys.beat(page_identifier, tab_id="t", **{**CLAIMS, "fields": ["Notes"]})

    assert since_of("t") == before


def since_of(tab_id: str) -> float:
    query = text("SELECT (tabs -> :tab_id ->> 'since')::float8 FROM user_page_presence")
    return float(db.session.execute(query, {"tab_id": tab_id}).scalar_one())


def test_rosters_of_a_list_stay_small_with_the_largest_rows(visit: Visit, cast: Cast) -> None:
    """Without limits a reader could make them 736 KB."""
    pages = [f"client-{make_client(f'Client {number}').id}" for number in range(25)]
    daniel, rhys = visit(cast.daniel).with_token(), visit(cast.rhys).with_token()
    for page in pages:
        fill(daniel, page, tabs=3)
        fill(rhys, page, tabs=3)

    response = visit(cast.amelia).get("/user_page_presence?" + "&".join(f"page={page}" for page in pages))

    users = [user for roster in response.json.values() for user in roster]
    assert len(users) == 50
    assert all(len(json.dumps(user, ensure_ascii=False).encode()) < MAX_ROW_BYTES for user in users)
    assert all(user["fields"] == [] for user in users if user["first_name"] == "Rhys")


def test_permission_to_edit_is_the_same_in_sql_and_python(cast: Cast) -> None:
    """The statement reads the role, the pages ask the profile."""
    for role in ROLES:
        profile = Profile(first_name="A", last_name="B", email="x@firm.example", role=role)
        may_edit = db.session.scalar(text(f"SELECT {EDITABLE_SQL} FROM (SELECT :role AS role) caller"), {"role": role})  # noqa: S608
        assert may_edit == profile.may_write
