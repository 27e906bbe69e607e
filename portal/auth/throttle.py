"""Throttle sign-in attempts by account, by address and by both. The counters are in PostgreSQL, shared by all workers.

Count each attempt before verifying the password, and refund it on success. Concurrent attempts therefore cannot exceed
the limit. After the free attempts each failure doubles the wait, up to a lock of 15 minutes that ends by itself.
docs/security.md explains why an attacker cannot keep another user's account locked for that user. The functions flush.

Rows are always locked in the order address, account, pair, so that attempts cannot deadlock.
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
MAX_ROWS = 100_000  # rows of unknown browsers; 27 MB with the index
TRIM_AFTER_ROWS = 1_000  # rows added by one process: the table exceeds MAX_ROWS by at most this for each process


class ThrottleKind(NamedTuple):
    """A kind of counter: `free_attempts` failures without a wait, reset `forget_after_seconds` after the last one."""

    name: str
    free_attempts: int
    forget_after_seconds: int


# Attempts from trusted devices (trusted_devices.py). All devices of a profile share one counter, because an attacker
# who once knew the password may have several.
DEVICE = ThrottleKind("device", 5, DAY_SECONDS)
# All other attempts: one address at one account, all addresses at one account, one address at all accounts. The limit
# of an address is high because all users of an office may share one.
ACCOUNT_AND_ADDRESS = ThrottleKind("pair", 5, DAY_SECONDS)
ACCOUNT = ThrottleKind("account", 20, DAY_SECONDS)
ADDRESS = ThrottleKind("address", 100, HOUR_SECONDS)
# Second-factor codes and repeated passwords. Trusted devices are counted apart from attackers who know the password.
CODE = ThrottleKind("code", 5, DAY_SECONDS)
TRUSTED_CODE = ThrottleKind("known-code", 5, DAY_SECONDS)
REAUTHENTICATION = ThrottleKind("again", 5, DAY_SECONDS)


class ThrottleRow(Model):
    """The failures of one subject. Only the SQL below reads and writes it."""

    __tablename__ = "sign_in_throttle"

    subject: Mapped[str] = mapped_column(String(160), primary_key=True)
    failures: Mapped[int] = mapped_column(server_default="0")
    last_failed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    blocked_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class ThrottleSubject:
    """A group of attempts that share one counter."""

    kind: ThrottleKind
    name: str

    @property
    def key(self) -> str:
        return f"{self.kind.name}:{self.name}"


@dataclass(frozen=True)
class ThrottleDecision:
    """The result of registering an attempt.

    `blocked` contains the kinds that are blocked, `wait_seconds` the longest of their waits. `next_wait_seconds` is the
    wait before the next attempt if this one fails.
    """

    blocked: frozenset[ThrottleKind]
    wait_seconds: int
    next_wait_seconds: int

    @property
    def is_admitted(self) -> bool:
        return not self.blocked


def sign_in_subjects(email: str, address: str, trusted_profile_id: int | None) -> tuple[ThrottleSubject, ...]:
    """Return the subjects of a sign-in attempt. `trusted_profile_id` is the profile that trusts the browser, if any.

    Trusted devices have their own counter, so attempts by others at the account or from the same address do not block
    them.
    """
    if trusted_profile_id is not None:
        return (ThrottleSubject(DEVICE, str(trusted_profile_id)),)
    account, network = account_key(email), network_of(address)
    return (
        ThrottleSubject(ADDRESS, network),
        ThrottleSubject(ACCOUNT, account),
        ThrottleSubject(ACCOUNT_AND_ADDRESS, f"{account}:{network}"),
    )


def code_subject(profile_id: int, *, is_trusted: bool) -> ThrottleSubject:
    """Return the subject of a second-factor code. Trusted devices are counted apart from other browsers."""
    return ThrottleSubject(TRUSTED_CODE if is_trusted else CODE, str(profile_id))


def account_key(email: str) -> str:
    """Return the key of an account, whether it exists or not. It is hashed because users type passwords into this
    field.

    The email is cleaned as in `profiles.find_by_email`, so that all spellings of one account share a counter.
    """
    return hashlib.sha256(clean_line(email).lower().encode("utf-8", "surrogatepass")).hexdigest()


# Rejects a blocked address without writing, locking or adding a row for an account.
FIND_BLOCK = """
    SELECT ceil(extract(epoch FROM blocked_until - clock_timestamp()))::int FROM sign_in_throttle
    WHERE subject = :subject AND blocked_until > clock_timestamp()
