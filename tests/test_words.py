"""Test that pages, messages and documents use the same words and apostrophes."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.clients import Client
from portal.config import PROJECT_ROOT
from tests.support.cast import Cast
from tests.support.html import text_of
from tests.support.pages import make_complete_client, pages_of
from tests.support.test_client import Visitor

STRAIGHT_APOSTROPHE = re.compile(r"\w+'\w+")
OTHER_WORDS = re.compile(r"\be-mail\w*|\bnot for you\b", re.IGNORECASE)
PYTHON = sorted((PROJECT_ROOT / "portal").rglob("*.py"))
OTHERS = [
    path
    for folder, pattern in (("templates", "*.html"), ("static/js", "*.js"), ("docs", "*.md"))
    for path in sorted((PROJECT_ROOT / folder).rglob(pattern))
]
# What a terminal shows may have no other apostrophe; SQL and the name in authenticator apps are no sentences.
OF_A_TERMINAL = {"cli.py", "__main__.py", "checks.py", "totp.py"}
SETTINGS = PROJECT_ROOT / "portal" / "config"


@pytest.fixture
def client(cast: Cast) -> Client:
    return make_complete_client(cast)


def test_pages_use_the_curly_apostrophe_and_the_agreed_words(
    visit: type[Visitor],
    cast: Cast,
    client: Client,
) -> None:
    words = {name: text_of(answer) for name, answer in pages_of(visit, cast, client)}
    found = {name: STRAIGHT_APOSTROPHE.findall(text) + OTHER_WORDS.findall(text) for name, text in words.items()}

    assert len(found) >= 25
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_sources_use_the_agreed_words() -> None:
    paths = [*PYTHON, *OTHERS]
    words = {str(path.relative_to(PROJECT_ROOT)): OTHER_WORDS.findall(path.read_text()) for path in paths}

    assert len(words) > 250
    assert {name: wrong for name, wrong in words.items() if wrong} == {}


def test_messages_have_the_curly_apostrophe() -> None:
    paths = [path for path in PYTHON if path.name not in OF_A_TERMINAL and path.parent != SETTINGS]
    found = [text for path in paths for text in messages_in(path)]

    assert len(found) > 1_000
    assert [text for text in found if STRAIGHT_APOSTROPHE.search(text)] == []


def messages_in(path: Path) -> Iterator[str]:
    """Yield the string constants of a module that users may read, without docstrings and SQL."""
    tree = ast.parse(path.read_text())
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone
        if is_text and not re.search(r"\b(SELECT|WHERE|jsonb)\b", node.value):  # type: ignore[union-attr]
            yield node.value  # type: ignore[union-attr, misc]
