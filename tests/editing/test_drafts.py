"""Keep unsaved input for its own user only (the drafts API)."""

import json
import logging
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from werkzeug.test import TestResponse

from portal.clients import Client
from portal.clients.editor.forms import ClientForm
from portal.editing.drafts import store
from portal.editing.drafts.store import DraftKey, EditDraft, Mark, mark_from
from portal.extensions import db
from portal.jobs import JOBS, run_job
from tests.support.cast import Cast
from tests.support.factories import make_client
from tests.support.html import text_of
from tests.support.postgres_proxy import Wiretap
from tests.support.problems import assert_problem
from tests.support.test_client import Visitor

Visit = type[Visitor]
[PURGE] = [job for job in JOBS if job.name == "draft purge"]


@pytest.fixture
def amelia(visit: Visit, cast: Cast) -> Visitor:
    return visit(cast.amelia).with_token()


def keep(visitor: Visitor, client: Client, form: str = "record", draft: str = "tab-1", **members: Any) -> TestResponse:
    values = {"phone": "01632 960100"} if form == "record" else {"known_as": "Ru"}
    body = {"version": 1, "seen": "", "values": values, **members}
    return visitor.call("PUT", f"/edit_drafts/client-{client.id}?form={form}&draft={draft}", json=body)


def discard(visitor: Visitor, client: Client, form: str = "record", **query: str) -> TestResponse:
    options = {"form": form, **(query or {"draft": "tab-1"})}
    return visitor.delete(f"/edit_drafts/client-{client.id}?{urlencode(options)}")


def stored() -> list[EditDraft]:
    db.session.rollback()
    order = (EditDraft.profile_id, EditDraft.form, EditDraft.draft_id)
    return list(db.session.scalars(select(EditDraft).order_by(*order).execution_options(populate_existing=True)))


def kept() -> list[tuple[int, str, str, dict[str, str]]]:
    """Return (profile, page, form, values) of every draft."""
    return [(row.profile_id, row.page_identifier, row.form, row.values) for row in stored()]


def age(seconds: float, form: str = "record") -> None:
    """Age the draft of that form."""
    shift = "UPDATE edit_drafts SET updated_at = updated_at - make_interval(secs => :seconds) WHERE form = :form"
    db.session.execute(text(shift), {"seconds": seconds, "form": form})
    db.session.commit()


def test_later_draft_replaces_the_earlier_one_of_its_page(amelia: Visitor, cast: Cast, client: Client) -> None:
    assert keep(amelia, client).json == {"status": "kept"}
    keep(amelia, client, version=2, seen="notes:3 phone:2", values={"phone": "01632 960200", "notes": "Ring\nthem 👋"})

    assert kept() == [
        (cast.amelia.id, f"client-{client.id}", "record", {"phone": "01632 960200", "notes": "Ring\nthem 👋"})
    ]
    [draft] = stored()
    assert (draft.base_version, draft.started_from.seen) == (2, {"notes": 3, "phone": 2})
    assert datetime.now(UTC) - draft.updated_at < timedelta(minutes=1)


def test_two_pages_of_one_form_keep_a_draft_each(amelia: Visitor, client: Client) -> None:
    keep(amelia, client, draft="one", version=3, seen="notes:4", values={"notes": "One", "town": "Bath"})
    keep(amelia, client, draft="two", version=2, seen="phone:5", values={"notes": "Two"})
    keep(amelia, client, draft="one", version=3, seen="", values={"notes": "One more"})
    assert [row[3] for row in kept()] == [{"notes": "One more"}, {"notes": "Two"}]

    keep(amelia, client, draft="one", values={})
    assert [row[3] for row in kept()] == [{"notes": "Two"}]
    discard(amelia, client, draft="two")
    assert kept() == []


def test_restored_draft_is_deleted_when_its_page_keeps_its_own(amelia: Visitor, client: Client) -> None:
    keep(amelia, client, draft="one", values={"notes": "One"})
    [mark] = [str(draft.mark) for draft in stored()]

    assert keep(amelia, client, draft="two", values={"notes": "One, two"}, restored=mark).status_code == 200

    assert [(draft.draft_id, draft.values) for draft in stored()] == [("two", {"notes": "One, two"})]


