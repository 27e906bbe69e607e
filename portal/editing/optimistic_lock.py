"""The guard under every save: a change is accepted only on the version that it started from.

Called by the operations of any feature whose model has `id` and `version`. Must not import a feature.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ARRAY, Integer, any_, func, literal, select, update
from sqlalchemy.orm import Session, scoped_session

from portal.errors import StaleVersion


def update_if_unchanged(
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


def bump_versions_if_unchanged(
    session: Session | scoped_session[Any], model: type[Any], base_versions: Mapping[int, int], values: dict[str, Any]
) -> dict[int, int]:
    """Raise the version of many records at once, writing `values` over each; return id → new version.

    All or none: raises StaleVersion (409) where one is no longer at its base version. The rows are locked in the order
    of their ids first, so that two who write many cannot wait for each other. Flushes; the caller commits.
    """
    ids = sorted(base_versions)
    wanted = literal(ids, ARRAY(Integer))
    session.execute(select(model.id).where(model.id == any_(wanted)).order_by(model.id).with_for_update(key_share=True))
    their_versions = literal([base_versions[id_] for id_ in ids], ARRAY(Integer))
    expected = func.unnest(wanted, their_versions).table_valued("id", "version").render_derived()
    claimed = session.execute(
        update(model)
        .where(model.id == expected.c.id, model.version == expected.c.version)
        .values(**values, version=model.version + 1)
        .returning(model.id, model.version)
        .execution_options(synchronize_session=False)
    )
    new_versions = {row.id: row.version for row in claimed}
    if len(new_versions) < len(ids):
        raise StaleVersion("Somebody else has changed one of these records meanwhile.")
    return new_versions
