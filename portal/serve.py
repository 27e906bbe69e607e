"""Start the server: `python -m portal.serve`, which checks the settings and then becomes gunicorn.

gunicorn converts WEB_CONCURRENCY to a number while it is imported, before it reads gunicorn.conf.py. A wrong value
would therefore end it with a traceback.
"""

import json
import os
import sys

from portal.config import settings_from_environ
from portal.errors import ConfigurationError

CHECKED_SETTINGS = "PORTAL_CHECKED_SETTINGS"  # read by gunicorn.conf.py, which cannot import this module


def main() -> None:
    """Replace this process by gunicorn with the same arguments. A wrong setting ends it with exit code 1."""
    os.environ[CHECKED_SETTINGS] = checked_settings()
    if not os.environ.get("WEB_CONCURRENCY"):
        os.environ.pop("WEB_CONCURRENCY", None)  # gunicorn does not read an empty value as unset
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", *sys.argv[1:]])  # noqa: S606 - no shell is wanted


def checked_settings() -> str:
    """Return the settings that gunicorn needs, as JSON. A wrong setting ends the process with exit code 1."""
    try:
        settings = settings_from_environ()
    except ConfigurationError as error:
        sys.exit(str(error))
    return json.dumps(
        {
            "bind": settings.bind or f"127.0.0.1:{settings.port}",
            "workers": settings.worker_count,
            "streams_per_worker": settings.streams_per_worker,
            "log_level": settings.log_level.lower(),
        }
    )


if __name__ == "__main__":
    main()
