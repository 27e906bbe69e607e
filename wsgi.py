"""Create `app` for gunicorn and the `flask` commands. Under gunicorn, start the background jobs too."""

import os
import sys

from portal.app import create_app
from portal.errors import ConfigurationError
from portal.jobs import start_jobs

try:
    app = create_app()
except ConfigurationError as error:
    sys.exit(str(error))
if os.environ.get("FLASK_RUN_FROM_CLI") != "true":
    start_jobs(app)
