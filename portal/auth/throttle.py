"""How often somebody may try: by account, by address, by both, kept in PostgreSQL and so shared by every worker.

A try is counted before its password is looked at, and given back when it was right: of a thousand tries at once no more
get through than of a thousand one after the other. After the free ones each failure doubles the wait, up to a lock of a
quarter of an hour that ends by itself. docs/security.md says why nobody can hold it on somebody else. Flushes only.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, DateTime, String, TextClause, func, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import Model, db
from portal.proxies import network_of
from portal.text_input import clean_line

LONGEST_WAIT_SECONDS = 15 * 60
HOUR_SECONDS = 3600
DAY_SECONDS = 24 * HOUR_SECONDS


class Kind(NamedTuple):
    """`free` failures cost nothing; after so many seconds without one, all are forgotten."""

    name: str
    free: int
    forget_seconds: int


# Somebody who has signed in to the account from this very browser before (known_devices.py).
DEVICE = Kind("device", 5, DAY_SECONDS)
# Anybody else: one address at one account, all addresses at one account, one address at all accounts. An office may
# have one address for everybody, and its people mistype.
PAIR = Kind("pair", 5, DAY_SECONDS)
ACCOUNT = Kind("account", 20, DAY_SECONDS)
ADDRESS = Kind("address", 100, HOUR_SECONDS)
# Who has proved one thing and must prove another.
CODE = Kind("code", 5, DAY_SECONDS)
PASSWORD_AGAIN = Kind("again", 5, DAY_SECONDS)


class ThrottleRow(Model):
    """One subject's failures. The work on it is the SQL below."""

    __tablename__ = "sign_in_throttle"

    subject: Mapped[str] = mapped_column(String(160), primary_key=True)
    failures: Mapped[int] = mapped_column(server_default="0")
    last_failed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    blocked_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class Subject:
    """Whose tries are counted together."""

    kind: Kind
    name: str

    @property
    def key(self) -> str:
        return f"{self.kind.name}:{self.name}"


@dataclass(frozen=True)
class Verdict:
    """`blocked` are the kinds that must wait; `wait_seconds` the longest of them. `next_wait_seconds` is what the next
    try has to wait for, should this one fail."""

    blocked: frozenset[Kind]
    wait_seconds: int
    next_wait_seconds: int

    @property
    def is_admitted(self) -> bool:
        return not self.blocked


def subjects_of_sign_in(email: str, address: str, device: str | None) -> tuple[Subject, ...]:
    """Whose tries this one is counted with. `device` is what a known browser proves, by known_devices.py.

    A known browser is counted by itself alone: what strangers do to the account or from the same office does not reach
    it.
    """
    if device is not None:
        return (Subject(DEVICE, device),)
    account, place = account_name(email), network_of(address)
    return (Subject(ACCOUNT, account), Subject(ADDRESS, place), Subject(PAIR, f"{account}:{place}"))


def account_name(email: str) -> str:
    """Of an account that exists or not; hashed, for people type passwords into this field.

    Cleaned as operations.find_by_email() does it: two spellings of one account must never be counted apart.
    """
    return hashlib.sha256(clean_line(email).lower().encode("utf-8", "surrogatepass")).hexdigest()


# Every subject has a row before they are locked: of many first tries at once, each then waits for the one before it.
# In the order of their keys, as the locks, so that two tries never wait for each other.
ENSURE = "INSERT INTO sign_in_throttle (subject) SELECT unnest(:subjects) ON CONFLICT DO NOTHING"

# All or nothing: a try that one subject blocks is not counted with the others, or one blocked address could hold the
# lock of an account for ever. clock_timestamp(), for whoever waited for a lock began before it was set.
ADMIT = """
    WITH held AS (
        SELECT subject, ceil(extract(epoch FROM blocked_until - clock_timestamp()))::int AS wait_seconds
        FROM sign_in_throttle WHERE subject = ANY(:subjects) ORDER BY subject FOR UPDATE
    ),
    blocked AS (SELECT * FROM held WHERE wait_seconds > 0),
    counted AS (
        UPDATE sign_in_throttle counting SET
            failures = 1 + failures * (last_failed_at > clock_timestamp() - make_interval(secs => forget_seconds))::int,
            last_failed_at = clock_timestamp(),
            blocked_until = CASE
                WHEN last_failed_at > clock_timestamp() - make_interval(secs => forget_seconds) AND failures >= free
                THEN clock_timestamp() + make_interval(secs => least(:longest, 2 ^ least(failures + 1 - free, 20)))
            END
        FROM unnest(:subjects, :free, :forget) AS limits (subject, free, forget_seconds)
        WHERE counting.subject = limits.subject AND NOT EXISTS (SELECT FROM blocked)
        RETURNING ceil(extract(epoch FROM blocked_until - clock_timestamp()))::int AS wait_seconds
    )
    SELECT (SELECT coalesce(array_agg(subject), '{}') FROM blocked),
           (SELECT coalesce(max(wait_seconds), 0) FROM blocked),
           (SELECT coalesce(max(wait_seconds), 0) FROM counted)
"""

