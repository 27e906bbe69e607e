"""The settings of the portal: declared in `settings.py`, read from the environment by `environment.py`.

Except for `current.py`, the package must not import Flask: gunicorn's master process reads the settings in a process
of their own.
"""

from portal.config.environment import deprecations, settings_from_environ
from portal.config.parsers import TrustedProxies
from portal.config.settings import DEMO_PASSWORD, PROJECT_ROOT, PresenceTimings, Settings

__all__ = [
    "DEMO_PASSWORD",
    "PROJECT_ROOT",
    "PresenceTimings",
    "Settings",
    "TrustedProxies",
    "deprecations",
    "settings_from_environ",
]
