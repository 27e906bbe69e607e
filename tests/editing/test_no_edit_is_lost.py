"""Eight people edit one client at once, while workers and the database are killed: nothing that was accepted is lost.

The writers are processes, the portal is gunicorn as in production, the database a server of this test's own. Afterwards
the record and its history must follow from what the writers were answered, and from nothing else.
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
EDITS = volume(40, 200)
KILLS = volume(3, 6)  # the third time it is the database, else a worker
PATIENCE_SECONDS = 400
NOTES = "\n".join(f"line {number}" for number in range(40))
FIELDS = ("phone", "town", "address_line1", "address_line2", "postcode", "risk_profile", "notes")


class Sent(NamedTuple):
    """One request of a writer and what it was answered: accepted, conflict, busy or unknown."""

    writer: int
    number: int
    outcome: str
    origin: int
    typed: dict[str, str]
    decisions: dict[str, str]


class Story(NamedTuple):
    """All that happened: what the writers sent, the history, the record before and after."""

    sent: list[Sent]
    revisions: list[ClientRevision]
    first: dict[str, Any]
    last: dict[str, Any]
    version: int


@pytest.fixture
def postgres(make_server: ServerMaker, tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A server that may be killed: nobody else's tests are on it."""
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

    crowd, progress = set_to_work(programs, app, served, writers, client, tmp_path)
    assert kill_meanwhile(progress, served, postgres) == KILLS
    assert [process.wait(PATIENCE_SECONDS) for process in crowd] == [0] * WRITERS
    story = told(client, first, names, tmp_path)

    versions_have_no_gap(story)
    the_history_leads_to_the_record(story)
    each_accepted_edit_is_there(story, names)
    each_revision_is_what_its_writer_sent(story, names)
    assert {"accepted", "conflict", "unknown", "busy"} <= {sent.outcome for sent in story.sent}
    assert any(revision.merged_with for revision in story.revisions)
    assert any(revision.decisions for revision in story.revisions)


def set_to_work(
    programs: Programs, app: Flask, served: Portal, writers: dict[Profile, str], client: Client, folder: Path
) -> tuple[list[subprocess.Popen[str]], int]:
    """Start the writers; return them and the pipe that gets a byte from them for each edit that has ended."""
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
    """Kill a process after each so many edits, until all writers are done; return how many were killed."""
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
    """As if its processes had been killed (SIGQUIT: none of them tidies up), then start it again."""
    assert postgres.pid
    os.kill(postgres.pid, signal.SIGQUIT)
    postgres.start()


def told(client: Client, first: dict[str, Any], names: dict[int, str], folder: Path) -> Story:
    """Read under the lock of the client's row: a save whose worker was killed may still be on its way."""
    db.session.rollback()
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


def the_history_leads_to_the_record(story: Story) -> None:
    """Each revision's old values are those that the one before left: nobody wrote over what they had not read."""
    state = dict(story.first)
    for revision in story.revisions:
        for name, (old, new) in revision.changes.items():
            assert state[name] == old, f"version {revision.version} did not know {name} of the version before"
            state[name] = new
    assert state == story.last


def each_accepted_edit_is_there(story: Story, names: dict[int, str]) -> None:
    """Once, in a revision of its writer; without one only where all of it gave way to others or was so already.

    What was never accepted is there only if its answer was lost, or was the 503 of a database that died as it
    committed. Whoever keeps their own notes knowingly may put lines of others back: that is no second write of those.
    """
    written, merged = places_of(story, decided=True), places_of(story, decided=False)
    for (writer, number), attempts in attempts_of(story).items():
        tag = f"{names[writer]}-{number}"
        places, alone = written[tag] | written[f"{tag}x"], merged[tag] | merged[f"{tag}x"]
        outcomes = {sent.outcome for sent in attempts}
        assert {by for by, _ in alone} <= {writer}, f"somebody else has written {tag}"
        assert len(alone) <= 1, f"{tag} was written twice"
        if "accepted" in outcomes:
            own = {by for by, _ in places} & {writer}
            assert own or gives_way(attempts[-1], tag), f"{tag} was accepted and is not there"
        elif not outcomes & {"unknown", "busy"}:
            assert not places, f"{tag} was never accepted, and is there"


