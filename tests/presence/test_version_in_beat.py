"""Return the record's version with each heartbeat, so that an open page learns of a save within one interval."""

import json

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from portal import page_kinds
from portal.clients import Client
from portal.extensions import PRESENCE_BIND, db
from portal.presence import beat_sql
from tests.support.cast import Cast
from tests.support.factories import make_client
from tests.support.heartbeats import PATHS, by
from tests.support.test_client import Visitor, identity_of

Visit = type[Visitor]


@pytest.mark.parametrize("path", PATHS)
def test_response_contains_the_records_current_version(
    visit: Visit, cast: Cast, client: Client, page_identifier: str, path: str
) -> None:
    amelia = visit(cast.amelia).with_token()
    assert by(path, amelia, {"page_identifier": page_identifier}).json["version"] == 1

    client.version = 7
    db.session.commit()

    assert by(path, amelia, {"page_identifier": page_identifier}).json["version"] == 7


def test_each_page_of_a_batch_has_its_own_version(
    visit: Visit, cast: Cast, client: Client, page_identifier: str
) -> None:
    other = make_client("Other", version=3)
    amelia = visit(cast.amelia).with_token()

    assert amelia.beat(page_identifier).json["version"] == 1
    assert amelia.beat(f"client-{other.id}").json["version"] == 3


def test_version_is_null_for_a_kind_without_versions(
    visit: Visit, cast: Cast, app: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = page_kinds.PageKind(
        "report", "report", load=lambda profile, number: None, visible_sql="true", editable_sql="true"
    )
    monkeypatch.setitem(page_kinds._kinds, "report", kind)
    db.engines[PRESENCE_BIND].dispose()  # so that the next heartbeat prepares its statements again
    try:
        assert visit(cast.amelia).beat("report-1").json["version"] is None
    finally:
        db.engines[PRESENCE_BIND].dispose()


@pytest.mark.parametrize("path", PATHS)
def test_version_of_a_forbidden_page_is_not_returned(
    visit: Visit, cast: Cast, olgas_browser: Visitor, client: Client, page_identifier: str, path: str
) -> None:
    client.version = 4711
    db.session.commit()
    responses: list[TestResponse] = [
        by(path, olgas_browser, {"page_identifier": page_identifier}),
        by(path, visit(cast.amelia), {"page_identifier": "client-999999"}),
    ]

    assert [response.status_code for response in responses] == [401, 404]
    assert all("version" not in response.json and "4711" not in response.text for response in responses)


def test_statement_returns_no_version_for_a_forbidden_page(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row from the database contains no version either, so the rule does not depend on the view."""
    closed = page_kinds.PageKind(
        "vault", "vault", load=lambda profile, number: None, visible_sql="false", editable_sql="true", version_sql="42"
    )
    monkeypatch.setitem(page_kinds._kinds, "vault", closed)
    caller = identity_of(app, cast.amelia)
    arguments = ([caller.profile_id], [caller.session_id], ["vault-1"], ["vault"], [1], ["t"], ["{}"], 120)
    with db.engines[PRESENCE_BIND].connect() as connection, connection.connection.cursor() as cursor:
        cursor.execute(beat_sql.beats().replace(beat_sql.PREPARED_BEATS, "vault_beats"))
        cursor.execute("EXECUTE vault_beats (%s, %s::uuid[], %s, %s, %s, %s, %s::jsonb[], %s)", arguments)
        [(signed_in, may_see, _, _, version, *_)] = cursor.fetchall()
        cursor.execute("DEALLOCATE vault_beats")

    assert (signed_in, may_see, version) == (True, False, None)


def test_version_is_one_index_look_up(app: Flask, cast: Cast, client: Client, page_identifier: str) -> None:
    """In the generic plan, the statement reads clients by primary key only: once for the permission, once for the
    version.
    """
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
            f"EXPLAIN (FORMAT JSON) EXECUTE {beat_sql.PREPARED_EDITOR_BEATS}"
            " (%s, %s::uuid[], %s, %s, %s, %s, %s::jsonb[], %s)",
            arguments,
        )
        [[[plan]]] = cursor.fetchall()
    nodes = [node for node in _nodes(plan["Plan"]) if node.get("Relation Name") == "clients"]

    assert len(nodes) == 2, json.dumps(nodes)
    assert {node["Index Name"] for node in nodes} == {"pk_clients"}
    [session] = [node for node in _nodes(plan["Plan"]) if node.get("Relation Name") == "sign_in_sessions"]
    assert session["Index Name"] in ("pk_sign_in_sessions", "ix_sign_in_sessions_profile_id")  # of at most twenty
    [draft] = [node for node in _nodes(plan["Plan"]) if node.get("Relation Name") == "edit_drafts"]
    assert draft["Index Name"] == "pk_edit_drafts"


def _nodes(node: dict[str, object]) -> list[dict[str, object]]:
    below = node.get("Plans", [])
    assert isinstance(below, list)
    return [node, *(each for child in below for each in _nodes(child))]
