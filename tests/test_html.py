"""What the Nu HTML checker (validator.w3.org/nu) has found in pages: held here without it, for it needs Java."""

import re
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.clients import Client, Valuation
from portal.editing.drafts import store
from portal.editing.drafts.store import DraftKey, DraftPayload
from portal.extensions import db
from tests.support.cast import Cast
from tests.support.factories import make_client, make_person, make_product
from tests.support.html import form_of
from tests.support.test_client import Visitor

Visit = type[Visitor]
# The forms of `datetime` that the portal uses: a day, or a moment with at most three decimals of a second.
DATETIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?[+-]\d\d:\d\d)?", re.ASCII)
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}


class Faults(HTMLParser):
    """Collect the errors of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._ids: set[str] = set()
        self._open_sections: list[tuple[str, bool]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "section":
            self._open_sections.append((self.get_starttag_text() or "", False))
        elif tag in HEADINGS and self._open_sections:
            self._open_sections[-1] = (self._open_sections[-1][0], True)
        if "datetime" in given and not DATETIME.fullmatch(given["datetime"] or ""):
            self.found.append(f"datetime {given['datetime']}")
        if (name := given.get("id")) is not None:
            if name in self._ids or not name or " " in name:
                self.found.append(f"id {name}")
            self._ids.add(name)

    def handle_endtag(self, tag: str) -> None:
        if tag == "section":
            start, has_heading = self._open_sections.pop()
            if not has_heading:
                self.found.append(f"no heading in {start}")


@pytest.fixture
def client(cast: Cast) -> Client:
    """Return a restricted client with one part of each kind, a later change and a draft of Amelia's."""
    client = make_client(
        "Whitmore Family", adviser_id=cast.amelia.id, phone="111", notes="One\nTwo", is_restricted=True
    )
    make_person(client)
    make_product(client, (date(2026, 1, 31), "1000.00"), (date(2026, 2, 28), "1100.00"))
    store.keep(DraftKey(cast.amelia.id, f"client-{client.id}", "record"), "a", DraftPayload(1, "", {"phone": "3"}))
    db.session.commit()
    return client


def pages_of(visit: Visit, cast: Cast, client: Client) -> Iterator[tuple[str, TestResponse]]:
    amelia, daniel, ada, nobody = visit(cast.amelia), visit(cast.daniel), visit(cast.ada), visit(None)
    here = f"/clients/{client.id}"
    opened = form_of(amelia.get(f"{here}/edit"))
    for phone in ("222", "2222"):
        ada.post(f"{here}/edit", data={**form_of(ada.get(f"{here}/edit")), "phone": phone, "notes": phone})
    ada.post(f"{here}/person/1/edit", data={**form_of(ada.get(f"{here}/person/1/edit")), "known_as": "Ru"})
    paths = [
        *(
            "",
            "/edit",
            "/edit?draft=a",
            "/history",
            "/history/2/revert",
            "/access",
            "/person/1/edit",
            "/person/new",
            "/person/1/remove",
            "/product/1",
        ),
        *("/product/1/edit", "/product/new", "/product/1/remove", "/product/1/valuation/new", "/valuation/1/edit"),
        "/valuation/1/remove",
    ]
    for path in paths:
        yield here + path, amelia.get(here + path)
    yield "wrong", amelia.post(f"{here}/edit", data={**opened, "name": ""})
    yield "conflict", amelia.post(f"{here}/edit", data={**opened, "phone": "444", "notes": "4"})
    amelia.post(f"{here}/valuation/1/remove", data=form_of(amelia.get(f"{here}/valuation/1/remove")))
    yield "gone", amelia.post(f"{here}/valuation/1/edit", data={**opened, "valued_on": "1/1/2026", "amount": "1"})
    yield "not found", daniel.get(here)
    for path in ("/sign-in", "/choose-password"):
        yield path, nobody.get(path)
    for path in ("/clients", "/clients?q=nobody", "/account", "/signed-in"):
        yield path, amelia.get(path)
    for path in ("/users", "/users/new", f"/users/{cast.rhys.id}", "/audit"):
        yield path, ada.get(path)


def test_pages_pass_the_html_checks(visit: Visit, cast: Cast, client: Client) -> None:
    assert db.session.scalars(select(Valuation.id).order_by(Valuation.id)).all() == [1, 2]
    found = dict(pages_of(visit, cast, client))

    assert len(found) >= 25
    assert {name: answer.mimetype for name, answer in found.items()} == dict.fromkeys(found, "text/html")
    assert found["conflict"].status_code == found["gone"].status_code == 409
    assert {name: faults for name, answer in found.items() if (faults := Faults(answer.text).found)} == {}
