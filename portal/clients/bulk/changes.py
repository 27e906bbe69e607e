"""Change one field of several clients: each a guarded change in a transaction of its own.

The page sends the clients with the versions that it shows, in steps, and repeats with those that a step has left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy.exc import OperationalError

from portal import dates
from portal.auth import Profile
from portal.clients.permissions import Caller, client_for
from portal.clients.records.entries import CLIENT, Entry
from portal.clients.records.limits import MAX_DATE, MIN_DATE
from portal.clients.saving.edits import Edit
from portal.clients.saving.operations import adviser_problem, save_entry
from portal.clients.saving.write_context import WriteContext
from portal.driver.errors import kind_of_trouble
from portal.editing.base_version import MAX_VERSION, BaseVersion
from portal.errors import InvalidInput, NotAllowed, NotFound, StaleVersion
from portal.extensions import db
from portal.integers import MAX_INTEGER
from portal.web.actor import Actor
from portal.web.pagination import parse_number

MAX_CLIENTS = 500
CHANGED_SINCE = "Another user has changed the same field since the list was loaded."
BEING_SAVED = "Another user was saving it at that moment."


@dataclass(frozen=True)
class BulkChange:
    """The values to set, and the (id, version) of the clients.

    To restrict a client, and to lift its restriction, needs the permission to manage its access. `is_rest`: an earlier
    step has tried other clients.
    """

    values: Mapping[str, Any]
    clients: Sequence[tuple[int, int]]
    is_rest: bool

    @property
    def to_grant(self) -> bool:
        return "is_restricted" in self.values

    @property
    def is_of_many(self) -> bool:
        return self.is_rest or len(self.clients) > 1


@dataclass(frozen=True)
class Result:
    """What became of one client. `reason` says why it is not changed, '' if it is or had the value already."""

    id: int
    name: str
    is_changed: bool = False
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def parse_change(body: object) -> BulkChange:
    """Parse {"action": …, "value": …, "clients": [[id, version], …], "is_rest": …}. Raises InvalidInput (422)."""
    if not isinstance(body, dict):
        raise InvalidInput("body", "must be a JSON object")
    pairs = body.get("clients")
    if not isinstance(pairs, list) or not 0 < len(pairs) <= MAX_CLIENTS or not all(map(_is_pair, pairs)):
        raise InvalidInput("clients", f"must be a list of 1 to {MAX_CLIENTS} pairs of id and version")
    is_rest = body.get("is_rest", False)
    if not isinstance(is_rest, bool):
        raise InvalidInput("is_rest", "must be true or false")
    values = _values(body.get("action"), body.get("value"))
    return BulkChange(values, [(number, version) for number, version in pairs], is_rest)


def change_client(client_id: int, version: int, change: BulkChange, by: Caller, actor: Actor) -> Result:
    """Change one client and commit. What the user may not change, or others have changed, is a reason and no error."""
    name = ""
    try:
        client = client_for(by.profile, client_id, write=True)
        name = client.name
        context = WriteContext(BaseVersion(version), actor, by, "form", is_one_of_many=change.is_of_many)
        saved = save_entry(client, Entry(CLIENT), Edit(context, change.values, to_grant=change.to_grant))
        db.session.commit()
        return Result(client_id, name, is_changed=saved.is_change)
    except (NotFound, NotAllowed) as error:
        reason = str(error)
    except InvalidInput as error:
        reason = error.problem
    except StaleVersion:
        reason = CHANGED_SINCE
    except OperationalError as error:
        if kind_of_trouble(error) != "too slow":
            raise
        reason = BEING_SAVED
    db.session.rollback()
    return Result(client_id, name, reason=reason)


def _is_pair(pair: object) -> bool:
    return (
        isinstance(pair, list)
        and len(pair) == 2
        and all(type(number) is int and number > 0 for number in pair)
        and pair[0] <= MAX_INTEGER
        and pair[1] <= MAX_VERSION
    )


def _values(action: object, value: object) -> dict[str, Any]:
    if action in ("restrict", "unrestrict"):
        return {"is_restricted": action == "restrict"}
    if action == "adviser":
        return {"adviser_id": _adviser_id(value)}
    if action == "next_review":
        return {"next_review_on": _day(value)}
    raise InvalidInput("action", "must be adviser, next_review, restrict or unrestrict")


def _adviser_id(value: object) -> int:
    number = parse_number(value, MAX_INTEGER) if isinstance(value, str) else None
    adviser = db.session.get(Profile, number) if number else None
    if adviser is None:
        raise InvalidInput("value", "Choose an adviser.")
    if problem := adviser_problem(adviser):
        raise InvalidInput("value", problem)
    return adviser.id


def _day(value: object) -> date:
    try:
        day = dates.read(value if isinstance(value, str) else "")
    except dates.UnreadableDay as problem:
        raise InvalidInput("value", str(problem)) from None
    if not MIN_DATE <= day <= MAX_DATE:
        raise InvalidInput("value", f"Enter a date between {MIN_DATE.year} and {MAX_DATE.year}.")
    return day
