"""The documents name only what exists: every path and module in back-ticks, every relative link, every make target."""

import re
from pathlib import Path

import pytest

from portal.config import PROJECT_ROOT

DOCUMENTS = [
    *sorted(PROJECT_ROOT.glob("*.md")),
    *sorted((PROJECT_ROOT / "docs").rglob("*.md")),
    *sorted((PROJECT_ROOT / "deploy").rglob("*.md")),
]
# A path is looked for below each of them: ARCHITECTURE.md writes `presence/store.py` for portal/presence/store.py.
ROOTS = ("", "portal", "portal/clients", "static/js", "static/css", "templates", "tests", "deploy", "docs")
PATH = re.compile(r"`([\w.-]+(?:/[\w.-]+)+\.(?:py|js|css|html|md|toml|txt|cfg))(?::[^`]*)?`")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
TARGET = re.compile(r"`make ([a-z-]+)")

document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT_ROOT)))


@document
def test_every_path_in_a_document_exists(document: Path) -> None:
    paths = PATH.findall(document.read_text())
    assert [path for path in paths if not any((PROJECT_ROOT / root / path).exists() for root in ROOTS)] == []


@document
def test_every_link_in_a_document_leads_somewhere(document: Path) -> None:
    links = LINK.findall(re.sub(r"```.*?```", "", document.read_text(), flags=re.S))
    assert [link for link in links if not (document.parent / link).exists()] == []


@document
def test_every_make_target_in_a_document_exists(document: Path) -> None:
    known = set(re.findall(r"^([a-z-]+):", (PROJECT_ROOT / "Makefile").read_text(), flags=re.M))
    assert set(TARGET.findall(document.read_text())) - known == set()


def test_the_documents_are_found() -> None:
    assert len(DOCUMENTS) > 10
    assert len(PATH.findall((PROJECT_ROOT / "ARCHITECTURE.md").read_text())) > 20
