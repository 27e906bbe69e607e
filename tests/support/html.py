"""Read the forms, errors and text of a page."""

import re
from html import unescape

from werkzeug.test import TestResponse

# A tag with its attributes, or text. Comments and the doctype match without a group.
TOKEN = re.compile(r'<(/?)([a-z][a-z0-9-]*)((?:[^">]|"[^"]*")*)>|<!(?:--.*?--|[^>]*)>|([^<]+)', re.DOTALL)
ATTRIBUTE = re.compile(r'([^\s="/]+)(?:="([^"]*)")?')


def form_of(answer: TestResponse) -> dict[str, str]:
    """Return what a browser would send for the last form except the sign-out form: name → value."""
    return _Page(answer.text).forms[-1]


def forms_of(answer: TestResponse) -> list[dict[str, str]]:
    """Return the fields that a browser would send for each form of the page, in their order."""
    return _Page(answer.text).forms


def errors_of(answer: TestResponse) -> dict[str, str]:
    """Return the error at each field, by the field's id."""
    texts = _Page(answer.text).texts
    return {name.removesuffix("-error"): text for name, text in texts.items() if name.endswith("-error")}


def text_of(answer: TestResponse) -> str:
    """Return the text of the page with entities resolved and white space joined."""
    return " ".join(" ".join(_Page(answer.text).words).split())


def links_of(answer: TestResponse) -> list[str]:
    return _Page(answer.text).links


def options_of(answer: TestResponse, field_id: str) -> list[str]:
    """Return the values of a select."""
    return _Page(answer.text).options[field_id]


class _Page:
    """What the tests ask about a page of the portal, whose templates quote each attribute with double quotes.

    Python's own parser of HTML takes more than twice as long: 2.8 ms a page, and the tests read over 2,000.
    """

    def __init__(self, text: str) -> None:
        self.forms: list[dict[str, str]] = []
        self.texts: dict[str, str] = {}
        self.words: list[str] = []
        self.links: list[str] = []
        self.options: dict[str, list[str]] = {}
        self._select: str | None = None
        self._textarea: str | None = None
        self._inside: list[tuple[str, str]] = []  # (tag, id) of open elements that have an id
        self._silent = False
        for end, tag, attributes, data in TOKEN.findall(text):
            if data:
                self._read_text(unescape(data))
            elif end:
                self._end(tag)
            elif tag:
                self._start(tag, {name: unescape(value) for name, value in ATTRIBUTE.findall(attributes)})

    def _start(self, tag: str, given: dict[str, str]) -> None:
        if "id" in given and tag != "input":
            self._inside.append((tag, given["id"]))
            self.texts[given["id"]] = ""
        if tag == "form":
            self.forms.append({})
        elif tag == "a":
            self.links.append(given.get("href", ""))
        elif tag in ("input", "select", "option", "textarea"):
            self._control(tag, given)
        self._silent = tag in ("script", "style", "template")

    def _control(self, tag: str, given: dict[str, str]) -> None:
        name = given.get("name")
        if tag == "input" and name and (given.get("type") != "radio" or "checked" in given):
            self.forms[-1][name] = given.get("value", "")
        elif tag == "textarea":
            self._textarea = name or ""
            self.forms[-1][self._textarea] = ""
        elif tag == "select":
            self._select = name or ""
            self.options[self._select] = []
        elif tag == "option" and self._select is not None:
            self.options[self._select].append(given.get("value", ""))
            if "selected" in given or self._select not in self.forms[-1]:
                self.forms[-1][self._select] = given.get("value", "")

    def _end(self, tag: str) -> None:
        if tag == "select":
            self._select = None
        elif tag == "textarea" and self._textarea is not None:
            # HTML drops the first line feed after <textarea>, and a browser sends CRLF.
            text = self.forms[-1][self._textarea]
            self.forms[-1][self._textarea] = text.removeprefix("\r").removeprefix("\n").replace("\n", "\r\n")
            self._textarea = None
        self._silent = False
        if self._inside and self._inside[-1][0] == tag:
            self._inside.pop()

    def _read_text(self, data: str) -> None:
        if self._textarea is not None:
            self.forms[-1][self._textarea] += data
        if not self._silent:
            self.words.append(data)
        for _, element_id in self._inside:
            self.texts[element_id] += data
