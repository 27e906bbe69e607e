"""Edit one client with eight writers while workers and the database are killed: no accepted edit is lost.

The writers are processes, the portal runs on gunicorn as in production, and the test has its own database server.
Afterwards the record and its history must follow from the responses that the writers received, and from nothing else.
"""

import json
import os
import random
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import select

from portal.app import create_app
from portal.auth import Profile
from portal.clients import Client
from portal.clients.records.revisions import ClientRevision, to_json
from portal.extensions import db
from portal.postgres.server import EmbeddedPostgres
from tests.conftest import ServerMaker, settings_for
from tests.support.cast import make_profile
from tests.support.factories import make_client
from tests.support.processes import Programs
from tests.support.server import SECRET_KEY, Portal
from tests.support.test_client import visitors_of
from tests.support.volume import volume

WRITERS = 8
EDITS = volume(20, 200)
KILLS = volume(3, 6)  # the third time it is the database, else a worker
PATIENCE_SECONDS = 400
NOTES = "\n".join(f"line {number}" for number in range(40))
FIELDS = ("phone", "town", "address_line1", "address_line2", "postcode", "risk_profile", "notes")


class Sent(NamedTuple):
    """One request of a writer and its result: accepted, conflict, busy or unknown."""

    writer: int
    number: int
    outcome: str
    origin: int
    typed: dict[str, str]
    resolutions: dict[str, str]


class Story(NamedTuple):
    """The requests of the writers, the history, and the record before and after."""

    sent: list[Sent]
    revisions: list[ClientRevision]
    first: dict[str, Any]
    last: dict[str, Any]
    version: int


