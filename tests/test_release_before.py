"""Test that the previous release works on the newest schema: `flask db upgrade` precedes the new code on each server.

Its code is kept in tests/releases/before.tar.xz (tools/keep-release) and runs in a process of its own.
"""

import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

from flask import Flask

from portal.extensions import db
from tests.support.cast import Cast, make_profile
from tests.support.factories import make_client, make_product
from tests.support.html import form_of
from tests.support.test_client import Visitor

KEPT = Path(__file__).parent / "releases" / "before.tar.xz"
# The requests of one open page, by the functions and addresses of that release.
WORK = """
import json, sys
from jinja2 import Undefined
from pathlib import Path
import portal
from portal import create_app
from portal.auth import Profile, sign_in_sessions
from portal.config import Settings
from portal.extensions import db
from portal.sessions import IDENTITY_KEY
from portal.whence import Whence

assert Path(portal.__file__).is_relative_to(Path.cwd()), portal.__file__
url, profile_id, client_id = sys.argv[1], int(sys.argv[2]), sys.argv[3]
app = create_app(Settings(secret_key="k" * 40, database_url=url, instance=Path("/nonexistent"), is_testing=True))
app.jinja_env.undefined = Undefined  # as outside of tests


def signed_in(profile_id):
    with app.app_context():
        profile = db.session.get(Profile, profile_id)
        text = sign_in_sessions.begin(profile.id, profile.session_epoch, Whence(), hours=12)
        db.session.commit()
    browser = app.test_client()
    with browser.session_transaction() as session:
        session[IDENTITY_KEY], session.permanent = text, True
    return browser, {"X-CSRFToken": browser.get("/session").json["csrf_token"]}


browser, token = signed_in(profile_id)
page, client = f"client-{client_id}", f"/clients/{client_id}"
resolution = {**json.loads(sys.argv[4]), "csrf_token": token["X-CSRFToken"]}
change = {"version": 1, "phone": "0161 496 0000"}
draft = {"version": 2, "values": {"notes": "typed"}}
answers = {
    "list": browser.get("/clients?q=whit"),
    "client": browser.get(client),
    "editor": browser.get(f"{client}/edit"),
    "heartbeat": browser.post("/user_page_presence", json={"page_identifier": page, "tab_id": "t"}, headers=token),
    "roster": browser.get(f"/user_page_presence/{page}"),
    "save": browser.post(f"{client}/edit", json=change, headers=token),
    "draft": browser.put(f"/edit_drafts/{page}?form=record", json=draft, headers=token),
    "changes": browser.get(f"{client}/changes?since=1"),
    "history": browser.get(f"{client}/history"),
    "account": browser.get("/account"),
    "resolution": browser.post(f"{client}/edit", data=resolution, follow_redirects=True),
    "leave": browser.delete(f"/user_page_presence/{page}?tab_id=t", headers=token),
}
for number in map(int, sys.argv[5].split(",")):  # of roles that it does not know
    browser, token = signed_in(number)
    beat = {"page_identifier": page, "tab_id": "t"}
    answers[f"list of {number}"] = browser.get("/clients")
    answers[f"client of {number}"] = browser.get(client)
    answers[f"heartbeat of {number}"] = browser.post("/user_page_presence", json=beat, headers=token)
    answers[f"account of {number}"] = browser.get("/account")
browser, _ = signed_in(int(sys.argv[6]))
answers["users"] = browser.get("/users")
answers["user"] = browser.get(f"/users/{number}")
answers["audit"] = browser.get("/audit")
print(json.dumps({name: answer.status_code for name, answer in answers.items()}))
"""


def test_previous_release_works_on_the_newest_schema_and_understands_the_conflict_page(
    app: Flask, cast: Cast, visit: type[Visitor], database_url: str, tmp_path: Path
) -> None:
    """During a deployment a worker of the previous release may receive the conflict page of this one."""
    client = make_client("Whitmore Family", adviser_id=cast.amelia.id, town="Bath")
    make_product(client)
    resolution = _custom_town(visit(cast.amelia), visit(cast.daniel), f"/clients/{client.id}/edit")
    with tarfile.open(KEPT) as kept:
        kept.extractall(tmp_path, filter="data")

    newer = [make_profile("New", role, role).id for role in ("paraplanner", "compliance")]
    arguments = (cast.amelia.id, client.id, json.dumps(resolution), ",".join(map(str, newer)), cast.ada.id)
    command = [sys.executable, "-c", WORK, database_url, *map(str, arguments)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    statuses = json.loads(done.stdout.splitlines()[-1])
    assert len(statuses) == 12 + 4 * 2 + 3
    assert set(statuses.values()) == {200}, f"{statuses}\n{done.stderr}"
    db.session.refresh(client)
    assert (client.town, client.phone) == ("Frome", "0161 496 0000")


def _custom_town(amelia: Visitor, daniel: Visitor, path: str) -> dict[str, str]:
    """Let both change the town, and return Amelia's conflict page with a custom value chosen as a browser sends it."""
    opened = form_of(amelia.get(path))
    assert daniel.post(path, data={**form_of(daniel.get(path)), "town": "Wells"}).status_code == 302
    question_page = amelia.post(path, data={**opened, "town": "Bristol"})
    [choice] = re.findall(
        r'name="decide-town" value="(\w+)" aria-labelledby="decide-town-custom-name"', question_page.text
    )
    [name] = [name for name in form_of(question_page) if name.endswith("-town") and not name.startswith("asked-")]
    return {**form_of(question_page), "decide-town": choice, name: "Frome"}
