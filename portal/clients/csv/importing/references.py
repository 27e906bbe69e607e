"""Check that the rows of the six files name existing profiles, clients and products. Pure."""

from collections.abc import Collection, Iterator, Mapping

from portal.clients.csv.problems import Problem
from portal.clients.csv.schema import (
    CLIENTS,
    NOTES,
    PEOPLE,
    PRODUCTS,
    VALUATIONS,
    ClientRow,
    NoteRow,
    PersonRow,
    ProductRow,
)
from portal.clients.csv.tables import Table, Tables
from portal.clients.records.parsers import quote_for_message
from portal.driver.turns import in_turns, let_others_run


def reference_problems(
    tables: Tables, *, emails: Collection[str], client_refs: Collection[str], owners: Mapping[str, str]
) -> list[Problem]:
    """Return a problem for each row that names a profile, client or plan which is neither in the files nor stored.

    The arguments describe what is stored: emails in lower case, client references, and {plan number: client reference}.
    """
    return [
        *_users(CLIENTS.file, "adviser_email", tables.clients, tables, emails),
        *_users(NOTES.file, "author_email", tables.notes, tables, emails),
        *_clients_of(PEOPLE.file, tables.people, tables, client_refs),
        *_clients_of(PRODUCTS.file, tables.products, tables, client_refs),
        *_clients_of(NOTES.file, tables.notes, tables, client_refs),
        *_owners(tables, owners),
        *_plans(tables, owners),
    ]


def _users(
    file: str, column: str, table: Table[ClientRow] | Table[NoteRow], tables: Tables, emails: Collection[str]
) -> Iterator[Problem]:
    in_files = {row.key for row in tables.profiles.rows}
    for row in table.rows:
        let_others_run()
        email: str | None = getattr(row, column)
        if not email or email.lower() in in_files or email.lower() in emails or tables.profiles.may_contain(email):
            continue
        yield Problem(file, row.line, column, f"{quote_for_message(email)} is not a known user")


def _clients_of(
    file: str,
    table: Table[PersonRow] | Table[ProductRow] | Table[NoteRow],
    tables: Tables,
    client_refs: Collection[str],
) -> Iterator[Problem]:
    in_files = {row.client_ref for row in tables.clients.rows}
    for row in table.rows:
        let_others_run()
        ref = row.client_ref
        if not ref or ref in in_files or ref in client_refs or tables.clients.may_contain(ref):
            continue
        yield Problem(file, row.line, "client_ref", f"{quote_for_message(ref)} is not a known client")


def _owners(tables: Tables, owners: Mapping[str, str]) -> Iterator[Problem]:
    for row in in_turns(tables.products.rows):
        owner = owners.get(row.plan_number)
        if owner is not None and row.client_ref and owner != row.client_ref:
            text = f"{quote_for_message(row.plan_number)} belongs to another client, {quote_for_message(owner)}"
            yield Problem(PRODUCTS.file, row.line, "plan_number", text)


def _plans(tables: Tables, owners: Collection[str]) -> Iterator[Problem]:
    in_files = {row.plan_number for row in tables.products.rows}
    for row in in_turns(tables.valuations.rows):
        plan = row.plan_number
        if not plan or plan in in_files or plan in owners or tables.products.may_contain(plan):
            continue
        yield Problem(VALUATIONS.file, row.line, "plan_number", f"{quote_for_message(plan)} is not a known plan")
