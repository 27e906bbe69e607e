"""Test the audit page, its filters, the CSV and the command."""

import csv
import io
import json
import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from portal import audit
from portal.admin.audit import queries, views
from portal.admin.audit.filters import AuditFilters, parse_filters
from portal.audit import AuditEvent, Event
from portal.auth import Profile
from portal.auth.sessions import store
from portal.extensions import db
from portal.web.actor import Actor, RequestOrigin
from tests.support.cast import Cast
from tests.support.html import errors_of, form_of, links_of, text_of
from tests.support.test_client import Visitor, identity_of

Visit = type[Visitor]
EVIL = '=HYPERLINK("https://evil.example")<script>alert(1)</script>'


@pytest.fixture
def ada(visit: Visit, cast: Cast) -> Visitor:
    """Record three events from a browser whose user agent is a formula and a script."""
    audit.record(
        Event.SIGNED_IN, Actor(cast.amelia.id, RequestOrigin("203.0.113.9", EVIL, "r1")), profile_id=cast.amelia.id
    )
    audit.record(
        Event.ROLE_CHANGED, Actor(cast.ada.id, RequestOrigin("198.51.100.7")), profile_id=cast.rhys.id, after="reader"
    )
    audit.record(
        Event.EXPORTED, Actor(None, RequestOrigin(user_agent="flask clients export, by ops")), what="clients", rows=7
    )
    db.session.commit()
    return visit(cast.ada)


def rows_of(page: str) -> int:
    return page.count("<tr>") - 1


def test_audit_page_shows_actor_event_time_and_address(ada: Visitor) -> None:
    _, _, page = text_of(ada.get("/audit")).partition("newest first")

    assert page.index("Exported") < page.index("Role changed") < page.index("Amelia Hart")
    assert "rows 7, what clients" in page
    assert "flask clients export, by ops" in page
    assert "Rhys Morgan rhys.morgan@firm.example" in page
    assert "198.51.100.7" in page


def test_user_agent_is_escaped(ada: Visitor) -> None:
    assert "<script>alert" not in ada.get("/audit").text


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 3),
        ("event=exported", 1),
        ("who=RHYS", 1),
        ("who=hart@firm", 1),
        ("who=amelia.hart%40firm", 1),
        ("who=ada+byron", 1),
        ("address=203.0.113.9", 1),
        ("since=2000-01-01&until=2100-01-01", 3),
        ("until=2000-01-01", 0),
        ("since=2100-01-01", 0),
        ("event=role_changed&address=203.0.113.9", 0),
        ("event=nonsense&address=x&before=-1&who=%00", 3),
        ("since=1%2F1%2F2000&until=1+Jan+2100", 3),
        ("since=&until=+", 3),
        ("before=2", 1),
        ("who=%25", 0),
        ("before=99999999999999999999999", 3),
    ],
)
def test_filters_select_events(ada: Visitor, query: str, count: int) -> None:
    answer = ada.get(f"/audit?{query}")

    assert answer.status_code == 200
    assert (rows_of(answer.text) if count else answer.text.count("Nothing of that kind")) == (count or 1)


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("yesterday", "Enter a date such as"),
        ("12/08", "Add the year"),
        ("30/02/2026", "not in the calendar"),
        ("0000-00-00", "There is no month 0"),
        ("31/12/9999", "Enter a year from 1970"),
        ("<script>", "Enter a date such as"),
    ],
)
@pytest.mark.parametrize("field", ["since", "until"])
def test_unreadable_day_is_rejected_at_its_field(ada: Visitor, field: str, typed: str, problem: str) -> None:
    answer = ada.get("/audit", query_string={field: typed, "who": "rhys"})

    assert answer.status_code == 422
    assert problem in errors_of(answer)[field]
    assert (form_of(answer)[field], form_of(answer)["who"]) == (typed, "rhys")
    assert "Correct the days to see events." in text_of(answer)
    assert ada.get("/audit.csv", query_string={field: typed}).status_code == 422


def test_day_of_a_filter_is_written_out(ada: Visitor) -> None:
    assert form_of(ada.get("/audit?since=2026-12-08"))["since"] == "8 December 2026"


def test_audit_page_shows_a_hundred_events_and_links_to_older_ones(ada: Visitor, cast: Cast) -> None:
    for _ in range(105):
        audit.record(Event.SIGNED_OUT, Actor(cast.daniel.id, RequestOrigin("192.0.2.1")))
    db.session.commit()
    first = ada.get("/audit?who=daniel")
    assert rows_of(first.text) == 100
    [older] = [link for link in links_of(first) if "before=" in link]

    second = ada.get(older)
    assert rows_of(second.text) == 5
    assert "Newest" in text_of(second)


