"""List the routes, and make a path, a request body and the records for each."""

import re
from datetime import date
from typing import Any

from flask import Flask

from portal import clock
from portal.clients import Client, ClientGrant
from portal.clients.records.entries import CLIENT, Entry
from portal.clients.saving import operations
from portal.extensions import db
from tests.support.cast import Cast, make_profile
from tests.support.edits import edit_from
from tests.support.factories import make_client, make_note, make_person, make_product
from tests.support.test_client import SAFE_METHODS

# Several callers send each body, all from one version: a value that is saved already is no conflict.
REQUEST_BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/clients/<client_id>/edit"): {
        "data": {"version": "1", "name": "Whitmore", "client_type": "family", "status": "active"}
    },
    ("POST", "/clients/<client_id>/<kind>/<part_id>/edit"): {"data": {"version": "1", "known_as": "Ru"}},
    ("POST", "/clients/<client_id>/<kind>/new"): {
        "data": {"version": "1", "first_name": "Shaun", "last_name": "Whitmore"}
    },
    ("POST", "/clients/<client_id>/product/<product_id>/valuation/new"): {
        "data": {"version": "1", "valued_on": "2026-06-30", "amount": "7"}
    },
    ("POST", "/clients/<client_id>/<kind>/<part_id>/remove"): {"data": {"version": "1"}},
    ("POST", "/clients/<client_id>/history/<version>/revert"): {"data": {"version": "2", "entry": ""}},
    ("POST", "/clients/<client_id>/notes"): {"data": {"text": "Rang about the ISA.", "kind": "call"}},
    ("POST", "/clients/<client_id>/notes/<note_id>/edit"): {"data": {"version": "2", "text": "Rang twice."}},
    ("POST", "/clients/<client_id>/notes/<note_id>/redact"): {"data": {"version": "2", "reason": "Wrong client"}},
    ("POST", "/clients/<client_id>/review"): {
        "data": {"version": "2", "text": "Met.", "happened_on": "2026-01-05", "next_review_on": "2031-06-30"}
    },
    ("POST", "/clients/<client_id>/valuations"): {"data": {"version": "2", "valued_on": "2026-06-30", "amount_1": "7"}},
    ("POST", "/clients/<client_id>/access"): {"data": {"version": "1", "is_restricted": "no"}},
    ("POST", "/clients/<client_id>/access/grant"): {"data": {"version": "1", "profile_id": "6"}},
    ("POST", "/clients/<client_id>/access/<grant_id>/revoke"): {"data": {"version": "1"}},
    ("POST", "/clients/bulk"): {"json": {"action": "next_review", "value": "2027-01-01", "clients": [[1, 1]]}},
    ("POST", "/user_page_presence"): {"json": {"page_identifier": "client-1"}},
    ("POST", "/user_page_presence/<page_identifier>/nudge"): {"json": {"tab_id": "t"}},
    ("GET", "/user_page_presence"): {"query_string": "page=client-1"},
    ("GET", "/clients/<client_id>/visit"): {"query_string": "version=1"},
    ("POST", "/clients/<client_id>/visit"): {"json": {"version": 1}},
    ("GET", "/clients/<client_id>/changes"): {"query_string": "since=0"},
    ("GET", "/clients/<client_id>/changes/<day>"): {"query_string": "since=0"},
    ("POST", "/clients/<client_id>/merge"): {"json": {"version": 1, "notes": "Rang."}},
    ("POST", "/clients/<client_id>/merge_unsaved"): {"json": {"version": 1, "notes": "Rang.", "mine": "Met."}},
    ("POST", "/clients/<client_id>/<kind>/same"): {"json": {"first_name": "Shaun"}},
    ("PUT", "/edit_drafts/<page_identifier>"): {
        "query_string": "form=record",
        "json": {"version": 1, "values": {"phone": "1"}},
    },
    ("DELETE", "/edit_drafts/<page_identifier>"): {"query_string": "form=record"},
    ("POST", "/account/unsaved-values"): {"data": {"shows_unsaved": "no"}},
    ("POST", "/account/single-keys"): {"data": {"single_keys": "no"}},
    ("POST", "/users/<profile_id>/role"): {"data": {"role": "reader"}},
    ("POST", "/discard_draft/<page_identifier>"): {
        "query_string": "form=record",
        "data": {"back": "/clients", "mark": "a@1"},
    },
}


OTHER_PROFILE_ID = 7  # a profile that calls nothing, because some routes would sign it out


def routes_of(app: Flask) -> set[tuple[str, str]]:
    """Return (method, rule) of every route, without converters and the static folder's digest."""
    return {
        (method, re.sub(r"<[^<>]*?(\w+)>", r"<\1>", re.sub(r"^/static/\w+/", "/static/", rule.rule)))
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }


def make_records(cast: Cast, *, is_restricted: bool = False) -> Client:
    """Create a client of Amelia's with one part of each kind and a change to undo."""
    client = make_client("Whitmore", adviser_id=cast.amelia.id, is_restricted=is_restricted)
    make_person(client)
    make_product(client, (date(2026, 3, 31), "5"))
    make_note(client, author_id=cast.amelia.id, written_at=clock.now())
    make_profile("Priya", f"Raman {client.id}")
    db.session.add(ClientGrant(client_id=client.id, profile_id=cast.olga.id))
    operations.save_entry(client, Entry(CLIENT), edit_from(1, cast.ada.id, {"phone": "1"}))
    db.session.commit()
    return client


def path_of(app: Flask, rule: str, client_id: str = "1") -> str:
    """Return the path for the first record of each kind."""
    filename = f"{app.static_url_path}/favicon.svg"
    path = rule.replace("<kind>", "person").replace("<version>", "2").replace("<client_id>", client_id)
    path = path.replace("<day>", "2026-06-30")
    path = path.replace("<page_identifier>", f"client-{client_id}").replace("<profile_id>", str(OTHER_PROFILE_ID))
    return re.sub(r"<\w+_id>", "1", path).replace("/static/<filename>", filename)


# What each unsafe route writes that writes no record.
WRITES_NO_RECORD = {
    ("POST", "/sign-in"): "the sign-in session",
    ("POST", "/sign-in/code"): "the sign-in session",
    ("POST", "/sign-in/set-up"): "one's own second factor",
    ("POST", "/session"): "the sign-in session",
    ("POST", "/sign-out"): "the sign-in session",
    ("POST", "/choose-password"): "one's own password",
    ("POST", "/account/password"): "one's own password",
    ("POST", "/account/second-factor"): "one's own second factor",
    ("POST", "/account/second-factor/confirm"): "one's own second factor",
    ("POST", "/account/second-factor/remove"): "one's own second factor",
    ("POST", "/account/recovery-codes"): "one's own second factor",
    ("POST", "/account/sessions"): "one's own sign-in sessions",
    ("POST", "/account/unsaved-values"): "one's own setting: the last one wins",
    ("POST", "/account/single-keys"): "one's own setting: the last one wins",
    ("POST", "/notifications/kinds"): "one's own setting: the last one wins",
    ("POST", "/notifications/read"): "one's own notifications",
    ("POST", "/clients/new"): "a client that does not exist yet, once for each opening of the form",
    ("POST", "/users/new"): "a profile, whose email is unique",
    ("POST", "/records/export"): "an audit event",
    ("POST", "/records/import"): "the caller's uploaded files, of which there is one set",
    ("POST", "/records/import/apply"): "what the page has shown, which carries a mark of all of it",
    ("POST", "/records/import/discard"): "the caller's uploaded files",
    ("POST", "/clients/bulk"): "one field of several clients, each from the version that the list has shown",
    ("POST", "/users/<profile_id>/hand-over"): "nothing but a deactivation: its steps write clients",
    ("POST", "/users/<profile_id>/hand-over/step"): "the adviser of clients, each from the version that it locks",
    ("POST", "/users/<profile_id>/details"): "a profile, which carries a mark of what the form has shown",
    **{
        ("POST", f"/users/<profile_id>/{what}"): "one value of a profile: the last one wins, the audit keeps all"
        for what in ("role", "activate", "deactivate", "password-code", "reset-second-factor", "sign-out", "unlock")
    },
    ("POST", "/user_page_presence"): "presence",
    ("DELETE", "/user_page_presence"): "presence",
    ("DELETE", "/user_page_presence/<page_identifier>"): "presence",
    ("POST", "/user_page_presence/<page_identifier>/nudge"): "presence",
    ("POST", "/clients/<client_id>/notes"): "a note of its own: adding one collides with nothing",
    ("POST", "/clients/<client_id>/overruled/<version>/dismiss"): "one's own notice",
    ("POST", "/clients/<client_id>/visit"): "one's own visit",
    ("PUT", "/edit_drafts/<page_identifier>"): "one's own draft, which only one page writes",
    ("DELETE", "/edit_drafts/<page_identifier>"): "one's own draft",
    ("POST", "/discard_draft/<page_identifier>"): "one's own draft",
    ("POST", "/clients/<client_id>/merge"): "nothing: it previews the result of a save",
    ("POST", "/clients/<client_id>/merge_unsaved"): "nothing: it merges two texts that the caller has",
    ("POST", "/clients/<client_id>/<kind>/same"): "nothing: it previews the question of a save",
}


def versioned_routes(app: Flask) -> list[tuple[str, str]]:
    """Return (method, rule) of each route that writes a record, and so requires a version."""
    return sorted(
        (method, rule) for method, rule in routes_of(app) - set(WRITES_NO_RECORD) if method not in SAFE_METHODS
    )
