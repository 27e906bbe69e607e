"""The rules that every stylesheet keeps, read from the files themselves."""

import re
from pathlib import Path

import pytest

from portal.config import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "static" / "css"
STYLESHEETS = sorted(FOLDER.rglob("*.css"))


def rules_of(path: Path) -> str:
    return re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)


def selectors_of(path: Path) -> list[str]:
    return [found.strip() for found in re.findall(r"^([^;{}]+)\{", rules_of(path), flags=re.M)]


@pytest.mark.parametrize("path", STYLESHEETS, ids=lambda path: path.name)
def test_every_rule_is_in_a_layer(path: Path) -> None:
    outside = [line for line in rules_of(path).splitlines() if re.match(r"[^\s@}]", line)]
    assert not outside


@pytest.mark.parametrize("path", STYLESHEETS, ids=lambda path: path.name)
def test_nothing_is_important_and_no_id_is_styled(path: Path) -> None:
    assert "!important" not in rules_of(path)
    assert not [selector for selector in selectors_of(path) if "#" in selector]


@pytest.mark.parametrize("path", STYLESHEETS, ids=lambda path: path.name)
def test_the_minifier_keeps_what_a_selector_means(path: Path) -> None:
    """It takes "&.bad :is(input)" in a nested rule for a declaration and drops the blank: another element then."""
    assert not [selector for selector in selectors_of(path) if re.search(r"[\w)\]] :", selector)]


def test_every_stylesheet_is_linked() -> None:
    """By every page, or by those that need it."""
    templates = "".join(path.read_text() for path in (PROJECT_ROOT / "templates").rglob("*.html"))
    lists = re.findall(r"set (?:extra_)?stylesheets = \[(.*?)\]", templates, flags=re.S)
    listed = set(re.findall(r'"((?:components/)?[a-z-]+)"', "".join(lists)))
    assert listed == {path.relative_to(FOLDER).with_suffix("").as_posix() for path in STYLESHEETS}