def test_csv_contains_the_filtered_events_without_formulas(ada: Visitor, cast: Cast) -> None:
    answer = ada.get("/audit.csv?who=amelia")

    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
    assert answer.headers["Cache-Control"] == "no-store"
    header, row = csv.reader(io.StringIO(answer.text))
    event = dict(zip(header, row, strict=True))
    assert (event["event"], event["actor"], event["address"]) == ("signed_in", "Amelia Hart", "203.0.113.9")
    assert event["user_agent"] == f"'{EVIL}"
    assert event["at"].endswith("+00:00")


def test_each_cell_of_the_csv_is_quoted(ada: Visitor, cast: Cast) -> None:
    """A spreadsheet that separates cells by semicolons would evaluate the rest of an unquoted `x;=1+1`."""
    audit.record(Event.SIGNED_IN, Actor(cast.ada.id, RequestOrigin("203.0.113.9", "x;=1+1", "r1")))
    db.session.commit()

    written = ada.get("/audit.csv").text

    assert re.fullmatch(r'("([^"]|"")*"(,"([^"]|"")*")*\r\n)+', written)
    assert '"x;=1+1"' in written


def test_export_of_the_csv_is_recorded(ada: Visitor, cast: Cast) -> None:
    ada.get("/audit.csv?who=a+secret+thing&event=exported")

    taken = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert (taken.event, taken.actor_id) == ("exported", cast.ada.id)
    assert taken.about == {"what": "audit", "filters": ["event", "who"]}


def test_csv_holds_no_transaction_while_the_browser_reads_and_loses_no_event(
    app: Flask, ada: Visitor, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "ROWS_AT_A_TIME", 2)
    reader = identity_of(app, cast.ada)
    db.session.rollback()
    lines = []
    for line in views._csv_lines(AuditFilters(), reader):
        assert not db.session().in_transaction()
        lines.append(line)
    assert (len(lines), len(set(lines))) == (4, 4)


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "adviser"}, {}])
def test_csv_ends_when_the_session_of_its_reader_ends_or_the_reader_loses_oversight(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
) -> None:
    monkeypatch.setattr(queries, "ROWS_AT_A_TIME", 1)
    lines = views._csv_lines(AuditFilters(), identity_of(app, cast.ada))
    next(lines)
    assert "flask clients export" in next(lines)

    if change:
        db.session.execute(update(Profile).where(Profile.id == cast.ada.id).values(change))
    else:
        store.end_all(cast.ada.id)
    db.session.commit()

    assert list(lines) == []


def test_each_line_of_the_command_is_an_event(app: Flask, ada: Visitor) -> None:
    def run(*arguments: str) -> Any:
        result = app.test_cli_runner().invoke(args=["audit", "list", *arguments])
        assert result.exit_code == 0, result.output
        return result

    listed = run()
    assert listed.stderr == "3 events\n"
    newest, role, signed_in = (line.split("\t") for line in listed.stdout.splitlines())
    assert newest[1:4] == ["exported", "flask clients export, by ops", ""]
    assert role[1:] == [
        "role_changed",
        "ada.byron@firm.example",
        "rhys.morgan@firm.example",
        "after reader",
        "198.51.100.7",
    ]
    assert signed_in[5] == "203.0.113.9"
    for option in ("--limit", "--most"):
        assert run("--event", "exported", option, "1").stderr.endswith("1 events\n")
    assert run("--user", "rhys", "--since", "2000-01-01").stderr == "1 events\n"
    [line] = run("--json", "--address", "203.0.113.9").stdout.splitlines()
    assert json.loads(line) | {"at": ""} == {
        "at": "",
        "event": "signed_in",
        "actor": "amelia.hart@firm.example",
        "profile": "amelia.hart@firm.example",
        "about": {},
        "address": "203.0.113.9",
        "request_id": "r1",
    }


@pytest.mark.parametrize("arguments", [["--event", "nonsense"], ["--since", "yesterday"], ["--limit", "0"]])
def test_command_with_an_invalid_option_value_fails(app: Flask, arguments: list[str]) -> None:
    assert app.test_cli_runner().invoke(args=["audit", "list", *arguments]).exit_code == 2


def test_help_of_the_command_has_an_example(app: Flask) -> None:
    assert "Example: flask audit list" in app.test_cli_runner().invoke(args=["audit", "list", "--help"]).output


def test_days_of_the_filters_are_those_of_london() -> None:
    """In summer a day in London begins at 23:00 UTC."""
    filters = parse_filters({"since": "2026-07-01", "until": "2026-07-01"})

    assert filters.since_at.isoformat() == "2026-07-01T00:00:00+01:00"
    assert filters.until_at.isoformat() == "2026-07-02T00:00:00+01:00"


def test_audit_page_without_events_is_shown(visit: Visit, cast: Cast) -> None:
    db.session.execute(text("SELECT 1"))
    assert "Nothing of that kind" in text_of(visit(cast.ada).get("/audit"))
