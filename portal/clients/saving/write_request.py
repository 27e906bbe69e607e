"""What a write was sent: by whom, from which origin, as a form or as JSON. Called by views that have authorised it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from portal.auth import Profile
from portal.clients.permissions import Caller
from portal.editing.base_version import Origin, origin_from
from portal.editing.merge.budget import Budget
from portal.web.actor import Whence, whence
from portal.web.request_body import is_json, sent_form
from portal.web.session_cookie import Identity, identity


@dataclass(frozen=True)
class Asked:
    """`sent` has the fields, `origin` is read from them; a program `speaks_json`.

    `budget` is for every merge and every diff of the request together.
    """

    by: Profile
    sent: Mapping[str, str]
    origin: Origin
    speaks_json: bool
    whence: Whence
    session: Identity
    budget: Budget = field(default_factory=Budget)

    @property
    def caller(self) -> Caller:
        return Caller(self.by, self.session)

    @property
    def source(self) -> str:
        return "json" if self.speaks_json else "form"


def asked_by(profile: Profile) -> Asked:
    """What this request sends. Every write says where it started from, or is refused: raises InvalidInput (422)."""
    return Asked(profile, sent_form(), origin_from(sent_form()), is_json(), whence(), identity())
