"""Create the databases, the data and the signed-in viewers."""

import base64
import hashlib
import hmac
import io
import json
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg2
from flask import Flask, session
from flask_migrate import upgrade
from flask_wtf.csrf import generate_csrf
from sqlalchemy.engine import URL, make_url

from bench.load import Beat
from portal.app import create_app
from portal.auth.sessions import store
from portal.config import settings_from_environ
from portal.extensions import db
from portal.postgres.server import EmbeddedPostgres
from portal.web import session_cookie
from portal.web.actor import RequestOrigin

CLIENTS = 50_000
VIEWERS_ON_A_PAGE = 4
REFERENCE_SCHEMA = Path(__file__).resolve().parent / "reference" / "schema.sql"

# Enough different names that a search finds some of the clients.
MAKE_CLIENTS = """
WITH names AS (SELECT
    '{Amara,Beatrice,Callum,Dorothy,Edmund,Farah,Gareth,Harriet,Imogen,Jasper,Kavita,Lorcan,Mabel,Nikhil,Olwen,Piers,
      Queenie,Rosalind,Silas,Tamsin,Usha,Vernon,Winifred,Xenia,Yusuf}'::text[] AS given,
    '{Abernethy,Blackwood,Carruthers,Dalgleish,Ellingham,Fairweather,Galbraith,Hathersage,Ibbotson,Jellicoe,Kilbride,
      Lanyon,Merryweather,Northcott,Oakeshott,Pemberton,Quayle,Ravenscroft,Stanhope,Thornbury,Uttley,Verney,
      Wolstenholme,Yarwood,Zeal}'::text[] AS family,
    '{BS,CB,EH,GL,LS,NE,OX,SW}'::text[] AS area)
INSERT INTO clients (client_ref, name, client_type, adviser_id, town, postcode, next_review_on)
SELECT 'KW' || lpad(i::text, 6, '0'), given[i %% 25 + 1] || ' ' || family[i / 25 %% 25 + 1] || ' ' || i,
       CASE i %% 3 WHEN 0 THEN 'family' ELSE 'individual' END, i %% %(viewers)s + 1, 'Bristol',
       area[i %% 8 + 1] || i %% 19 + 1 || ' ' || i %% 9 || 'QT', date '2026-01-01' + i %% 700
FROM generate_series(1, %(clients)s) i, names;

INSERT INTO people (client_id, first_name, last_name)
SELECT id, split_part(name, ' ', 1 + n), split_part(name, ' ', 2 - n) FROM clients, generate_series(0, 1) n;

INSERT INTO products (client_id, plan_number, product_name, product_type, provider)
SELECT id, 'P' || id || '-' || n, 'Stocks and shares', 'ISA', 'Brunel' FROM clients, generate_series(1, 2) n;

INSERT INTO valuations (product_id, valued_on, amount)
SELECT id, date '2026-03-31' + n, id %% 1000 * 977 FROM products, generate_series(1, 3) n;
"""

# Four profiles a page at any size, so that only the table grows and not the roster.
FILL_PRESENCE = """
TRUNCATE user_page_presence;
INSERT INTO user_page_presence (user_id, page_identifier, tabs)
SELECT i %% %(viewers)s + 1, 'client-' || i / %(on_a_page)s + 1, jsonb_build_object('bench', jsonb_build_object(
    'at', extract(epoch FROM now()), 'activity', 'viewing', 'visible', true, 'fields', '[]'::jsonb))
FROM generate_series(0, %(rows)s - 1) i;
"""


@dataclass(frozen=True)
class Viewer:
    """A signed-in profile, with what its browser sends in each request."""

    profile_id: int
    cookie: str
    csrf_token: str

    @property
    def email(self) -> str:
        return f"viewer-{self.profile_id}@bench.example"


