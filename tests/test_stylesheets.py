"""The rules that every stylesheet keeps, read from the files themselves."""

import re
from collections import Counter
from itertools import product

import pytest

from portal.config import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "static" / "css"
TEXTS = ("ink", "ink-soft", "ink-faint", "accent", "accent-strong", "warn", "warn-strong", "danger", "good")
GROUNDS = ("canvas", "surface", "surface-sunk", "accent-wash", "warn-wash", "danger-wash")
ON_BUTTONS = (
    ("accent-ink", "accent"),
    ("accent-ink", "accent-strong"),
    ("warn-ink", "warn"),
    ("warn-ink", "warn-strong"),
)


@pytest.fixture(scope="module")
def stylesheets() -> dict[str, str]:
    """The text of each, without its comments, by its path."""
    found = {
        path.relative_to(FOLDER).as_posix(): re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
        for path in sorted(FOLDER.rglob("*.css"))
    }
    assert len(found) > 30
    return found


@pytest.fixture(scope="module")
def selectors(stylesheets: dict[str, str]) -> list[tuple[str, str]]:
    """(path, selector) of every rule there is."""
    found = [
        (path, selector.strip())
        for path, rules in stylesheets.items()
        for selector in re.findall(r"^([^;{}]+)\{", rules, flags=re.M)
    ]
    assert len(found) > 300
    return found


def test_every_rule_is_in_a_layer(stylesheets: dict[str, str]) -> None:
    outside = [(path, line) for path, rules in stylesheets.items() for line in re.findall(r"^[^\s@}].*", rules, re.M)]
    assert outside == []


def test_each_class_is_defined_in_one_stylesheet(stylesheets: dict[str, str]) -> None:
    """Stylesheets load in any order, also later, so two definitions of a class would mix on one page."""
    files = {path: set(re.findall(r"^\t\.([a-z-]+) \{", rules, re.M)) for path, rules in stylesheets.items()}
    count = Counter(name for names in files.values() for name in names)

    assert len(count) > 50
    assert [name for name, times in count.items() if times > 1] == []


def test_stylesheet_of_card_pages_is_linked_by_those_pages_only() -> None:
    """Every other page is smaller without it."""
    templates = {path: path.read_text() for path in sorted((PROJECT_ROOT / "templates").rglob("*.html"))}
    using = [path for path, text in templates.items() if 'class="card sign-in"' in text]
    assert len(using) >= 10
    assert [path for path, text in templates.items() if '"auth/sign-in"' in text] == using


def test_nothing_is_important_and_no_id_is_styled(
    stylesheets: dict[str, str], selectors: list[tuple[str, str]]
) -> None:
    assert [path for path, rules in stylesheets.items() if "!important" in rules] == []
    assert [(path, selector) for path, selector in selectors if "#" in selector] == []


def test_every_stylesheet_is_linked_by_a_template_or_loaded_by_a_script(stylesheets: dict[str, str]) -> None:
    templates = "".join(path.read_text() for path in (PROJECT_ROOT / "templates").rglob("*.html"))
    lists = re.findall(r"set (?:extra_)?stylesheets = (\[.*?)%}", templates, flags=re.S)
    linked = set(re.findall(r'"([a-z]+/[a-z-]+)"', "".join(lists)))
    scripts = "".join(path.read_text() for path in (PROJECT_ROOT / "static" / "js").rglob("*.js"))
    loaded = set(re.findall(r'loadStylesheet\("([a-z]+/[a-z-]+)"\)', scripts))
    for names in re.findall(r"STYLESHEETS = \[(.*?)\]", scripts, flags=re.S):
        loaded |= set(re.findall(r'"([a-z]+/[a-z-]+)"', names))
    assert loaded
    assert {f"{name}.css" for name in linked | loaded} == set(stylesheets)


def test_every_colour_of_text_can_be_read_on_every_ground_in_light_and_in_dark(stylesheets: dict[str, str]) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1. In the dark nothing changes but these tokens, so this covers what axe sees in light.

    `make test-all` has axe look at every page in the dark, `make test` at a few of them.
    """
    light, dark = schemes(stylesheets["foundation/tokens.css"])
    pairs = [*product(TEXTS, GROUNDS), *ON_BUTTONS]
    assert [path for path, rules in stylesheets.items() if "prefers-color-scheme" in rules] == ["foundation/tokens.css"]
    for scheme in (light, dark):
        assert {pair: contrast(*(scheme[name] for name in pair)) for pair in pairs if not is_read(scheme, pair)} == {}


def test_text_and_grounds_have_no_other_colours(stylesheets: dict[str, str]) -> None:
    """Those that the test above knows; `--hue` makes the avatars, which are the same in the dark."""
    inks = {ink for ink, _ in ON_BUTTONS}
    grounds = {ground for _, ground in ON_BUTTONS}
    for name, known in (
        ("color", {*TEXTS, *inks, "editing"}),
        ("background", {*GROUNDS, *grounds, "line", "editing", "hue"}),
    ):
        used = {
            token
            for rules in stylesheets.values()
            for value in re.findall(rf"(?<![\w-]){name}(?:-color)?: (.*?);", rules)
            for token in re.findall(r"--([a-z-]+)", value)
        }
        assert used - known == set()


def schemes(tokens: str) -> tuple[dict[str, str], dict[str, str]]:
    """The colours in light and in dark, by the names of their tokens."""
    light, in_dark = (
        dict(re.findall(r"--([a-z-]+): #([0-9a-f]{6});", part)) for part in tokens.split("prefers-color-scheme: dark")
    )
    assert len(light) > 20
    assert len(in_dark) > 20
    return light, {**light, **in_dark}


def is_read(scheme: dict[str, str], pair: tuple[str, str]) -> bool:
    return contrast(*(scheme[name] for name in pair)) >= 4.5


def contrast(one: str, other: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    channels = (int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4))
    linear = (channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels)
    return sum(weight * channel for weight, channel in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
