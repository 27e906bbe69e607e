"""Static files: minified and compressed as the process starts, under a name that changes with their content.

There is no build step: the sources are what a developer edits and a debugger can be pointed at, and what browsers
get is a copy without comments and blanks. The digest is in the folder's name, not the file's, so that ES modules import
each other by relative path; browsers may keep every file for ever. WhiteNoise serves them before Flask is asked.

The copy is in the instance folder, where all workers of a server share it, also those of another release: a page of the
release before loads its files during a deploy, and its rarely needed modules long after. Called by `create_app`.
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from wsgiref.headers import Headers

from flask import Flask
from rcssmin import cssmin
from rjsmin import jsmin
from whitenoise import WhiteNoise
from whitenoise.compress import Compressor

from portal.config import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ONE_YEAR_SECONDS = 365 * 24 * 3600
KEPT_RELEASES = 5
MINIFIERS = {".js": jsmin, ".css": cssmin}
RELEASE_PATH = re.compile(r"/static/([0-9a-f]{12})/", re.ASCII)


def digest_of(folder: Path) -> str:
    """A short digest of every file's path and content below `folder`."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def init_static_files(app: Flask, settings: Settings) -> None:
    if settings.is_command:
        return
    digest = str(app.static_url_path).rpartition("/")[2]
    folder = _published(Path(str(app.static_folder)), digest, settings.instance / "static")
    app.wsgi_app = ReleasedFiles(app.wsgi_app, folder)  # type: ignore[method-assign]


class ReleasedFiles(WhiteNoise):  # type: ignore[misc]
    """Serve `folder`, which is named by its digest, and each release beside it once somebody asks for it."""

    def __init__(self, application: "WSGIApplication", folder: Path) -> None:
        super().__init__(
            application,
            max_age=ONE_YEAR_SECONDS,
            immutable_file_test=lambda path, url: True,
            allow_all_origins=False,
            add_headers_function=_add_headers,
        )
        self._releases = folder.parent
        self._served: set[str] = set()
        self._serve(folder.name)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        asked = RELEASE_PATH.match(environ.get("PATH_INFO", ""))
        if asked and asked[1] not in self._served and (self._releases / asked[1]).is_dir():
            self._serve(asked[1])
        return super().__call__(environ, start_response)  # type: ignore[no-any-return]

    def _serve(self, digest: str) -> None:
        self.add_files(str(self._releases / digest), prefix=f"/static/{digest}")
        self._served.add(digest)


def _add_headers(headers: Headers, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"


@cache
def _published(sources: Path, digest: str, releases: Path) -> Path:
    """Return the folder with what is sent; make it unless another process has.

    Where the instance folder cannot be written, it is in a temporary folder that goes with the process.
    """
    try:
        releases.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=releases, prefix="unfinished-") as unfinished:
            _publish(sources, Path(unfinished), releases / digest)
    except OSError:
        releases = Path(_temporary_folder().name)
        with tempfile.TemporaryDirectory(dir=releases) as unfinished:
            _publish(sources, Path(unfinished), releases / digest)
    _remove_old(releases)
    return releases / digest


@cache
def _temporary_folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="portal-static-", ignore_cleanup_errors=True)


def _publish(sources: Path, unfinished: Path, target: Path) -> None:
    """Make `target` in one step, so that no process sees half of it. Where it is there already, it counts as new."""
    if not target.exists():
        made = unfinished / "static"
        shutil.copytree(sources, made)
        compressor = Compressor(quiet=True)
        for path in [path for path in made.rglob("*") if path.is_file()]:
            minify = MINIFIERS.get(path.suffix)
            if minify:
                path.write_text(minify(path.read_text()))
            compressor.compress(str(path))
        try:
            made.rename(target)
        except OSError:
            if not target.exists():  # else another process was quicker
                raise
    os.utime(target)


def _remove_old(releases: Path) -> None:
    """Keep the releases that were started last; what a killed process has left unfinished grows old too."""

    def started(folder: Path) -> float:
        return folder.stat().st_mtime if folder.exists() else 0

    by_age = sorted(releases.iterdir(), key=started, reverse=True)
    for folder in by_age[KEPT_RELEASES:]:
        shutil.rmtree(folder, ignore_errors=True)
