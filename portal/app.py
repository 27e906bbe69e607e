"""Create the application from its parts, in the order of their dependencies."""

import logging
import os

from flask import Flask

from portal.admin import init_admin
from portal.auth import init_auth
from portal.clients import init_clients
from portal.config import PROJECT_ROOT, Settings, deprecations, settings_from_environ
from portal.database.downgrade import init_downgrading
from portal.database.engines import init_database, limit_transactions
from portal.doctor import init_doctor
from portal.editing import init_editing
from portal.extensions import init_extensions
from portal.formatting import init_formatting
from portal.integers import IdConverter
from portal.monitoring.health import init_health
from portal.monitoring.logs import init_logs
from portal.presence import init_presence
from portal.presence.fast_path import init_fast_path
from portal.web.allowed_hosts import init_hosts
from portal.web.body_reader import init_body_layer, init_request_bodies
from portal.web.error_handlers import init_error_handlers
from portal.web.proxies import init_proxies
from portal.web.security_headers import init_security
from portal.web.session_cookie import init_sessions
from portal.web.static_files import digest_of, init_static_files

STATIC_FOLDER = PROJECT_ROOT / "static"
logger = logging.getLogger(__name__)


def create_app(settings: Settings | None = None) -> Flask:
    """Return a new application. Read the environment if no settings are given.

    Opens no connection and starts no thread, so a server may fork afterwards. Raises ConfigurationError for missing,
    wrong or weak settings.
    """
    warnings = [] if settings else deprecations(os.environ)
    settings = settings or settings_from_environ()
    init_logs(settings)
    for warning in warnings:
        logger.warning(warning)
    app = _new_flask(settings)
    init_database(app, settings)
    init_request_bodies(app)
    init_sessions(app, settings)
    init_security(app, settings)
    init_hosts(app, settings)
    init_proxies(app, settings)
    init_extensions(app)
    limit_transactions(app, settings)
    init_error_handlers(app)
    init_formatting(app)
    init_health(app)
    init_doctor(app)
    init_downgrading(app)
    init_auth(app)
    init_admin(app)
    init_clients(app)
    init_editing(app)
    init_presence(app)
    init_static_files(app, settings)
    init_fast_path(app)
    init_body_layer(app)
    return app


def _new_flask(settings: Settings) -> Flask:
    """Return an application with its folders and configuration, and nothing else."""
    app = Flask(
        "portal",
        static_folder=str(STATIC_FOLDER),
        static_url_path=f"/static/{digest_of(STATIC_FOLDER)}",
        template_folder=str(PROJECT_ROOT / "templates"),
        instance_path=str(settings.instance),
    )
    app.config.from_mapping(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        SECRET_KEY_FALLBACKS=list(settings.secret_key_fallbacks),
        TESTING=settings.is_testing,
        WTF_CSRF_TIME_LIMIT=None,  # the token is valid as long as the sign-in session
        MIGRATIONS_FOLDER=str(PROJECT_ROOT / "migrations"),
    )
    app.url_map.converters["id"] = IdConverter
    return app
