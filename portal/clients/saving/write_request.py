"""Parse what a write has sent: its author, base version and fields, from a form or from JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from portal.auth import Profile
from portal.clients.permissions import Caller
from portal.editing.base_version import BaseVersion, parse_base_version
from portal.editing.merge.budget import Budget
from portal.web.actor import RequestOrigin, request_origin
from portal.web.request_body import is_json, request_fields
from portal.web.session_cookie import Identity, identity


@dataclass(frozen=True)
class WriteRequest:
    """What a write has sent. `wants_json`: the sender is a program.

    All merges and diffs of the request share `budget`.
    """

    by: Profile
    fields: Mapping[str, str]
    origin: BaseVersion
    wants_json: bool
    request_origin: RequestOrigin
    session: Identity
    budget: Budget = field(default_factory=Budget)

    @property
    def caller(self) -> Caller:
        return Caller(self.by, self.session)

    @property
    def source(self) -> str:
        return "json" if self.wants_json else "form"


def write_request_from(profile: Profile) -> WriteRequest:
    """Parse this request. Raises InvalidInput (422) without a base version."""
    return WriteRequest(
        profile, request_fields(), parse_base_version(request_fields()), is_json(), request_origin(), identity()
    )