"""

# Creates each subject's row before the rows are locked, so that concurrent first attempts wait for each other. The rows
# are inserted in the order of their keys, as they are locked.
ENSURE_ROWS = "INSERT INTO sign_in_throttle (subject) SELECT unnest(:subjects) ON CONFLICT DO NOTHING"

# All or nothing: an attempt that one subject blocks is not counted for the others. Otherwise one blocked address could
# keep an account locked for ever. clock_timestamp(), because a statement that waited for a lock began before it was
# set.
REGISTER_ATTEMPT = """
    WITH held AS (
        SELECT subject, ceil(extract(epoch FROM blocked_until - clock_timestamp()))::int AS wait_seconds
        FROM sign_in_throttle WHERE subject = ANY(:subjects) ORDER BY subject FOR UPDATE
    ),
    blocked AS (SELECT * FROM held WHERE wait_seconds > 0),
    counted AS (
        UPDATE sign_in_throttle counting SET
            failures = 1 + failures * (last_failed_at > clock_timestamp() - make_interval(secs => forget_after))::int,
            last_failed_at = clock_timestamp(),
            blocked_until = CASE
                WHEN last_failed_at > clock_timestamp() - make_interval(secs => forget_after) AND failures >= free
                THEN clock_timestamp() + make_interval(secs => least(:max_seconds, 2 ^ least(failures + 1 - free, 20)))
            END
        FROM unnest(:subjects, :free, :forget_after) AS limits (subject, free, forget_after)
        WHERE counting.subject = limits.subject AND NOT EXISTS (SELECT FROM blocked)
        RETURNING ceil(extract(epoch FROM blocked_until - clock_timestamp()))::int AS wait_seconds
    )
    SELECT (SELECT coalesce(array_agg(subject), '{}') FROM blocked),
           (SELECT coalesce(max(wait_seconds), 0) FROM blocked),
           (SELECT coalesce(max(wait_seconds), 0) FROM counted)
"""

# A refunded attempt was admitted, so no block existed before it. Any block now was set by the attempt itself.
REFUND = """
    UPDATE sign_in_throttle SET failures = greatest(failures - 1, 0), blocked_until = NULL WHERE subject = :subject
"""


# Deletes expired rows. Rows locked by an attempt are left for the next hour, so an attempt never waits for the purge.
# PostgreSQL evaluates an ARRAY once. IN would allow a plan that repeats the inner query for each row.
PURGE = """
    DELETE FROM sign_in_throttle WHERE subject = ANY (ARRAY(
        SELECT subject FROM sign_in_throttle
        WHERE last_failed_at < now() - make_interval(secs => :day)
           OR starts_with(subject, :addresses) AND last_failed_at < now() - make_interval(secs => :hour)
        FOR UPDATE SKIP LOCKED
    ))
"""

# Deletes the rows with the fewest failures first. The row of a locked account or address therefore stays unless an
# attacker fails as often at MAX_ROWS others. The counters of profiles are few and always stay.
TRIM = """
    DELETE FROM sign_in_throttle WHERE subject = ANY (ARRAY(
        SELECT subject FROM sign_in_throttle WHERE subject = ANY (ARRAY(
            SELECT subject FROM sign_in_throttle WHERE split_part(subject, ':', 1) = ANY(:kinds)
            ORDER BY failures DESC, last_failed_at DESC OFFSET :max_rows
        ))
        FOR UPDATE SKIP LOCKED
    ))
