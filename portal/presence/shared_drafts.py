"""Share drafts among the editors of the same form (ARCHITECTURE.md, Unsaved values).

The values leave the database only in readings for streams and in the response of `current_store().shared_drafts`.
"""

from collections.abc import Iterable, Mapping
from typing import TypedDict

from sqlalchemy import Connection

from portal.config import PresenceTimings
from portal.editing.drafts.store import ASIDE, DraftKey
from portal.live.source import Drafts
from portal.monitoring import metrics
from portal.presence.shared_drafts_sql import NOTIFY_EDITORS


class SharedDraft(TypedDict):
    """The unsaved values of one user in one form (docs/api.md), as `shared_drafts_sql.shared_of` returns them."""

    form: str
    user: int
    updated_at: str
    values: Mapping[str, str]
    version: int
    seen: str


class SharedDrafts:
    """The shared drafts of one page at one time, for each of its open editors."""

    def __init__(
        self, now_epoch: float, opened: Iterable[tuple[int, str]] | None, shared: Iterable[SharedDraft] | None
    ) -> None:
        self._now_epoch = now_epoch
        self._forms: dict[int, set[str]] = {}
        for profile_id, form in opened or ():
            self._forms.setdefault(profile_id, set()).add(form)
        self._shared = [_without_aside(draft) for draft in shared or ()]
        self._by_forms: dict[frozenset[str], Drafts] = {}

    def of(self, profile_id: int, *, may_edit: bool) -> Drafts:
        """Return the drafts of the forms that the profile has open, its own included. The browser ignores those.

        A profile that may not change the record receives none. Profiles with the same forms receive the same object, so
        that it is encoded once for many streams. The signature contains the forms, so a stream that opens again for an
        editor is also sent an empty state.
        """
        forms = frozenset(self._forms.get(profile_id, ()) if may_edit else ())
        if forms not in self._by_forms:
            drafts = [draft for draft in self._shared if draft["form"] in forms]
            signature = (*sorted(forms), *((draft["form"], draft["user"], draft["updated_at"]) for draft in drafts))
            self._by_forms[forms] = Drafts(signature, {"read_at": self._now_epoch, "drafts": drafts})
        return self._by_forms[forms]


def _without_aside(draft: SharedDraft) -> SharedDraft:
    """Return the draft without values that its user has set aside."""
    values = {name: value for name, value in draft["values"].items() if not name.startswith(ASIDE)}
    return {**draft, "values": values}


def notify_editors(connection: Connection, key: DraftKey, timings: PresenceTimings) -> None:
    """Notify the page of a changed draft, if another user has the same form open."""
    parameters = {
        "page_identifier": key.page_identifier,
        "profile_id": key.profile_id,
        "form": key.shared_form,
        "window": timings.active_window_seconds,
    }
    notified = connection.execute(NOTIFY_EDITORS, parameters).all()
    metrics.NOTIFICATIONS_SENT.inc(len(notified))
