"""Check permission again before each response, so that it contains no data written after the user lost access.

A page takes several statements. In each test a later statement waits for a table while the client is restricted and
changed.
"""

import re

import pytest
from flask import Flask
from sqlalchemy import text

from portal.clients.permission_recheck import READ_BY_POST
from tests.support.cast import Cast
from tests.support.locks import overtaken
from tests.support.routes import WRITES_NO_RECORD, make_records, versioned_routes
from tests.support.test_client import Visitor

SECRET = "07700 900999"
LOST = """
    UPDATE clients SET is_restricted = true, adviser_id = 2, phone = '07700 900999', name = '07700 900999';
    UPDATE people SET known_as = '07700 900999'; UPDATE products SET provider = '07700 900999'"""
# The address, and a table that a statement after the permission check reads.
PAGES = {
    "/clients/1": "client_revisions",
    "/clients/1/edit": "edit_drafts",
    "/clients/1/edit?draft": "edit_drafts",
    "/clients/1/person/1/edit": "people",
    "/clients/1/person/1/edit?draft": "edit_drafts",
    "/clients/1/person/1/remove": "people",
    "/clients/1/product/1": "products",
    "/clients/1/product/1/remove": "valuations",
    "/clients/1/product/1/valuation/new": "products",
    "/clients/1/history": "client_revisions",
    "/clients/1/history/2/revert": "client_revisions",
    "/clients/1/changes?since=0": "client_revisions",
}
# The body, the status of the response, and the table.
REFUSALS = {
    "conflict": ("/clients/1/edit", {"version": "1", "phone": "222", "name": "W"}, 409, "edit_drafts"),
    "bad value": ("/clients/1/edit", {"version": "1", "name": ""}, 422, "edit_drafts"),
    "removed part": ("/clients/1/person/2/edit", {"version": "1", "known_as": "x"}, 409, "edit_drafts"),
}


def lose(connection: object) -> None:
    for statement in LOST.split(";"):
        connection.execute(text(statement))  # type: ignore[attr-defined]


@pytest.fixture
def amelia(visit: type[Visitor], cast: Cast) -> Visitor:
    """Return Amelia's visitor, with the records of the access matrix, drafts and a removed person."""
    make_records(cast)
    amelia = visit(cast.amelia).with_token()
    added = amelia.post("/clients/1/person/new", json={"version": "2", "first_name": "Ann", "last_name": "Lee"})
    assert added.json["key"] == "person/2"
    assert amelia.post("/clients/1/person/2/remove", json={"version": "3"}).status_code == 200
    for form, values in (("record", {"phone": "3"}), ("person/1", {"known_as": "Ru"})):
        body = {"version": 1, "values": values}
        assert amelia.call("PUT", f"/edit_drafts/client-1?form={form}", json=body).status_code == 200
    return amelia


@pytest.mark.parametrize("path", PAGES)
def test_page_is_404_when_access_is_lost_while_it_is_read(amelia: Visitor, path: str) -> None:
    assert amelia.get(path).status_code == 200

    response = overtaken(lambda: amelia.get(path), hold(PAGES[path]), lose)

    assert (response.status_code, SECRET in response.text) == (404, False)


@pytest.mark.parametrize("as_json", [False, True], ids=["form", "json"])
@pytest.mark.parametrize("refusal", REFUSALS)
def test_error_page_is_404_when_access_is_lost_while_it_is_built(amelia: Visitor, refusal: str, as_json: bool) -> None:
    path, body, status, table = REFUSALS[refusal]
    send = {"json" if as_json else "data": body}
    assert amelia.post(path, **send).status_code == status
    if as_json:
        return  # contains only data read under the lock

    response = overtaken(lambda: amelia.post(path, **send), hold(table), lose)

    assert (response.status_code, SECRET in response.text) == (404, False)


@pytest.mark.parametrize(("does", "status"), [("read", 302), ("collide", 302)])
def test_response_is_withheld_from_a_user_who_is_signed_out_meanwhile(amelia: Visitor, does: str, status: int) -> None:
    """Without a session the response leads to the sign-in page."""
    path, body, _, table = REFUSALS["conflict"]
    sign_out = text("DELETE FROM sign_in_sessions")

    response = overtaken(
        lambda: amelia.get("/clients/1/edit") if does == "read" else amelia.post(path, data=body),
        hold(table),
        lambda connection: connection.execute(sign_out),
    )

    assert (response.status_code, SECRET in response.text) == (status, False)


def test_text_merge_is_404_when_access_is_lost_while_it_is_built(amelia: Visitor) -> None:
    body = {"version": "1", "notes": "Mine"}
    assert amelia.post("/clients/1/merge", json=body).status_code == 200

    response = overtaken(lambda: amelia.post("/clients/1/merge", json=body), hold("client_revisions"), lose)

    assert (response.status_code, SECRET in response.text) == (404, False)


def test_every_post_that_only_reads_a_client_is_rechecked(app: Flask) -> None:
    writes = {rule for _, rule in versioned_routes(app)}
    writes |= {rule for (_, rule), written in WRITES_NO_RECORD.items() if not written.startswith("nothing")}
    posts = {
        re.sub(r"<[^<>]*?(\w+)>", r"<\1>", rule.rule): rule.endpoint
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and "client_id" in rule.arguments
    }
    assert {endpoint for rule, endpoint in posts.items() if rule not in writes} == READ_BY_POST


def test_accepted_save_by_which_a_user_loses_access_gets_its_response(visit: type[Visitor], cast: Cast) -> None:
    make_records(cast, is_restricted=True)
    amelia = visit(cast.amelia)

    saved = amelia.post("/clients/1/edit", json={"version": "2", "adviser_id": cast.daniel.id})

    assert (saved.status_code, saved.json["version"]) == (200, 3)
    assert amelia.get("/clients/1").status_code == 404


def hold(table: str) -> str:
    return f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"