@pytest.mark.parametrize("how", ["restored", "discarded", "discarded by hand"])
def test_draft_that_its_page_has_written_since_stays(amelia: Visitor, client: Client, how: str) -> None:
    keep(amelia, client, draft="one", values={"notes": "One"})
    [mark] = [str(draft.mark) for draft in stored()]
    keep(amelia, client, draft="one", values={"notes": "One more line"})

    if how == "restored":
        keep(amelia, client, draft="two", values={"notes": "One"}, restored=mark)
        discard(amelia, client, draft="two")
    elif how == "discarded":
        assert discard(amelia, client, mark=mark).json == {"status": "moved_on", "discarded": False}
    else:
        path = f"/discard_draft/client-{client.id}?form=record"
        assert amelia.post(path, data={"mark": mark, "back": "/clients"}).status_code == 302
        assert "Nothing is discarded" in text_of(amelia.get("/clients"))

    assert [row[3] for row in kept()] == [{"notes": "One more line"}]


def test_mark_discards_the_offered_draft_only(amelia: Visitor, client: Client) -> None:
    keep(amelia, client, draft="one", values={"notes": "One"})
    keep(amelia, client, draft="two", values={"notes": "Two"})
    mark = str(stored()[0].mark)

    for _ in range(2):
        assert discard(amelia, client, mark=mark).json == {"status": "discarded", "discarded": True}

    assert [row[3] for row in kept()] == [{"notes": "Two"}]


def test_page_of_the_release_before_keeps_one_draft_without_an_id(amelia: Visitor, client: Client) -> None:
    path = f"/edit_drafts/client-{client.id}?form=record"
    for phone in ("1", "2"):
        body = {"version": 1, "seen": "", "values": {"phone": phone}, "mine": ["phone"]}
        assert amelia.call("PUT", path, json=body).status_code == 200

    assert [(draft.draft_id, draft.values) for draft in stored()] == [("", {"phone": "2"})]


@given(st.text("abc-_XYZ019", max_size=40), st.integers(0, 10**16))
def test_formatted_mark_is_parsed_unchanged(draft_id: str, microseconds: int) -> None:
    mark = Mark(draft_id, datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds))
    assert mark_from(str(mark)) == mark


@pytest.mark.parametrize(
    "text", ["", "@", "a@", "a@-1", "a b@1", f"{'a' * 41}@1", "a@1 ", "a@1٣", f"a@{'9' * 18}", "a"]
)
def test_malformed_mark_is_rejected(amelia: Visitor, client: Client, text: str) -> None:
    assert mark_from(text) is None
    assert_problem(discard(amelia, client, mark=text), 422)
    assert_problem(keep(amelia, client, restored=text), 422)


def test_each_form_page_and_profile_has_its_own_drafts(
    amelia: Visitor, visit: Visit, cast: Cast, client: Client
) -> None:
    other = make_client("Baker Family")
    daniel = visit(cast.daniel)
    for visitor, record, form in ((amelia, client, "record"), (amelia, client, "person/12"), (daniel, other, "record")):
        assert keep(visitor, record, form).status_code == 200

    assert discard(daniel, client).status_code == 200
    assert discard(amelia, other).status_code == 200
    assert [row[:3] for row in kept()] == [
        (cast.amelia.id, f"client-{client.id}", "person/12"),
        (cast.amelia.id, f"client-{client.id}", "record"),
        (cast.daniel.id, f"client-{other.id}", "record"),
    ]


def test_discarding_a_draft_twice_succeeds(amelia: Visitor, client: Client) -> None:
    keep(amelia, client)

    for _ in range(2):
        assert discard(amelia, client).json == {"status": "discarded", "discarded": True}
    assert kept() == []


def test_oldest_of_more_than_a_hundred_drafts_is_deleted(amelia: Visitor, cast: Cast, client: Client) -> None:
    for number in range(store.MAX_DRAFTS_PER_PROFILE):
        store.save(
            DraftKey(cast.amelia.id, f"client-{number + 1000}", "record"),
            "a",
            store.DraftPayload(1, "", {"phone": "1"}),
        )
    store.save(DraftKey(cast.amelia.id, "client-999", "old"), "a", store.DraftPayload(1, "", {"phone": "1"}))
    store.save(DraftKey(cast.daniel.id, "client-999", "old"), "a", store.DraftPayload(1, "", {"phone": "1"}))
    age(3600, "old")

    keep(amelia, client)

    assert (
        db.session.scalar(select(func.count()).where(EditDraft.profile_id == cast.amelia.id))
        == store.MAX_DRAFTS_PER_PROFILE
    )
    assert [row[0] for row in kept() if row[2] == "old"] == [cast.daniel.id]


def test_draft_does_not_change_the_record(amelia: Visitor, client: Client) -> None:
    keep(amelia, client)

    db.session.refresh(client)
    assert (client.version, client.phone) == (1, "01632 960001")


