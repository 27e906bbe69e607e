"""A beat also tells the version of the page's record, so that an open page hears of a save within one heartbeat."""

import json

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from portal import page_kinds
from portal.clients import Client
from portal.extensions import PRESENCE_BIND, db
from portal.presence import sql
from tests.presence.test_express_lane import LANES, by
from tests.support.cast import Cast
from tests.support.factories import make_client
from tests.support.test_client import Visitor, identity_of

Visit = type[Visitor]


@pytest.mark.parametrize("lane", LANES)
def test_it_is_the_records_version_as_it_is_now(
    visit: Visit, cast: Cast, client: Client, page_identifier: str, lane: str
) -> None:
    amelia = visit(cast.amelia).with_token()
    assert by(lane, amelia, {"page_identifier": page_identifier}).json["version"] == 1

    client.version = 7
    db.session.commit()

    assert by(lane, amelia, {"page_identifier": page_identifier}).json["version"] == 7


def test_each_page_of_a_round_has_its_own(visit: Visit, cast: Cast, client: Client, page_identifier: str) -> None:
    other = make_client("Other", version=3)
    amelia = visit(cast.amelia).with_token()

    assert amelia.beat(page_identifier).json["version"] == 1
    assert amelia.beat(f"client-{other.id}").json["version"] == 3


def test_a_kind_without_versions_says_null(
    visit: Visit, cast: Cast, app: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = page_kinds.PageKind(
        "report", "report", load=lambda profile, number: None, visible_sql="true", editable_sql="true"
    )
    monkeypatch.setitem(page_kinds._kinds, "report", kind)
    db.engines[PRESENCE_BIND].dispose()  # so that the next beat prepares its statements anew
    try:
        assert visit(cast.amelia).beat("report-1").json["version"] is None
    finally:
        db.engines[PRESENCE_BIND].dispose()


@pytest.mark.parametrize("lane", LANES)
def test_nobody_learns_the_version_of_a_page_that_is_not_theirs(
    visit: Visit, cast: Cast, olgas_browser: Visitor, client: Client, page_identifier: str, lane: str
) -> None:
    client.version = 4711
    db.session.commit()
    answers: list[TestResponse] = [
        by(lane, olgas_browser, {"page_identifier": page_identifier}),
        by(lane, visit(cast.amelia), {"page_identifier": "client-999999"}),
    ]

    assert [answer.status_code for answer in answers] == [401, 404]
    assert all("version" not in answer.json and "4711" not in answer.text for answer in answers)


def test_the_statement_asks_for_the_version_only_where_the_page_may_be_seen(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the view alone: the row that the database answers for somebody else's page holds no version either."""
    closed = page_kinds.PageKind(
        "vault", "vault", load=lambda profile, number: None, visible_sql="false", editable_sql="true", version_sql="42"
    )
    monkeypatch.setitem(page_kinds._kinds, "vault", closed)
    caller = identity_of(app, cast.amelia)
    arguments = ([caller.profile_id], [caller.session_id], ["vault-1"], ["vault"], [1], ["t"], ["{}"], 120)
    with db.engines[PRESENCE_BIND].connect() as connection, connection.connection.cursor() as cursor:
        cursor.execute(sql.beats().replace(sql.PREPARED_BEATS, "vault_beats"))
        cursor.execute("EXECUTE vault_beats (%s, %s::uuid[], %s, %s, %s, %s, %s::jsonb[], %s)", arguments)
        [(signed_in, may_see, _, _, version, _)] = cursor.fetchall()
        cursor.execute("DEALLOCATE vault_beats")

    assert (signed_in, may_see, version) == (True, False, None)


def test_the_version_is_one_index_look_up(app: Flask, cast: Cast, client: Client, page_identifier: str) -> None:
    """In the plan that serves all day: nothing of clients is read but by its key, once for the permission, once for
    the version."""
    for n in range(100):
        make_client(f"Client {n}", adviser_id=cast.amelia.id)
    db.session.execute(text("ANALYZE clients"))  # in a table of a page or none every index costs the same
    db.session.commit()
    caller = identity_of(app, cast.amelia)
    arguments = (
        [caller.profile_id],
        [caller.session_id],
        [page_identifier],
        ["client"],
        [client.id],
        ["t"],
        ["{}"],
        120,
    )
    with db.engines[PRESENCE_BIND].connect() as connection, connection.connection.cursor() as cursor:
        cursor.execute(
            f"EXPLAIN (FORMAT JSON) EXECUTE {sql.PREPARED_BEATS} (%s, %s::uuid[], %s, %s, %s, %s, %s::jsonb[], %s)",
            arguments,
        )
        [[[plan]]] = cursor.fetchall()
    nodes = [node for node in _nodes(plan["Plan"]) if node.get("Relation Name") == "clients"]

    assert len(nodes) == 2, json.dumps(nodes)
    assert {node["Index Name"] for node in nodes} == {"pk_clients"}
    [session] = [node for node in _nodes(plan["Plan"]) if node.get("Relation Name") == "sign_in_sessions"]
    assert session["Index Name"] in ("pk_sign_in_sessions", "ix_sign_in_sessions_profile_id")  # of at most twenty


def _nodes(node: dict[str, object]) -> list[dict[str, object]]:
    below = node.get("Plans", [])
    assert isinstance(below, list)
    return [node, *(each for child in below for each in _nodes(child))]
