"""What the Nu HTML checker (validator.w3.org/nu) has found in pages: held here without it, for it needs Java."""

import re
from html.parser import HTMLParser

import pytest
from sqlalchemy import select

from portal.clients import Client, Valuation
from portal.extensions import db
from tests.support.cast import Cast
from tests.support.pages import make_complete_client, pages_of
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
    return make_complete_client(cast)


def test_pages_pass_the_html_checks(visit: Visit, cast: Cast, client: Client) -> None:
    assert db.session.scalars(select(Valuation.id).order_by(Valuation.id)).all() == [1, 2]
    found = dict(pages_of(visit, cast, client))

    assert len(found) >= 25
    assert {name: answer.mimetype for name, answer in found.items()} == dict.fromkeys(found, "text/html")
    assert found["conflict"].status_code == found["gone"].status_code == 409
    assert {name: faults for name, answer in found.items() if (faults := Faults(answer.text).found)} == {}