LONE_SURROGATE = "\ud800"
WRONG: list[tuple[str, Any]] = [
    *(("version", value) for value in (None, "1", 0, -1, 1.5, True, 2**31, 10**400, [], {})),
    *(("seen", value) for value in (None, 7, "phone", "phone:0", "phone:x", "Phone:1", "phone:1\0", "x:1 " * 301)),
    *(("values", value) for value in (None, 7, "x", [], [["phone", "1"]], {"phone": 1}, {"phone": None})),
    *(
        ("values", {name: "x"})
        for name in ("", " ", "a b", "a\0", "ä", "1st", "Phone", "a-b", "x" * 61, LONE_SURROGATE)
    ),
    *(("values", {"notes": value}) for value in ("x" * 100_001, "a\0b", LONE_SURROGATE, ["x"], {"x": "y"}, True)),
    ("values", {f"field_{number}": "x" for number in range(101)}),
    *(("restored", value) for value in (None, 7, "phone", {}, ["a@1"])),
]


@pytest.mark.parametrize(("member", "value"), WRONG, ids=lambda part: repr(part)[:40])
def test_value_out_of_range_is_422_naming_the_member(amelia: Visitor, client: Client, member: str, value: Any) -> None:
    response = keep(amelia, client, **{member: value})

    assert_problem(response, 422)
    assert response.json["field"] == member
    assert kept() == []


def test_values_at_their_limits_are_accepted(amelia: Visitor, client: Client) -> None:
    """All fields of a form, 100,000 characters in a value, the largest number of a part."""
    values = {name: "x" for names in ClientForm.GROUPS.values() for name in names}

    assert keep(amelia, client, values={**values, "notes": "x" * 100_000}).status_code == 200
    assert keep(amelia, client, form="person/2147483647", version=2**31 - 1).status_code == 200


@pytest.mark.parametrize(
    ("form", "field"),
    [
        *(("record", "notes"), ("record/contact", "phone")),
        *(("person/12", "known_as"), ("product/12", "provider"), ("valuation/12", "amount")),
        *(("person/new", "known_as"), ("product/new", "provider"), ("valuation/new/12", "amount")),
    ],
)
def test_each_editor_keeps_the_fields_of_its_own_form(amelia: Visitor, client: Client, form: str, field: str) -> None:
    assert keep(amelia, client, form, values={field: "x", f"aside-{field}": "y"}).status_code == 200
    assert keep(amelia, client, form, values={field: "x"}).status_code == 200
    for other in {"notes", "known_as", "provider", "amount", "is_restricted", "version", "draft"} - {field}:
        assert_problem(keep(amelia, client, form, values={field: "x", other: "x"}), 422)
    assert [row[2:] for row in kept()] == [(form, {field: "x"})]


def test_drafts_of_a_profile_stay_within_their_total_size(
    amelia: Visitor, visit: Visit, cast: Cast, client: Client
) -> None:
    """Random digits hardly compress. The oldest drafts are deleted, those of other profiles stay."""
    keep(visit(cast.daniel), client)
    for number in range(60):
        digits = secrets.token_hex(50_000)
        response = keep(amelia, client, draft=f"tab-{number}", values={"notes": digits, "objectives": digits})
        assert response.status_code == 200

    mine = (EditDraft.profile_id == cast.amelia.id,)
    bytes_, count = db.session.execute(
        select(func.sum(func.pg_column_size(EditDraft.values)), func.count()).where(*mine)
    ).one()
    assert bytes_ <= store.MAX_DRAFTS_BYTES
    assert 10 < count < 60
    ids = db.session.scalars(select(EditDraft.draft_id).where(*mine).order_by(EditDraft.updated_at.desc())).all()
    assert ids == [f"tab-{number}" for number in range(59, 59 - count, -1)]
    assert len(kept()) == count + 1


@pytest.mark.parametrize(
    "form",
    [
        *("", "Record", "a b", "person/", "/12", "a//b", "../x", "x%00", "%ff", "x" * 61),
        *("record/1", "client/1", "grant/new", "person/0", "person/2147483648", "person/12/13", "valuation/new"),
    ],
)
def test_unknown_form_is_422(amelia: Visitor, client: Client, form: str) -> None:
    for response in (keep(amelia, client, form), discard(amelia, client, form)):
        assert_problem(response, 422)
        assert response.json["field"] == "form"