"""


class _Growth:
    """The number of rows that this process has added since it last trimmed the table."""

    rows = 0


def register_attempt(subjects: Sequence[ThrottleSubject]) -> ThrottleDecision:
    """Count one attempt, unless one of its subjects is blocked.

    The address is checked first. An attempt blocked by its account still counts for the address, and an attempt blocked
    by its address counts for nothing else.
    """
    addresses = [subject for subject in subjects if subject.kind == ADDRESS]
    others = [subject for subject in subjects if subject.kind != ADDRESS]
    for address in addresses:
        if wait_seconds := db.session.scalar(text(FIND_BLOCK), {"subject": address.key}):
            return ThrottleDecision(frozenset({ADDRESS}), wait_seconds, 0)
    by_address = _register_together(addresses)
    if not by_address.is_admitted or not others:
        return by_address
    by_others = _register_together(others)
    return replace(by_others, next_wait_seconds=max(by_address.next_wait_seconds, by_others.next_wait_seconds))


def _register_together(subjects: Sequence[ThrottleSubject]) -> ThrottleDecision:
    if not subjects:
        return ThrottleDecision(frozenset(), 0, 0)
    by_key = {subject.key: subject for subject in sorted(subjects, key=lambda subject: subject.key)}
    limits = {
        "subjects": list(by_key),
        "free": [subject.kind.free_attempts for subject in by_key.values()],
        "forget_after": [subject.kind.forget_after_seconds for subject in by_key.values()],
    }
    _Growth.rows += _rowcount(text(ENSURE_ROWS), {"subjects": limits["subjects"]})
    row = db.session.execute(text(REGISTER_ATTEMPT), {**limits, "max_seconds": MAX_LOCKOUT_SECONDS}).one()
    return ThrottleDecision(frozenset(by_key[key].kind for key in row[0]), row[1], row[2])


def refund(subjects: Sequence[ThrottleSubject]) -> None:
    """Undo the count of an attempt that succeeded or whose password was never checked."""
    for subject in subjects:
        db.session.execute(text(REFUND), {"subject": subject.key})


def reset_failures(subjects: Sequence[ThrottleSubject]) -> None:
    """Reset the user's own earlier failures after a successful attempt. Failures of others still count."""
    refund([subject for subject in subjects if subject.kind in (ADDRESS, ACCOUNT)])
    _delete_rows([subject.key for subject in subjects if subject.kind not in (ADDRESS, ACCOUNT)])


def unlock_account(email: str) -> int:
    """Reset the failures at the account from all addresses. Return the number of subjects."""
    account = account_key(email)
    pairs = text("DELETE FROM sign_in_throttle WHERE starts_with(subject, :pairs)")
    return _delete_rows([f"{ACCOUNT.name}:{account}"]) + _rowcount(
        pairs, {"pairs": f"{ACCOUNT_AND_ADDRESS.name}:{account}:"}
    )


def unlock_profile(profile_id: int) -> int:
    """Reset the incorrect codes and passwords of a signed-in profile and of its trusted devices."""
    return _delete_rows([f"{kind.name}:{profile_id}" for kind in (CODE, TRUSTED_CODE, REAUTHENTICATION, DEVICE)])


def unlock_address(address: str) -> int:
    """Reset the failures from the address at all accounts. Return the number of subjects."""
    network = network_of(address)
    pairs = text("DELETE FROM sign_in_throttle WHERE starts_with(subject, :pairs) AND subject LIKE :network")
    parameters = {"pairs": f"{ACCOUNT_AND_ADDRESS.name}:", "network": f"%:{network}"}
    return _delete_rows([f"{ADDRESS.name}:{network}"]) + _rowcount(pairs, parameters)


def purge(connection: Connection) -> int:
    """Delete expired rows and rows beyond the table's limit. Return how many. The caller commits."""
    limits = {"addresses": f"{ADDRESS.name}:", "hour": ADDRESS.forget_after_seconds, "day": DAY_SECONDS}
    return connection.execute(text(PURGE), limits).rowcount + _trim(connection)


def trim_if_grown() -> None:
    """Trim the table if this process has added many rows since it last did so."""
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