@dataclass(frozen=True)
class Database:
    """One database of the benchmark's server."""

    url: URL

    def run(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Run SQL outside a transaction; return its rows, if it has any."""
        with self._connection() as connection, connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    def copy(self, table: str, columns: tuple[str, ...], rows: str) -> None:
        """COPY tab-separated rows into the table."""
        with self._connection() as connection, connection.cursor() as cursor:
            cursor.copy_from(io.StringIO(rows), table, columns=columns)

    def plain_url(self) -> str:
        host, port = self.url.query["host"], self.url.query["port"]
        return f"postgresql://postgres@/{self.url.database}?host={quote(str(host))}&port={port}"

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        connection = psycopg2.connect(self.plain_url())
        connection.autocommit = True
        try:
            yield connection
        finally:
            connection.close()


@contextmanager
def temporary_postgres(major: int | None = None) -> Iterator[EmbeddedPostgres]:
    """Make a PostgreSQL server, not started yet, in a temporary folder that is deleted when the server is stopped.

    `major` is its version, by default that of the wheel.
    """
    with tempfile.TemporaryDirectory(prefix="kingston-bench-") as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres", major=major)
        try:
            yield server
        finally:
            server.stop()


def start_postgres(server: EmbeddedPostgres) -> Database:
    """Start the server, with pg_stat_statements loaded but switched off if it is available."""
    database = Database(make_url(server.start()))
    if not database.run("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_stat_statements'"):
        return database
    database.run("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
    server.stop()
    database = Database(make_url(server.start()))
    database.run("ALTER SYSTEM SET pg_stat_statements.track = 'none'")  # a name that the server knows only now
    database.run("SELECT pg_reload_conf()")
    for name in (database.url.database, "template1"):  # the reference's database is a copy of template1
        Database(database.url.set(database=name)).run("CREATE EXTENSION pg_stat_statements")
    return database


def portal_environ(server: EmbeddedPostgres, database: Database) -> dict[str, str]:
    """Return the settings of a portal on this database, with a secret key of its own."""
    return {
        "DATABASE_URL": database.plain_url(),
        "PORTAL_SECRET_KEY": secrets.token_urlsafe(32),
        "PORTAL_ALLOWED_HOSTS": "127.0.0.1",
        "PORTAL_INSTANCE": str(server.folder),
        "PORTAL_LOG_LEVEL": "WARNING",
    }


def make_portal(database: Database, environ: Mapping[str, str], viewers: int) -> Flask:
    """Migrate and fill the portal's database; return the application, which signs viewers in."""
    app = create_app(settings_from_environ(environ))
    with app.app_context():
        upgrade()
    rows = "".join(f"Viewer\tNumber{n}\tviewer-{n}@bench.example\tadviser\n" for n in range(1, viewers + 1))
    database.copy("profiles", ("first_name", "last_name", "email", "role"), rows)
    database.run(MAKE_CLIENTS, {"clients": CLIENTS, "viewers": viewers})
    database.run("VACUUM ANALYZE")
    return app


def make_reference(server: Database, viewers: int) -> Database:
    """Create and fill the reference's database on the same server."""
    server.run("CREATE DATABASE reference")
    database = Database(server.url.set(database="reference"))
    database.run(REFERENCE_SCHEMA.read_text())
    rows = "".join(f"Viewer\tNumber{n}\tviewer-{n}@bench.example\n" for n in range(1, viewers + 1))
    database.copy("profiles", ("first_name", "last_name", "email"), rows)
    database.run("VACUUM ANALYZE")
    return database


def fill_presence(database: Database, rows: int, viewers: int) -> None:
    """Insert `rows` active rows into the portal's presence table, four to a page."""
    database.run(FILL_PRESENCE, {"rows": rows, "viewers": viewers, "on_a_page": VIEWERS_ON_A_PAGE})
    database.run("VACUUM ANALYZE user_page_presence")


def sign_in(app: Flask, viewers: int) -> list[Viewer]:
    """Create sign-in sessions with the application's code, without thousands of slow password checks."""
    with app.app_context():
        texts = [store.begin(number, 1, RequestOrigin(), hours=12) for number in range(1, viewers + 1)]
        db.session.commit()
    return [_signed_in(app, *pair) for pair in enumerate(texts, 1)]


def portal_beat(viewer: Viewer, page: int, activity: str = "viewing", focus: str | None = None) -> Beat:
    """Return the portal's heartbeat: one POST, which returns the roster."""
    body = {
        "page_identifier": f"client-{page}",
        "tab_id": "bench",
        "activity": activity,
        "visible": True,
        "fields": [],
        "focus": focus,
    }
    post = request("POST /user_page_presence", f"Cookie: {viewer.cookie}\r\nX-CSRFToken: {viewer.csrf_token}\r\n", body)
    return Beat((post,), viewer.profile_id, viewer.email)


def focus_beats(viewer: Viewer, page: int, focuses: tuple[str, ...]) -> Beat:
    """Return the heartbeats of an editor that has the focus in each of these fields in turn, as one."""
    beats = [portal_beat(viewer, page, "editing", focus) for focus in focuses]
    return Beat(tuple(beat.requests[0] for beat in beats), viewer.profile_id, viewer.email)


def reference_beat(viewer: Viewer, page: int, secret_key: str) -> Beat:
    """Return the reference's heartbeat: a POST and then a GET, as in the original request's usePresence."""
    authorization = f"Authorization: Bearer {_token(viewer.profile_id, secret_key)}\r\n"
    body = {"page_identifier": f"client-{page}", "user_id": viewer.profile_id}
    post = request("POST /user_page_presence", authorization, body)
    get = request(f"GET /user_page_presence/client-{page}", authorization)
    return Beat((post, get), viewer.profile_id, viewer.email)


def _signed_in(app: Flask, profile_id: int, identity_text: str) -> Viewer:
    with app.test_request_context():
        session_cookie.start(identity_text)
        csrf_token = generate_csrf()
        response = app.response_class()
        app.session_interface.save_session(app, session, response)
    return Viewer(profile_id, response.headers["Set-Cookie"].partition(";")[0], csrf_token)


def _token(profile_id: int, secret_key: str) -> str:
    """Return a JSON Web Token signed with HS256 (RFC 7519)."""
    parts = [_base64url(json.dumps(part).encode()) for part in ({"alg": "HS256"}, {"sub": str(profile_id)})]
    signature = hmac.digest(secret_key.encode(), ".".join(parts).encode(), hashlib.sha256)
    return ".".join([*parts, _base64url(signature)])


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def request(line: str, headers: str, body: object = None) -> bytes:
    payload = b"" if body is None else json.dumps(body).encode()
    if payload:
        headers += f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n"
    return f"{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n{headers}\r\n".encode() + payload