@pytest.mark.parametrize("draft", ["a b", "x" * 41, "%00", "ä", "a/b", "a@1"])
def test_malformed_draft_id_is_422(amelia: Visitor, client: Client, draft: str) -> None:
    for response in (keep(amelia, client, draft=draft), discard(amelia, client, draft=draft)):
        assert_problem(response, 422)
        assert response.json["field"] == "draft"


def test_missing_form_is_422(amelia: Visitor, client: Client) -> None:
    assert_problem(amelia.delete(f"/edit_drafts/client-{client.id}"), 422)


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 10_000, b"\xff", b"[]", b"7", b"null", b'{"values": NaN}'])
def test_body_that_is_not_a_json_object_is_rejected(amelia: Visitor, client: Client, body: bytes) -> None:
    path = f"/edit_drafts/client-{client.id}?form=record"
    response = amelia.call("PUT", path, data=body, content_type="application/json")

    assert_problem(response, response.status_code)
    assert response.status_code in (400, 422)
    assert_problem(amelia.call("PUT", path, data=body, content_type="text/plain"), 415)


def test_body_that_is_too_large_is_413(amelia: Visitor, client: Client) -> None:
    draft = json.dumps({"version": 1, "values": {"phone": "1"}})
    for size, status in ((256 * 1024, 200), (256 * 1024 + 1, 413)):
        body = draft.ljust(size)
        path = f"/edit_drafts/client-{client.id}?form=record"
        assert amelia.call("PUT", path, data=body, content_type="application/json").status_code == status


@pytest.mark.parametrize("page_identifier", ["client-999999", "client-0", "fund-1", "client-1%00", "*"])
def test_unknown_page_is_404(amelia: Visitor, page_identifier: str) -> None:
    for method in ("PUT", "DELETE"):
        assert_problem(amelia.call(method, f"/edit_drafts/{page_identifier}?form=record", json={}), 404)


def test_reader_cannot_keep_a_draft(visit: Visit, cast: Cast, client: Client) -> None:
    rhys = visit(cast.rhys)

    assert_problem(keep(rhys, client), 403)
    assert_problem(discard(rhys, client), 403)


def test_missing_session_is_reported_before_missing_token(
    visit: Visit, cast: Cast, client: Client, olgas_browser: Visitor
) -> None:
    assert_problem(keep(visit(None), client), 401)
    assert_problem(keep(olgas_browser, client), 401)
    assert_problem(keep(visit(cast.amelia).without_token(), client), 403)


@pytest.mark.parametrize("call", [keep, discard])
def test_draft_does_not_extend_the_sign_in_session(amelia: Visitor, client: Client, call: Any) -> None:
    response = call(amelia, client)

    assert response.status_code == 200
    assert "Set-Cookie" not in response.headers


def test_idle_session_ends_although_its_page_sends_drafts(visit: Visit, cast: Cast, client: Client) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        amelia = visit(cast.amelia).with_token()
        amelia.get("/clients")
        for _ in range(2):
            clock.shift(timedelta(minutes=14))
            assert keep(amelia, client).status_code == 200
        clock.shift(timedelta(minutes=3))
        assert_problem(keep(amelia, client), 401)


def test_database_outage_is_503(tapped_visit: Visit, wiretap: Wiretap, cast: Cast, client: Client) -> None:
    amelia = tapped_visit(cast.amelia).with_token()
    with wiretap.cut():
        for response in (keep(amelia, client), discard(amelia, client)):
            assert_problem(response, 503)
            assert int(response.headers["Retry-After"]) > 0


def test_purge_deletes_drafts_unchanged_for_thirty_days(
    amelia: Visitor, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "portal.jobs")
    day = 24 * 3600
    for form, days in (("record", 29.9), ("person/1", 30.1), ("person/2", 400)):
        keep(amelia, client, form)
        age(days * day, form)

    assert run_job(PURGE) == 2
    assert [row[2] for row in kept()] == ["record"]
    assert caplog.messages[-1].startswith("draft purge: 2 in ")


def test_purge_runs_once_an_hour_in_one_process(app: Flask) -> None:
    assert PURGE.every_seconds == 3600
    with db.engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": PURGE.lock})
        assert run_job(PURGE) is None


def test_unknown_member_is_rejected(amelia: Visitor, client: Client) -> None:
    """If it were ignored, the input would be lost without an error."""
    body = {"version": 1, "values": {"phone": "1"}, "valeus": {"notes": "x"}}
    response = amelia.call("PUT", f"/edit_drafts/client-{client.id}?form=record", json=body)

    assert (response.status_code, response.json["field"]) == (422, "valeus")
