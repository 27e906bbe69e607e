"""Start the server: `python -m portal.serve`, which checks the settings and then becomes gunicorn.

gunicorn converts WEB_CONCURRENCY to a number while it is imported, before it reads gunicorn.conf.py. A wrong value
would therefore end it with a traceback.
"""

import os
import sys

from portal.config import settings_from_environ
from portal.errors import ConfigurationError


def main() -> None:
    """Replace this process by gunicorn with the same arguments. A wrong setting ends it with exit code 1."""
    try:
        settings_from_environ()
    except ConfigurationError as error:
        sys.exit(str(error))
    if not os.environ.get("WEB_CONCURRENCY"):
        os.environ.pop("WEB_CONCURRENCY", None)  # gunicorn does not read an empty value as unset
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", *sys.argv[1:]])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
