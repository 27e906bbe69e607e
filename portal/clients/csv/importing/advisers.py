"""Find advisers whose role does not allow them to look after clients. Pure.

A stored adviser is accepted, unless the files change the role.
"""

from collections.abc import Iterator

from portal.auth.models import ADVISING_ROLES, ROLES
from portal.clients.csv.importing.existing import ExistingRecords
from portal.clients.csv.problems import Problem
from portal.clients.csv.schema import CLIENTS, PROFILES
from portal.clients.csv.tables import Tables
from portal.clients.records.parsers import quote_for_message


def adviser_problems(tables: Tables, existing: ExistingRecords) -> list[Problem]:
    """Return a problem for each client that gets such an adviser, and for each adviser that gets such a role."""
    return [*_unsuitable_advisers(tables, existing), *_needed_advisers(tables, existing)]


def _unsuitable_advisers(tables: Tables, existing: ExistingRecords) -> Iterator[Problem]:
    roles = {email: profile["role"] for email, profile in existing.profiles.items()}
    roles |= {row.key: row.role for row in reversed(tables.profiles.rows) if row.key and row.role}
    for row in tables.clients.rows:
        email = (row.adviser_email or "").lower()
        stored = existing.clients.get(row.client_ref)
        is_stored = stored is not None and (stored["adviser_email"] or "").lower() == email
        if email in roles and roles[email] not in ADVISING_ROLES and not is_stored:
            text = f"{quote_for_message(row.adviser_email)} is {ROLES[roles[email]].lower()}, not adviser or admin"
            yield Problem(CLIENTS.file, row.line, "adviser_email", text)


def _needed_advisers(tables: Tables, existing: ExistingRecords) -> Iterator[Problem]:
    advisers = {row.client_ref: (row.adviser_email or "").lower() for row in tables.clients.rows}
    first_rows = {row.key: row for row in reversed(tables.profiles.rows) if row.key}
    for row in first_rows.values():
        refs = existing.clients_of_former_advisers.get(row.key or "", ())
        count = sum(advisers.get(ref, row.key) == row.key for ref in refs)
        if count:
            clients = "1 client that keeps" if count == 1 else f"{count:,} clients that keep"
            text = f"{quote_for_message(row.email)} has {clients} this adviser: hand over first, or in clients.csv"
            yield Problem(PROFILES.file, row.line, "role", text)
