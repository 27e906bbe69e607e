"""Read from the request what an attempt needs to know about the browser."""

from flask import request

from portal.auth import trusted_devices
from portal.auth.attempts import Browser
from portal.config.current import current_settings
from portal.web.actor import request_origin


def current_browser() -> Browser:
    return Browser(request_origin(), trusted_devices.tokens_in(request.cookies, current_settings()))
