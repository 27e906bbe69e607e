"""Minify and compress the static files when the process starts, and serve them from a URL that contains their digest.

There is no build step: browsers receive a minified copy of the sources. The digest is in the folder's name, so that ES
modules can import each other by relative path. Browsers may cache each file for ever. WhiteNoise serves the files
before Flask sees the request.

The copies are in the instance folder. All workers of a server share it, including those of another release. A page of
the previous release therefore still loads its files during and after a deployment.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from wsgiref.headers import Headers

from flask import Flask
from whitenoise import WhiteNoise
from whitenoise.compress import Compressor

from portal.config import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ONE_YEAR_SECONDS = 365 * 24 * 3600
KEPT_RELEASES = 5
MINIFY_FOLDER = Path(__file__).with_name("minify_folder.py")
MINIFY_SECONDS = 30  # it takes 0.1 s
RELEASE_PATH = re.compile(r"/static/([0-9a-f]{12})/", re.ASCII)


def digest_of(folder: Path) -> str:
    """Return a short digest of the paths and contents of all files below `folder`."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def init_static_files(app: Flask, settings: Settings) -> None:
    if settings.is_command:
        return
    digest = str(app.static_url_path).rpartition("/")[2]
    folder = _published_folder(Path(str(app.static_folder)), digest, settings.instance / "static")
    app.wsgi_app = ReleasedFiles(app.wsgi_app, folder)  # type: ignore[method-assign]


class ReleasedFiles(WhiteNoise):  # type: ignore[misc]
    """Serves `folder`, which is named by its digest, and each other release beside it on the first request for it."""

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
        match = RELEASE_PATH.match(environ.get("PATH_INFO", ""))
        if match and match[1] not in self._served and (self._releases / match[1]).is_dir():
            self._serve(match[1])
        return super().__call__(environ, start_response)  # type: ignore[no-any-return]

    def _serve(self, digest: str) -> None:
        self.add_files(str(self._releases / digest), prefix=f"/static/{digest}")
        self._served.add(digest)


def _add_headers(headers: Headers, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"


@cache
def _published_folder(sources: Path, digest: str, releases: Path) -> Path:
    """Return the folder with the minified files. Create it unless another process has done so.

    If the instance folder is not writable, use a temporary folder that is deleted with the process.
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
    """Create `target` in one step, so that no process sees half of it. An existing one gets the current time."""
    if not target.exists():
        copy = unfinished / "static"
        shutil.copytree(sources, copy)
        subprocess.run([sys.executable, MINIFY_FOLDER, str(copy)], check=True, timeout=MINIFY_SECONDS)
        compressor = Compressor(quiet=True)
        for path in [path for path in copy.rglob("*") if path.is_file()]:
            compressor.compress(str(path))
        try:
            copy.rename(target)
        except OSError:
            if not target.exists():  # otherwise another process was faster
                raise
    os.utime(target)


def _remove_old(releases: Path) -> None:
    """Keep the releases that started most recently. Unfinished folders of killed processes are removed in time too."""

    def started(folder: Path) -> float:
        return folder.stat().st_mtime if folder.exists() else 0

    by_age = sorted(releases.iterdir(), key=started, reverse=True)
    for folder in by_age[KEPT_RELEASES:]:
        shutil.rmtree(folder, ignore_errors=True)
