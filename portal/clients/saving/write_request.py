"""Parse what a write has sent, from a form or from JSON: its fields and its context."""

from collections.abc import Mapping
from dataclasses import dataclass

from portal.auth import Profile
from portal.clients.permissions import Caller
from portal.clients.saving.write_context import WriteContext
from portal.editing.base_version import BaseVersion, parse_base_version
from portal.web.actor import Actor, request_origin
from portal.web.request_body import is_json, request_fields
from portal.web.session_cookie import identity


@dataclass(frozen=True)
class WriteRequest:
    """What the user `by` has sent, with the context that the operations need."""

    by: Profile
    fields: Mapping[str, str]
    context: WriteContext

    @property
    def wants_json(self) -> bool:
        """Return whether the sender is a program."""
        return self.context.source == "json"


def write_request_from(profile: Profile, *, base_version: BaseVersion | None = None) -> WriteRequest:
    """Parse this request. `base_version` is that of a write that collides with nothing, whatever it was sent from.

    Raises InvalidInput (422) without a base version.
    """
    fields = request_fields()
    context = WriteContext(
        base_version=base_version or parse_base_version(fields),
        actor=Actor(profile.id, request_origin()),
        caller=Caller(profile, identity()),
        source="json" if is_json() else "form",
    )
    return WriteRequest(profile, fields, context)
