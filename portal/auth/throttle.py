"""How often somebody may try: by account, by address, by both, kept in PostgreSQL and so shared by every worker.

A try is counted before its password is looked at, and given back when it was right: of a thousand tries at once no more
get through than of a thousand one after the other. After the free ones each failure doubles the wait, up to a lock of a
quarter of an hour that ends by itself. docs/security.md says why nobody can hold it on somebody else. Flushes only.

Rows are locked in one order everywhere, address, account, pair, so that no two tries wait for each other.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, DateTime, String, TextClause, func, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import Model, db
from portal.text_input import clean_line
from portal.web.proxies import network_of

MAX_LOCKOUT_SECONDS = 15 * 60
HOUR_SECONDS = 3600
DAY_SECONDS = 24 * HOUR_SECONDS
MAX_ROWS = 100_000  # of strangers; 27 MB with the index
TRIM_AFTER_ROWS = 1_000  # that one process has added: the table has at most so many more for each process


class ThrottleKind(NamedTuple):
    """`free` failures cost nothing; after so many seconds without one, all are forgotten."""

    name: str
    free: int
    forget_seconds: int


# Who has signed in to the account from this very browser before (known_devices.py). All such browsers of a profile are
# counted together: whoever once knew the password may have several.
DEVICE = ThrottleKind("device", 5, DAY_SECONDS)
# Anybody else: one address at one account, all addresses at one account, one address at all accounts. An office may
# have one address for everybody, and its people mistype.
ACCOUNT_AND_ADDRESS = ThrottleKind("pair", 5, DAY_SECONDS)
ACCOUNT = ThrottleKind("account", 20, DAY_SECONDS)
ADDRESS = ThrottleKind("address", 100, HOUR_SECONDS)
# Who has proved one thing and must prove another; known browsers apart from strangers who know the password.
CODE = ThrottleKind("code", 5, DAY_SECONDS)
KNOWN_CODE = ThrottleKind("known-code", 5, DAY_SECONDS)
REAUTHENTICATION = ThrottleKind("again", 5, DAY_SECONDS)


class ThrottleRow(Model):
    """One subject's failures. The work on it is the SQL below."""

    __tablename__ = "sign_in_throttle"

    subject: Mapped[str] = mapped_column(String(160), primary_key=True)
    failures: Mapped[int] = mapped_column(server_default="0")
    last_failed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    blocked_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class ThrottleSubject:
    """Whose tries are counted together."""

    kind: ThrottleKind
    name: str

    @property
    def key(self) -> str:
        return f"{self.kind.name}:{self.name}"


@dataclass(frozen=True)
class ThrottleDecision:
    """`blocked` are the kinds that must wait; `wait_seconds` the longest of them. `next_wait_seconds` is what the next
    try has to wait for, should this one fail."""

    blocked: frozenset[ThrottleKind]
    wait_seconds: int
    next_wait_seconds: int

    @property
    def is_admitted(self) -> bool:
        return not self.blocked


def subjects_of_sign_in(email: str, address: str, known_profile_id: int | None) -> tuple[ThrottleSubject, ...]:
    """Whose tries this one is counted with. `known_profile_id` is what a known browser proves, by known_devices.py.

    Known browsers are counted by themselves: what strangers do to the account or from the same office does not reach
    them.
    """
    if known_profile_id is not None:
        return (ThrottleSubject(DEVICE, str(known_profile_id)),)
    account, place = account_name(email), network_of(address)
    return (
        ThrottleSubject(ADDRESS, place),
        ThrottleSubject(ACCOUNT, account),
        ThrottleSubject(ACCOUNT_AND_ADDRESS, f"{account}:{place}"),
    )


def subject_of_code(profile_id: int, *, is_known: bool) -> ThrottleSubject:
    """Whose wrong codes this one is counted with: those of known browsers, or those of everybody else."""
    return ThrottleSubject(KNOWN_CODE if is_known else CODE, str(profile_id))


def account_name(email: str) -> str:
    """Of an account that exists or not; hashed, for people type passwords into this field.

    Cleaned as operations.find_by_email() does it: two spellings of one account must never be counted apart.
    """
    return hashlib.sha256(clean_line(email).lower().encode("utf-8", "surrogatepass")).hexdigest()


# A blocked address is refused by this alone: it writes nothing, locks nothing, and adds no row of an account.
LOOK = """
    SELECT ceil(extract(epoch FROM blocked_until - clock_timestamp()))::int FROM sign_in_throttle
    WHERE subject = :subject AND blocked_until > clock_timestamp()
"""

# Every subject has a row before they are locked: of many first tries at once, each then waits for the one before it.
# In the order of their keys, as the locks.
ENSURE_ROWS = "INSERT INTO sign_in_throttle (subject) SELECT unnest(:subjects) ON CONFLICT DO NOTHING"

# All or nothing: a try that one subject blocks is not counted with the others, or one blocked address could hold the
# lock of an account for ever. clock_timestamp(), for whoever waited for a lock began before it was set.
REGISTER_ATTEMPT = """
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
REFUND = """
    UPDATE sign_in_throttle SET failures = greatest(failures - 1, 0), blocked_until = NULL WHERE subject = :subject
"""


# What is forgotten by now. Rows that a try has locked can wait for the next hour; a try never waits for the purge.
PURGE = """
    DELETE FROM sign_in_throttle WHERE subject IN (
        SELECT subject FROM sign_in_throttle
        WHERE last_failed_at < now() - make_interval(secs => :day)
           OR starts_with(subject, :addresses) AND last_failed_at < now() - make_interval(secs => :hour)
        FOR UPDATE SKIP LOCKED
    )