# It was admitted, so no block held when it came: the one that it brought upon itself goes with it.
GIVE_BACK = """
    UPDATE sign_in_throttle SET failures = greatest(failures - 1, 0), blocked_until = NULL
    WHERE subject = ANY(:subjects)
"""


def admit(subjects: Sequence[Subject]) -> Verdict:
    """Count one try, unless one of its subjects must wait."""
    by_key = {subject.key: subject for subject in sorted(subjects, key=lambda subject: subject.key)}
    limits = {
        "subjects": list(by_key),
        "free": [subject.kind.free for subject in by_key.values()],
        "forget": [subject.kind.forget_seconds for subject in by_key.values()],
    }
    db.session.execute(text(ENSURE), {"subjects": limits["subjects"]})
    row = db.session.execute(text(ADMIT), {**limits, "longest": LONGEST_WAIT_SECONDS}).one()
    return Verdict(frozenset(by_key[key].kind for key in row[0]), row[1], row[2])


def give_back(subjects: Sequence[Subject]) -> None:
    """The try was none: it was right, or its password was never looked at."""
    db.session.execute(text(GIVE_BACK), {"subjects": [subject.key for subject in subjects]})


def forgive(subjects: Sequence[Subject]) -> None:
    """The try was right: what this person did in vain before is forgotten, what others did is not."""
    give_back([subject for subject in subjects if subject.kind in (ACCOUNT, ADDRESS)])
    _forget([subject.key for subject in subjects if subject.kind not in (ACCOUNT, ADDRESS)])


def unlock_account(email: str) -> int:
    """Forget what has been tried at the account, from wherever; how many subjects that were."""
    account = account_name(email)
    query = text("DELETE FROM sign_in_throttle WHERE subject = :account OR starts_with(subject, :pairs)")
    parameters = {"account": f"{ACCOUNT.name}:{account}", "pairs": f"{PAIR.name}:{account}:"}
    return _rowcount(query, parameters)


def unlock_profile(profile_id: int) -> int:
    """Forget the wrong codes and repeated passwords of the profile, and what its known browsers did."""
    query = text("DELETE FROM sign_in_throttle WHERE subject = ANY(:keys) OR starts_with(subject, :devices)")
    keys = [f"{kind.name}:{profile_id}" for kind in (CODE, PASSWORD_AGAIN)]
    return _rowcount(query, {"keys": keys, "devices": f"{DEVICE.name}:{profile_id}:"})


def unlock_address(address: str) -> int:
    """Forget what has been tried from the address at whichever account."""
    place = network_of(address)
    query = text(
        "DELETE FROM sign_in_throttle WHERE subject = :key OR (starts_with(subject, :pairs) AND subject LIKE :place)"
    )
    parameters = {"key": f"{ADDRESS.name}:{place}", "pairs": f"{PAIR.name}:", "place": f"%:{place}"}
    return _rowcount(query, parameters)


def purge(connection: Connection) -> int:
    """Delete what is forgotten; return how many. The caller commits."""
    query = text("DELETE FROM sign_in_throttle WHERE last_failed_at < now() - make_interval(secs => :seconds)")
    return connection.execute(query, {"seconds": DAY_SECONDS}).rowcount


def _forget(keys: Collection[str]) -> None:
    if keys:
        _rowcount(text("DELETE FROM sign_in_throttle WHERE subject = ANY(:keys)"), {"keys": list(keys)})


def _rowcount(query: TextClause, parameters: Mapping[str, object]) -> int:
    count: int = db.session.execute(query, parameters).rowcount  # type: ignore[attr-defined]
    return count
