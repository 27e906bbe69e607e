"""Minify the JavaScript and CSS below a folder, in place: `python portal/web/minify_folder.py FOLDER`.

The server runs this in a process of its own, because the minifier loads the runtime of Go, whose threads and signal
handlers a gunicorn worker should not have.
"""

import sys
from pathlib import Path

try:
    from minify import string as minify
except ImportError:  # it has no wheel for macOS on ARM
    minify = None

MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css"}


def minify_folder(folder: Path) -> None:
    """Minify each file below `folder`. Without a minifier they stay as they are."""
    for path in folder.rglob("*"):
        media_type = MEDIA_TYPES.get(path.suffix)
        if media_type and minify:
            path.write_text(minify(media_type, path.read_text()))


if __name__ == "__main__":
    minify_folder(Path(sys.argv[1]))
