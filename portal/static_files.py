"""Static files: minified and compressed as the process starts, under a name that changes with their content.

There is no build step: the sources are what a developer edits and a debugger can be pointed at, and what browsers
get is a copy without comments and blanks, in a temporary folder of this process. The digest is in the folder's
name, not the file's, so that ES modules import each other by relative path; browsers may keep every file for ever.
WhiteNoise serves them before Flask is asked. Called by `create_app`.
"""

import hashlib
import shutil
import tempfile
from functools import cache
from pathlib import Path
from wsgiref.headers import Headers

from flask import Flask
from rcssmin import cssmin
from rjsmin import jsmin
from whitenoise import WhiteNoise
from whitenoise.compress import Compressor

ONE_YEAR_SECONDS = 365 * 24 * 3600
MINIFIERS = {".js": jsmin, ".css": cssmin}


def digest_of(folder: Path) -> str:
    """A short digest of every file's path and content below `folder`."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def init_static_files(app: Flask) -> None:
    files = WhiteNoise(
        app.wsgi_app,
        max_age=ONE_YEAR_SECONDS,
        immutable_file_test=lambda path, url: True,
        allow_all_origins=False,
        add_headers_function=_add_headers,
    )
    files.add_files(_published(Path(str(app.static_folder))).name, prefix=app.static_url_path)
    app.wsgi_app = files  # type: ignore[method-assign]


def _add_headers(headers: Headers, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"


@cache
def _published(sources: Path) -> "tempfile.TemporaryDirectory[str]":
    """A folder with what is sent; it goes with the process."""
    folder = tempfile.TemporaryDirectory(prefix="portal-static-", ignore_cleanup_errors=True)
    shutil.copytree(sources, folder.name, dirs_exist_ok=True)
    compressor = Compressor(quiet=True)
    for path in [path for path in Path(folder.name).rglob("*") if path.is_file()]:
        minify = MINIFIERS.get(path.suffix)
        if minify:
            path.write_text(minify(path.read_text()))
        compressor.compress(str(path))
    return folder
