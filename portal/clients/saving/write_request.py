"""What a write was sent: by whom, from which origin, as a form or as JSON. Called by views that have authorised it."""

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
    """`sent` has the fields, `origin` is read from them; a program `speaks_json`.

    `budget` is for every merge and every diff of the request together.
    """

    by: Profile
    sent: Mapping[str, str]
    origin: BaseVersion
    speaks_json: bool
    request_origin: RequestOrigin
    session: Identity
    budget: Budget = field(default_factory=Budget)

    @property
    def caller(self) -> Caller:
        return Caller(self.by, self.session)

    @property
    def source(self) -> str:
        return "json" if self.speaks_json else "form"


def write_request_from(profile: Profile) -> WriteRequest:
    """What this request sends. Every write says where it started from, or is refused: raises InvalidInput (422)."""
    return WriteRequest(
        profile, request_fields(), parse_base_version(request_fields()), is_json(), request_origin(), identity()
    )