"""

# Those with the fewest failures go first: what locks an account or an address stays, unless somebody fails as often at
# MAX_ROWS others. The counts of profiles, which are few, always stay.
TRIM = """
    DELETE FROM sign_in_throttle WHERE subject IN (
        SELECT subject FROM sign_in_throttle WHERE subject IN (
            SELECT subject FROM sign_in_throttle WHERE split_part(subject, ':', 1) = ANY(:kinds)
            ORDER BY failures DESC, last_failed_at DESC OFFSET :max_rows
        )
        FOR UPDATE SKIP LOCKED
    )
"""


class _Growth:
    """How many rows this process has added to the table since it last trimmed it."""

    rows = 0


def register_attempt(subjects: Sequence[ThrottleSubject]) -> ThrottleDecision:
    """Count one try, unless one of its subjects must wait.

    The address comes first: a try that its account refuses counts against it all the same, and one that it refuses is
    not counted elsewhere.
    """
    addresses = [subject for subject in subjects if subject.kind == ADDRESS]
    others = [subject for subject in subjects if subject.kind != ADDRESS]
    for address in addresses:
        if wait_seconds := db.session.scalar(text(LOOK), {"subject": address.key}):
            return ThrottleDecision(frozenset({ADDRESS}), wait_seconds, 0)
    by_address = _admit_together(addresses)
    if not by_address.is_admitted or not others:
        return by_address
    by_others = _admit_together(others)
    return replace(by_others, next_wait_seconds=max(by_address.next_wait_seconds, by_others.next_wait_seconds))


def _admit_together(subjects: Sequence[ThrottleSubject]) -> ThrottleDecision:
    if not subjects:
        return ThrottleDecision(frozenset(), 0, 0)
    by_key = {subject.key: subject for subject in sorted(subjects, key=lambda subject: subject.key)}
    limits = {
        "subjects": list(by_key),
        "free": [subject.kind.free for subject in by_key.values()],
        "forget": [subject.kind.forget_seconds for subject in by_key.values()],
    }
    _Growth.rows += _rowcount(text(ENSURE_ROWS), {"subjects": limits["subjects"]})
    row = db.session.execute(text(REGISTER_ATTEMPT), {**limits, "longest": MAX_LOCKOUT_SECONDS}).one()
    return ThrottleDecision(frozenset(by_key[key].kind for key in row[0]), row[1], row[2])


def refund(subjects: Sequence[ThrottleSubject]) -> None:
    """The try was none: it was right, or its password was never looked at."""
    for subject in subjects:
        db.session.execute(text(REFUND), {"subject": subject.key})


def reset_failures(subjects: Sequence[ThrottleSubject]) -> None:
    """The try was right: what this person did in vain before is forgotten, what others did is not."""
    refund([subject for subject in subjects if subject.kind in (ADDRESS, ACCOUNT)])
    _delete_rows([subject.key for subject in subjects if subject.kind not in (ADDRESS, ACCOUNT)])


def unlock_account(email: str) -> int:
    """Forget what has been tried at the account, from wherever; how many subjects that were."""
    account = account_name(email)
    pairs = text("DELETE FROM sign_in_throttle WHERE starts_with(subject, :pairs)")
    return _delete_rows([f"{ACCOUNT.name}:{account}"]) + _rowcount(
        pairs, {"pairs": f"{ACCOUNT_AND_ADDRESS.name}:{account}:"}
    )


def unlock_profile(profile_id: int) -> int:
    """Forget the wrong codes and repeated passwords of the profile, and what its known browsers did."""
    return _delete_rows([f"{kind.name}:{profile_id}" for kind in (CODE, KNOWN_CODE, REAUTHENTICATION, DEVICE)])


def unlock_address(address: str) -> int:
    """Forget what has been tried from the address at whichever account."""
    place = network_of(address)
    pairs = text("DELETE FROM sign_in_throttle WHERE starts_with(subject, :pairs) AND subject LIKE :place")
    parameters = {"pairs": f"{ACCOUNT_AND_ADDRESS.name}:", "place": f"%:{place}"}
    return _delete_rows([f"{ADDRESS.name}:{place}"]) + _rowcount(pairs, parameters)


def purge(connection: Connection) -> int:
    """Delete what is forgotten, and what is more than the table may hold; return how many. The caller commits."""
    forgotten = {"addresses": f"{ADDRESS.name}:", "hour": ADDRESS.forget_seconds, "day": DAY_SECONDS}
    return connection.execute(text(PURGE), forgotten).rowcount + _trim(connection)


def keep_bounded() -> None:
    """Trim the table where this process has added many rows since it last did."""
    if _Growth.rows >= TRIM_AFTER_ROWS:
        _Growth.rows = 0
        _trim(db.session.connection())


def _trim(connection: Connection) -> int:
    kinds = [kind.name for kind in (ADDRESS, ACCOUNT, ACCOUNT_AND_ADDRESS)]
    return connection.execute(text(TRIM), {"kinds": kinds, "max_rows": MAX_ROWS}).rowcount


def _delete_rows(keys: Collection[str]) -> int:
    return _rowcount(text("DELETE FROM sign_in_throttle WHERE subject = ANY(:keys)"), {"keys": list(keys)})


def _rowcount(query: TextClause, parameters: Mapping[str, object]) -> int:
    count: int = db.session.execute(query, parameters).rowcount  # type: ignore[attr-defined]
    return count
