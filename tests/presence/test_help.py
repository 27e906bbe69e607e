"""Test the page "How we edit together": its pictures, and the links to it."""

import re
from pathlib import Path

from portal.config import PROJECT_ROOT
from tests.support.cast import Cast
from tests.support.factories import make_client
from tests.support.html import links_of, text_of
from tests.support.test_client import Visitor

Visit = type[Visitor]
PICTURES = PROJECT_ROOT / "static" / "help"
MAX_BYTES_TOGETHER = 80_000  # of the pictures that one browser loads
PAGE = "/help/editing-together"


def size_of(path: Path) -> tuple[int, int]:
    """Return the width and height of a WebP file, in the extended format that Chromium writes (RFC 9649, 2.7)."""
    head = path.read_bytes()[:30]
    assert (head[:4], head[8:16]) == (b"RIFF", b"WEBPVP8X")
    return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1


def test_page_names_its_pictures_and_reserves_their_space(visit: Visit, cast: Cast) -> None:
    answer = visit(cast.rhys).get(PAGE)
    assert "Wait for Users opens the editor when the others have finished" in text_of(answer)

    shown = re.findall(
        r'<img src="[^"]*/help/([a-z-]+)-light.webp" width="(\d+)" height="(\d+)" alt="([^"]+)"', answer.text
    )
    assert len(shown) == answer.text.count("<img") == answer.text.count('loading="lazy"') == 4
    for name, width, height, alternative in shown:
        assert len(alternative) > 40
        for scheme in ("light", "dark"):
            assert size_of(PICTURES / f"{name}-{scheme}.webp") == (int(width), int(height)), name


def test_pictures_are_those_of_the_page_and_small(visit: Visit, cast: Cast) -> None:
    text = visit(cast.rhys).get(PAGE).text
    for scheme in ("light", "dark"):
        files = sorted(PICTURES.glob(f"*-{scheme}.webp"))
        assert {path.name for path in files} == set(re.findall(rf"[a-z]+-{scheme}\.webp", text))
        assert sum(path.stat().st_size for path in files) < MAX_BYTES_TOGETHER


def test_dialog_editor_and_account_lead_to_the_page(visit: Visit, cast: Cast) -> None:
    client = make_client()
    for path in (f"/clients/{client.id}", f"/clients/{client.id}/edit", "/account"):
        assert PAGE in links_of(visit(cast.amelia).get(path)), path
