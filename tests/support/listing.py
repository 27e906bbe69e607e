"""Read the rows and views of the client list."""

import re
from html import unescape

from werkzeug.test import TestResponse

_VIEW = re.compile(r'href="/clients\?view=(\w+)[^>]*>[^<]*<span class="count">([\d,]+)<')


def names_in(response: TestResponse) -> list[str]:
    """Return the names of the rows, in order."""
    rows = re.sub("</?mark>", "", response.text).split("<tr data-page=")[1:]
    return [unescape(row.split("</a>")[0].rsplit(">", 1)[1]) for row in rows]


def counts_of(response: TestResponse) -> dict[str, int]:
    """Return the number of clients that the tab of each view shows."""
    return {view: int(count.replace(",", "")) for view, count in _VIEW.findall(response.text)}
