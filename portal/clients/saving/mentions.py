"""Find the users whom a note mentions: `@` and a full name, or `@` and an email address.

A mention is stored as [start, end, profile id] beside the text. A page shows the profile's present name in its place.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import ColumnElement, func, or_, select

from portal.auth import Profile
from portal.clients import permissions
from portal.clients.records.models import Client
from portal.clients.records.note_models import ClientNote
from portal.clients.saving.edits import ValueRejected
from portal.extensions import db
from portal.notifications import store
from portal.notifications.kinds import Kind, mention_subject

MAX_MENTIONS = 20
MAX_MENTIONABLE = 500  # users offered while the author types
Mentions = list[list[int]]


def parse_mentions(client: Client, text: str, known: Collection[int] = ()) -> Mentions:
    """Return the mentions in the text. Text after an `@` that names no active user is text.

    The note mentions the users with the `known` ids already, so they stay, also without access or deactivated.

    Raises ValueRejected (422) for a user who may not see the client, for a name that several users have, and for more
    than MAX_MENTIONS mentions.
    """
    named = _users_named(client, text, known) if "@" in text else {}
    if not named:
        return []
    names = "|".join(map(re.escape, sorted(named, key=len, reverse=True)))
    mentions = []
    for found in re.finditer(rf"(?<!\w)@({names})(?!\w)", text, re.IGNORECASE):
        users = named.get(found[1].lower(), {})
        if len(users) > 1:
            raise ValueRejected("text", f"Several users are called {found[1]}. Write @ and the email address instead.")
        for profile, may_see in users.items():
            if not (may_see or profile.id in known):
                raise ValueRejected("text", f"{profile.full_name} may not see this client, so do not mention them.")
            mentions.append([found.start(), found.end(), profile.id])
    if len(mentions) > MAX_MENTIONS:
        raise ValueRejected("text", f"A note mentions at most {MAX_MENTIONS} users.")
    return mentions


def notify_mentioned(note: ClientNote, version: int, actor_id: int | None, known: Sequence[Sequence[int]] = ()) -> None:
    """Notify the mentioned users, except those whom the note has mentioned before. Flushes."""
    before = {profile_id for *_, profile_id in known}
    added = {profile_id for *_, profile_id in note.mentions} - before
    subject = mention_subject(note.id)
    store.add(Kind.MENTIONED, added, client_id=note.client_id, actor_id=actor_id, subject=subject, version=version)


def with_names(text: str, mentions: Sequence[Sequence[int]], names: Mapping[int, str]) -> str:
    """Return the text with the present names of the mentioned users. Pure."""
    for start, end, profile_id in sorted(mentions, key=lambda mention: mention[0], reverse=True):
        text = f"{text[:start]}@{names.get(profile_id, text[start + 1 : end])}{text[end:]}"
    return text


def names_of(mentions: Iterable[Sequence[int]]) -> dict[int, str]:
    """Return the names of the mentioned users by id."""
    ids = {profile_id for *_, profile_id in mentions}
    found = db.session.scalars(select(Profile).where(Profile.id.in_(ids))) if ids else ()
    return {profile.id: profile.full_name for profile in found}


def spellings_of(mentions: Iterable[Sequence[int]]) -> dict[int, str]:
    """Return what follows the `@` in a form, by id: the name of the user, or the email if others have the name."""
    ids = {profile_id for *_, profile_id in mentions}
    if not ids:
        return {}
    users = list(db.session.scalars(select(Profile).where(Profile.id.in_(ids))))
    name = _lower_name()
    names = select(name).where(_can_be_named(ids), name.in_({user.full_name.lower() for user in users}))
    shared = set(db.session.scalars(names.group_by(name).having(func.count() > 1)))
    return {user.id: user.email if user.full_name.lower() in shared else user.full_name for user in users}


def mentionable(client: Client) -> list[tuple[str, str]]:
    """Return (name, what follows the `@`) of each active user who may see the client, by first name."""
    query = select(Profile).where(Profile.is_active, permissions.sees(client))
    found = db.session.scalars(query.order_by(Profile.first_name, Profile.last_name, Profile.id).limit(MAX_MENTIONABLE))
    users = list(found)
    names = [profile.full_name for profile in users]
    return [(each.full_name, each.email if names.count(each.full_name) > 1 else each.full_name) for each in users]


def _users_named(client: Client, text: str, known: Collection[int]) -> Mapping[str, Mapping[Profile, bool]]:
    """Return the users whose name or email follows an `@`, by that in lower case, and whether they see the client."""
    name = _lower_name()
    lowered = func.lower(text)
    is_named = or_(func.strpos(lowered, "@" + name) > 0, func.strpos(lowered, "@" + func.lower(Profile.email)) > 0)
    named: dict[str, dict[Profile, bool]] = defaultdict(dict)
    query = select(Profile, permissions.sees(client)).where(_can_be_named(known), is_named).limit(MAX_MENTIONABLE)
    for profile, may_see in db.session.execute(query):
        for key in (profile.full_name, profile.email):
            named[key.lower()][profile] = may_see
    return named


def _lower_name() -> ColumnElement[str]:
    return func.lower(Profile.first_name + " " + Profile.last_name)


def _can_be_named(known: Collection[int]) -> ColumnElement[bool]:
    return or_(Profile.is_active, Profile.id.in_(known))
