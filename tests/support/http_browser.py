"""A browser without scripts that keeps cookies, for portals that run as processes of their own."""

import re
from collections.abc import Mapping
from http.client import HTTPConnection
from urllib.parse import urlencode

TIMEOUT_SECONDS = 60


class HttpBrowser:
    """Sends each request on a connection of its own. `headers` go with each of them."""

    def __init__(self, port: int, headers: Mapping[str, str] | None = None) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}
        self._headers = dict(headers or {})

    def get(self, path: str) -> tuple[int, str]:
        """Return status and body."""
        return self._call("GET", path, {})

    def sign_in(self, email: str, password: str) -> tuple[int, str]:
        return self._post("/sign-in", "/sign-in", {"email": email, "password": password})

    def sign_out(self) -> tuple[int, str]:
        return self._post("/sign-out", "/clients", {})

    def _post(self, path: str, path_of_token: str, form: dict[str, str]) -> tuple[int, str]:
        found = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', self.get(path_of_token)[1])
        assert found
        return self._call("POST", path, {"csrf_token": found[1], **form})

    def _call(self, method: str, path: str, form: dict[str, str]) -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {**self._headers, "Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, path, urlencode(form), headers)
        response = connection.getresponse()
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
        body = response.read().decode()
        connection.close()
        return response.status, body