def places_of(story: Story, *, decided: bool) -> dict[str, set[tuple[int | None, int]]]:
    """Each value and line with the (writer, version) that brought it; those of decided notes where `decided`."""
    places = defaultdict(set)
    for revision in story.revisions:
        for name, (old, new) in revision.changes.items():
            if decided or name != "notes" or name not in revision.decisions:
                for line in set(str(new).split("\n")) - set(str(old).split("\n")):
                    places[line].add((revision.changed_by, revision.version))
    return places


def attempts_of(story: Story) -> dict[tuple[int, int], list[Sent]]:
    attempts = defaultdict(list)
    for sent in story.sent:
        attempts[sent.writer, sent.number].append(sent)
    return attempts


def gives_way(sent: Sent, tag: str) -> bool:
    """Whether nothing with the edit's name was left to write: only the risk profile, or what theirs was chosen for."""
    tagged = [name for name, value in sent.typed.items() if tag in value.split("\n")]
    return all(sent.decisions.get(f"decide-{name}") == "theirs" for name in tagged)


def each_revision_is_what_its_writer_sent(story: Story, names: dict[int, str]) -> None:
    """All of an edit or nothing: every value that was typed and not given up, and none that nobody typed."""
    possible = defaultdict(list)
    for sent in story.sent:
        if sent.outcome != "conflict":
            possible[sent.writer].append(sent)
    states = states_of(story)
    for revision in story.revisions:
        candidates = possible[revision.changed_by or 0]
        assert any(explains(sent, states, revision) for sent in candidates), (
            f"nothing that {names.get(revision.changed_by or 0)} sent explains version {revision.version}: "
            f"{revision.changes} {revision.decisions}"
        )


def states_of(story: Story) -> dict[int, dict[str, Any]]:
    """The record at each of its versions, as the history tells."""
    states = {1: story.first}
    for revision in story.revisions:
        states[revision.version] = states[revision.version - 1] | {k: new for k, (_, new) in revision.changes.items()}
    return states


def explains(sent: Sent, states: dict[int, dict[str, Any]], revision: ClientRevision) -> bool:
    """Whether this request makes this revision of the record as it was before."""
    if sent.origin >= revision.version or not set(revision.changes) <= set(sent.typed):
        return False
    start, before, after = states[sent.origin], states[revision.version - 1], states[revision.version]
    return all(is_outcome(name, sent, start[name], (before[name], after[name]), revision) for name in sent.typed)


def is_outcome(name: str, sent: Sent, start: Any, change: tuple[Any, Any], revision: ClientRevision) -> bool:
    """Whether the field came out as the person wanted who typed it over `start`."""
    before, after = change
    choice, typed = revision.decisions.get(name), sent.typed[name]
    if choice == "theirs" or typed == str(start):
        return bool(after == before)
    if choice == "third":
        return str(after) == sent.decisions.get(f"third-{name}")
    if name == "notes":
        new_lines = lines_put_in(before, after)
        own_lines = set(typed.split("\n")) - set(str(start).split("\n"))
        if choice is None:
            return len(new_lines) <= 1 and set(new_lines) <= set(typed.split("\n"))
        return set(new_lines) <= set(typed.split("\n")) and own_lines <= set(after.split("\n"))
    return str(after) == typed


def lines_put_in(before: str, after: str) -> list[str]:
    """Those that were not in their place before. Every other line has stayed where it is.

    A merge puts in the line that was typed. Whoever keeps their own text where it collides also gets back what they had
    beside that line.
    """
    return [new for old, new in zip(before.split("\n"), after.split("\n"), strict=True) if old != new]
