"""Make edits for the operations as a test or a script does: without a request, with all permissions."""

from collections.abc import Mapping
from typing import Any

from portal.clients.saving.edits import Edit
from portal.clients.saving.write_context import WriteContext
from portal.editing.base_version import BaseVersion
from portal.web.actor import UNKNOWN_ORIGIN, Actor


def edit_from(
    base: BaseVersion | int,
    by: int | None,
    values: Mapping[str, Any] | None = None,
    *,
    source: str = "form",
    **more: Any,
) -> Edit:
    """Return the edit of the profile `by`, which started from the version `base`."""
    base_version = BaseVersion(base) if isinstance(base, int) else base
    return Edit(WriteContext(base_version, Actor(by, UNKNOWN_ORIGIN), None, source), values or {}, **more)
