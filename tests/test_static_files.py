"""Test the static files of other releases: a page of the previous release still loads its files."""

import shutil
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import app as application
from portal.app import create_app
from portal.web.static_files import KEPT_RELEASES
from tests.conftest import settings_for

STYLE_SHEET = "css/base.css"


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the static files, as the next release."""
    folder = tmp_path / "sources"
    shutil.copytree(application.STATIC_FOLDER, folder)
    monkeypatch.setattr(application, "STATIC_FOLDER", folder)
    return folder


def release(sources: Path, instance: Path, change: str = "") -> Flask:
    """Return an application with this rule in its stylesheet."""
    with (sources / STYLE_SHEET).open("a") as style_sheet:
        style_sheet.write(change)
    return create_app(settings_for("postgresql+psycopg2://nobody@/nothing", instance=instance))


def style_sheet(browser: FlaskClient, of: Flask) -> str | None:
    with browser.get(f"{of.static_url_path}/{STYLE_SHEET}") as answer:
        return answer.text if answer.status_code == 200 else None


def test_server_serves_the_files_of_the_previous_and_the_next_release(sources: Path, tmp_path: Path) -> None:
    before = release(sources, tmp_path, ".before { color: red }")
    after = release(sources, tmp_path, ".after { color: blue }")

    assert before.static_url_path != after.static_url_path
    for browser in (before.test_client(), after.test_client()):
        old, new = style_sheet(browser, before), style_sheet(browser, after)
        assert (".before" in old, ".after" in old) == (True, False)
        assert (".before" in new, ".after" in new) == (True, True)


def test_server_without_a_writable_folder_serves_its_own_files(sources: Path, tmp_path: Path) -> None:
    app = release(sources, tmp_path / "missing", ".own { color: red }")

    assert ".own" in style_sheet(app.test_client(), app)
    assert not (tmp_path / "missing").exists()


def test_most_recently_started_releases_are_kept(sources: Path, tmp_path: Path) -> None:
    releases = [release(sources, tmp_path, f".number-{number} {{ color: red }}") for number in range(KEPT_RELEASES + 2)]

    newest = releases[-1].test_client()
    assert [style_sheet(newest, of) is not None for of in releases] == [False] * 2 + [True] * KEPT_RELEASES
    assert len(list((tmp_path / "static").iterdir())) == KEPT_RELEASES


@pytest.mark.parametrize("digest", ["0" * 12, "unfinished-a", "..%2f..%2fetc", "0" * 11])
def test_other_folders_are_not_served(sources: Path, tmp_path: Path, digest: str) -> None:
    app = release(sources, tmp_path)
    (tmp_path / "static" / "unfinished-a").mkdir()
    (tmp_path / "static" / "unfinished-a" / "secret").write_text("secret")

    assert app.test_client().get(f"/static/{digest}/secret").status_code == 404


def test_served_scripts_and_style_sheets_have_neither_comments_nor_long_local_names(
    sources: Path, tmp_path: Path
) -> None:
    pytest.importorskip("minify", reason="the minifier has no wheel for this system")
    (sources / "js" / "sum.js").write_text(
        "// adds\nexport function sum(firstNumber, secondNumber) { return firstNumber + secondNumber; }"
    )
    app = release(sources, tmp_path, "/* red */ .before { color: red }")

    with app.test_client().get(f"{app.static_url_path}/js/sum.js") as answer:
        assert "export function sum(" in answer.text
        assert "adds" not in answer.text
        assert "firstNumber" not in answer.text
    assert "/* red */" not in style_sheet(app.test_client(), app)