@pytest.fixture
def postgres(make_server: ServerMaker, tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A server of this test, so that it may be killed."""
    server = make_server(tmp_path / "postgres")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def app(postgres: EmbeddedPostgres) -> Iterator[Flask]:
    app = create_app(settings_for(postgres.start(), secret_key=SECRET_KEY))
    with app.app_context():
        upgrade()
        yield app
        db.session.rollback()
        db.engine.dispose()


@pytest.fixture
def served(app: Flask, postgres: EmbeddedPostgres, tmp_path: Path) -> Iterator[Portal]:
    portal = Portal(postgres.start(), tmp_path / "portal.log")
    portal.start()
    yield portal
    portal.stop()


def test_every_accepted_change_survives_many_writers_and_killed_processes(
    programs: Programs, app: Flask, served: Portal, postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    client = make_client(phone="0", notes=NOTES)
    first = fields_of(client)
    writers = {make_profile(f"Writer{number}", "Crowd"): f"w{number:03}" for number in range(WRITERS)}
    names = {profile.id: name for profile, name in writers.items()}

    crowd, progress = start_writers(programs, app, served, writers, client, tmp_path)
    db.session.rollback()  # the crash would end the transaction
    assert kill_meanwhile(progress, served, postgres) == KILLS
    assert [process.wait(PATIENCE_SECONDS) for process in crowd] == [0] * WRITERS
    story = read_story(client, first, names, tmp_path)

    versions_have_no_gap(story)
    history_leads_to_the_record(story)
    each_accepted_edit_is_there(story, names)
    each_revision_is_what_its_writer_sent(story, names)
    assert {"accepted", "conflict", "unknown", "busy"} <= {sent.outcome for sent in story.sent}
    assert any(revision.merged_with for revision in story.revisions)
    assert any(revision.resolutions for revision in story.revisions)


def start_writers(
    programs: Programs, app: Flask, served: Portal, writers: dict[Profile, str], client: Client, folder: Path
) -> tuple[list[subprocess.Popen[str]], int]:
    """Start the writers; return them and the pipe to which they write a byte after each edit."""
    visit = visitors_of(app)
    task = {"port": served.port, "client_id": client.id, "version": client.version, "edits": EDITS}
    progress, ended = os.pipe()
    crowd = []
    for profile, name in writers.items():
        browser = visit(profile).with_token()
        own = {
            "name": name,
            "log": str(folder / f"{name}.log"),
            "cookie": f"__Host-session={browser.cookie()}",
            "token": browser._token,
            "values": {"notes": NOTES},
        }
        command = (sys.executable, "-m", "tests.support.concurrent_writer")
        process = programs.start(*command, stdin=subprocess.PIPE, stdout=ended)
        assert process.stdin
        process.stdin.write(json.dumps(task | own))
        process.stdin.close()
        crowd.append(process)
    os.close(ended)
    return crowd, progress


def kill_meanwhile(progress: int, served: Portal, postgres: EmbeddedPostgres) -> int:
    """Kill a process after each interval of edits until all writers are done; return the number of kills."""
    chance = random.Random(3)  # noqa: S311 - no secret
    every = WRITERS * EDITS // (KILLS + 1)
    done = kills = 0
    with open(progress, "rb", buffering=0) as pipe:
        while ended := pipe.read(4096):
            done += len(ended)
            if kills < KILLS and done >= every * (kills + 1):
                kills += 1
                if kills == 3:
                    crash(postgres)
                else:
                    os.kill(chance.choice(served.workers()), signal.SIGKILL)
    return kills


def crash(postgres: EmbeddedPostgres) -> None:
    """Kill the server's processes (SIGQUIT: none of them shuts down in order) and start it again."""
    assert postgres.pid
    os.kill(postgres.pid, signal.SIGQUIT)
    postgres.start()


def read_story(client: Client, first: dict[str, Any], names: dict[int, str], folder: Path) -> Story:
    """Read under the lock of the client's row, because a save whose worker was killed may still be running."""
    db.session.refresh(client, with_for_update=True)
    sent = [
        Sent(profile_id, **json.loads(line))
        for profile_id, name in names.items()
        for line in (folder / f"{name}.log").read_text(encoding="utf-8").splitlines()
    ]
    every = select(ClientRevision).where(ClientRevision.client_id == client.id).order_by(ClientRevision.version)
    return Story(sent, list(db.session.scalars(every)), first, fields_of(client), client.version)


def fields_of(client: Client) -> dict[str, Any]:
    return {name: to_json(getattr(client, name)) for name in FIELDS}


def versions_have_no_gap(story: Story) -> None:
    assert [revision.version for revision in story.revisions] == list(range(2, story.version + 1))


def history_leads_to_the_record(story: Story) -> None:
    """Check that each revision's old values are those that the previous one left."""
    state = dict(story.first)
    for revision in story.revisions:
        for name, (old, new) in revision.changes.items():
            assert state[name] == old, f"version {revision.version} did not know {name} of the version before"
            state[name] = new
    assert state == story.last


def each_accepted_edit_is_there(story: Story, names: dict[int, str]) -> None:
    """Check that each accepted edit has one revision of its writer, or none if nothing of it was left to write.

    An edit that was not accepted may exist only if its response was lost, or was the 503 of a database that died while
    committing. A writer who keeps their own notes may put other lines back; that is not a second write of those.
    """
    written, merged = places_of(story, decided=True), places_of(story, decided=False)
    for (writer, number), attempts in attempts_of(story).items():
        tag = f"{names[writer]}-{number}"
        places, alone = written[tag] | written[f"{tag}x"], merged[tag] | merged[f"{tag}x"]
        outcomes = {sent.outcome for sent in attempts}
        assert {by for by, _ in alone} <= {writer}, f"another writer has written {tag}"
        assert len(alone) <= (2 if is_asked_again(attempts) else 1), f"{tag} was written twice"
        if "accepted" in outcomes:
            own = {by for by, _ in places} & {writer}
            assert own or gives_way(attempts[-1], tag), f"{tag} was accepted and is not there"
        elif not outcomes & {"unknown", "busy"}:
            assert not places, f"{tag} was never accepted, and is there"


def places_of(story: Story, *, decided: bool) -> dict[str, set[tuple[int | None, int]]]:
    """Return each value and line with the (writer, version) that wrote it; those of resolved notes if `decided`."""
    places = defaultdict(set)
    for revision in story.revisions:
        for name, (old, new) in revision.changes.items():
            if decided or name != "notes" or name not in revision.resolutions:
                for line in set(str(new).split("\n")) - set(str(old).split("\n")):
                    places[line].add((revision.changed_by, revision.version))
    return places


def attempts_of(story: Story) -> dict[tuple[int, int], list[Sent]]:
    attempts = defaultdict(list)
    for sent in story.sent:
        attempts[sent.writer, sent.number].append(sent)
    return attempts


def is_asked_again(attempts: list[Sent]) -> bool:
    """Return whether a conflict followed an attempt that may have been saved: its writer may then choose it again."""
    outcomes = [sent.outcome for sent in attempts]
    maybe_saved = [place for place, outcome in enumerate(outcomes) if outcome in ("unknown", "busy")]
    return bool(maybe_saved) and "conflict" in outcomes[maybe_saved[0] :]


def gives_way(sent: Sent, tag: str) -> bool:
    """Return whether nothing with the edit's name was left to write: only the risk profile, or a choice of theirs."""
    tagged = [name for name, value in sent.typed.items() if tag in value.split("\n")]
    return all(sent.resolutions.get(f"decide-{name}") == "theirs" for name in tagged)


def each_revision_is_what_its_writer_sent(story: Story, names: dict[int, str]) -> None:
    """Check that each revision contains all of an edit or nothing of it, and no other value."""
    possible = defaultdict(list)
    for sent in story.sent:
        if sent.outcome != "conflict":
            possible[sent.writer].append(sent)
    states = states_of(story)
    for revision in story.revisions:
        candidates = possible[revision.changed_by or 0]
        assert any(explains(sent, states, revision) for sent in candidates), (
            f"nothing that {names.get(revision.changed_by or 0)} sent explains version {revision.version}: "
            f"{revision.changes} {revision.resolutions}"
        )


def states_of(story: Story) -> dict[int, dict[str, Any]]:
    """Return the record at each of its versions, by the history."""
    states = {1: story.first}
    for revision in story.revisions:
        states[revision.version] = states[revision.version - 1] | {k: new for k, (_, new) in revision.changes.items()}
    return states


def explains(sent: Sent, states: dict[int, dict[str, Any]], revision: ClientRevision) -> bool:
    """Return whether the request leads to this revision of the record before it."""
    if sent.origin >= revision.version or not set(revision.changes) <= set(sent.typed):
        return False
    start, before, after = states[sent.origin], states[revision.version - 1], states[revision.version]
    return all(is_outcome(name, sent, start[name], (before[name], after[name]), revision) for name in sent.typed)


def is_outcome(name: str, sent: Sent, start: Any, change: tuple[Any, Any], revision: ClientRevision) -> bool:
    """Return whether the field has the value that its writer wanted, who typed it over `start`."""
    before, after = change
    choice, typed = revision.resolutions.get(name), sent.typed[name]
    if choice == "theirs" or typed == str(start):
        return bool(after == before)
    if choice == "custom":
        return str(after) == sent.resolutions.get(f"third-{name}")
    if name == "notes":
        new_lines = inserted_lines(before, after)
        own_lines = set(typed.split("\n")) - set(str(start).split("\n"))
        if choice is None:
            return len(new_lines) <= 1 and set(new_lines) <= set(typed.split("\n"))
        return set(new_lines) <= set(typed.split("\n")) and own_lines <= set(after.split("\n"))
    return str(after) == typed


def inserted_lines(before: str, after: str) -> list[str]:
    """Return the lines that were not in their place before. Every other line has kept its place.

    A merge inserts the typed line. A writer who keeps their own text in a conflict also restores what they had beside
    that line.
    """
    return [new for old, new in zip(before.split("\n"), after.split("\n"), strict=True) if old != new]
