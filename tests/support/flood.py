"""Keep many requests from one address in flight: `python -m tests.support.flood PORT ADDRESS METHOD`.

With POST they are tries to sign in, with GET they read the sign-in page. A process of its own, so that it takes no time
from the test that measures what others notice. It says "flooding" once every place is taken, goes on until its standard
input is closed, and prints how often each status came, as JSON.
"""

import itertools
import json
import re
import sys
import threading
from collections import Counter
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import urlencode

from tests.support.volume import volume

IN_FLIGHT = volume(30, 120)
TIMEOUT_SECONDS = 60
FORM = "application/x-www-form-urlencoded"


class Flood:
    """Half of the attempts name one account that does not exist, the other half new accounts each time."""

    def __init__(self, port: int, address: str, method: str) -> None:
        self.statuses: Counter[str] = Counter()
        self._port = port
        self._method = method
        self._headers = {"X-Forwarded-For": address}
        self._numbers = itertools.count()
        self._is_over = False
        answer, page = self._call("GET", "/sign-in", None)
        self._headers["Cookie"] = str(answer.headers["Set-Cookie"]).partition(";")[0]
        self._token = re.findall(r'name="csrf_token"[^>]* value="([^"]+)"', page)[0]

    def run(self) -> None:
        places = [threading.Thread(target=self._keep_trying) for _ in range(IN_FLIGHT)]
        for place in places:
            place.start()
        sys.stdout.write("flooding\n")
        sys.stdout.flush()
        sys.stdin.read()
        self._is_over = True
        for place in places:
            place.join()

    def _keep_trying(self) -> None:
        while not self._is_over:
            number = next(self._numbers)
            email = f"nobody{number if number % 2 else ''}@firm.example"
            form = urlencode({"csrf_token": self._token, "email": email, "password": "guessed"})
            try:
                answer, _ = self._call(self._method, "/sign-in", form if self._method == "POST" else None)
                self.statuses[str(answer.status)] += 1
            except (OSError, HTTPException) as error:
                self.statuses[type(error).__name__] += 1

    def _call(self, method: str, path: str, form: str | None) -> tuple[HTTPResponse, str]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_SECONDS)
        connection.request(method, path, form, {**self._headers, **({"Content-Type": FORM} if form else {})})
        answer = connection.getresponse()
        page = answer.read().decode()
        connection.close()
        return answer, page


if __name__ == "__main__":
    flood = Flood(int(sys.argv[1]), *sys.argv[2:])
    flood.run()
    sys.stdout.write(json.dumps(flood.statuses))
