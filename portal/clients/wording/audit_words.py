"""Describe audit events, whose rows contain only ids and keys of client records, with today's names."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select, true

from portal.auth import Profile
from portal.clients.permissions import visible_to
from portal.clients.records.entries import split_key
from portal.clients.records.models import Client
from portal.clients.wording.names import Names, names_of_fields
from portal.clients.wording.sentences import join_words, labels_of
from portal.extensions import db

About = Mapping[str, Any]


def words_for(abouts: Sequence[About], reader: Profile | None) -> list[dict[str, str]]:
    """Return for each event the words for its numbers and keys, by at most eleven statements in all.

    Names of a client that `reader` may not see, and of its parts, are left out. None is an operator, who sees all.
    """
    clients = _clients_named({about["client_id"] for about in abouts if "client_id" in about}, reader)
    advisers = _profiles_named({about["adviser_id"] for about in abouts if "adviser_id" in about})
    seen = [about for about in abouts if about.get("client_id") in clients]
    names = names_of_fields((about["client_id"], _known(about.get("fields", ()))) for about in seen)
    return [_words(about, clients, advisers, names) for about in abouts]


def _words(about: About, clients: Mapping[int, str], advisers: Mapping[int, str], names: Names) -> dict[str, str]:
    words = {}
    if about.get("client_id") in clients:
        words["client_id"] = f"client {clients[about['client_id']]}"
    if about.get("adviser_id") in advisers:
        words["adviser_id"] = f"adviser {advisers[about['adviser_id']]}"
    if "client_id" in about and "version" in about:
        words["version"] = f"change {about['version']}"
    if "reverted" in about:
        words["reverted"] = f"undid change {about['reverted']}"
    if fields := about.get("fields") if "client_id" in about else None:
        known = _known(fields)
        words["fields"] = join_words([*labels_of(known, names), *(key for key in fields if key not in known)])
    return words


def _known(keys: Iterable[str]) -> list[str]:
    """Return the keys that still exist: the audit log is kept for years, so a field may have been removed."""
    return [key for key in keys if _is_known(key)]


def _is_known(key: str) -> bool:
    entry, column = split_key(key)
    return column in entry.kind.labels if column else entry.kind.is_known and entry.id is not None


def _clients_named(ids: set[int], reader: Profile | None) -> dict[int, str]:
    if not ids:
        return {}
    is_visible = true() if reader is None else visible_to(reader)
    query = select(Client.id, Client.client_ref, Client.name).where(Client.id.in_(ids), is_visible)
    return {row.id: f"{row.client_ref} {row.name}" for row in db.session.execute(query)}


def _profiles_named(ids: set[int]) -> dict[int, str]:
    profiles = db.session.scalars(select(Profile).where(Profile.id.in_(ids))) if ids else ()
    return {profile.id: profile.full_name for profile in profiles}
