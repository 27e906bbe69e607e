"""The guard under every save: a change is accepted only on the version that it started from.

Called by the operations of any feature whose model has `id` and `version`. Must not import a feature.
"""

from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session, scoped_session

from portal.errors import StaleVersion


def save_guarded(
    session: Session | scoped_session[Any],
    model: type[Any],
    record_id: int,
    base_version: int,
    values: dict[str, Any],
) -> int:
    """Write `values` over the record if it is still at `base_version`; return the new version.

    One conditional UPDATE decides: PostgreSQL re-checks `version` after waiting for a concurrent writer's row
    lock, so of many saves from one version exactly one matches. Raises StaleVersion (409) for all the others,
    also when the record is gone. Flushes; the caller commits.
    """
    new_version = session.scalar(
        update(model)
        .where(model.id == record_id, model.version == base_version)
        .values(**values, version=model.version + 1)
        .returning(model.version)
        .execution_options(synchronize_session=False)
    )
    if new_version is None:
        raise StaleVersion("Somebody else has changed this record since you opened it.")
    return int(new_version)
