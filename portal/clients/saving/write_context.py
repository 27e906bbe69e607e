"""Describe who writes a client record, from which version and how. Every write carries one context.

The view of a form or of JSON, an undo and a command each pass a context to the same operations. The revision and the
audit log record it. Must not import Flask.
"""

from dataclasses import dataclass, field

from portal.clients.permissions import Caller
from portal.clients.records.models import Client
from portal.editing.base_version import BaseVersion
from portal.editing.merge.budget import Budget
from portal.web.actor import UNKNOWN_ACTOR, Actor


@dataclass(frozen=True)
class WriteContext:
    """Who writes, from which version and how.

    `caller` is the user whose permission is checked under the lock. None is the operator, who has all permissions.
    `source` is one of revisions.SOURCES. `is_one_of_many`: the same is done to several clients, and their new adviser
    is notified once. All merges and diffs of the write share `budget`.
    """

    base_version: BaseVersion
    actor: Actor
    caller: Caller | None
    source: str
    budget: Budget = field(default_factory=Budget)
    is_one_of_many: bool = False


def command_context(client: Client, actor: Actor) -> WriteContext:
    """Return the context of a command, which starts from the client's current version."""
    return WriteContext(BaseVersion(client.version), actor, caller=None, source="cli")


def preview_context(base_version: BaseVersion, budget: Budget) -> WriteContext:
    """Return the context of a merge that is shown and never written, so it has no author."""
    return WriteContext(base_version, UNKNOWN_ACTOR, caller=None, source="form", budget=budget)
