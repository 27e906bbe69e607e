"""Accept a change of a record only on the version from which it started (optimistic locking).

Works with every model that has `id` and `version`. Must not import a feature.
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
    values: Mapping[str, object],
) -> int:
    """Write `values` to the record if it is still at `base_version`; return the new version.

    One conditional UPDATE decides. PostgreSQL checks `version` again after waiting for a concurrent writer's row lock,
    so exactly one of many saves from one version succeeds. The others raise StaleVersion (409), and so does a save of a
    removed record. Flushes; the caller commits.
    """
    new_version = session.scalar(
        update(model)
        .where(model.id == record_id, model.version == base_version)
        .values(**values, version=model.version + 1)
        .returning(model.version)
        .execution_options(synchronize_session=False)
    )
    if new_version is None:
        raise StaleVersion("Another user has changed this record since you opened it.")
    return int(new_version)


def bump_versions_if_unchanged(
    session: Session | scoped_session[Any],
    model: type[Any],
    base_versions: Mapping[int, int],
    values: Mapping[str, object],
) -> dict[int, int]:
    """Increment the versions of many records and write `values` to each; return {id: new version}.

    Raises StaleVersion (409) if one of them is no longer at its base version, and changes none then. The rows are
    locked in the order of their ids first, so that two such calls cannot deadlock. Flushes; the caller commits.
    """
    ids = sorted(base_versions)
    id_array = literal(ids, ARRAY(Integer))
    session.execute(
        select(model.id).where(model.id == any_(id_array)).order_by(model.id).with_for_update(key_share=True)
    )
    version_array = literal([base_versions[id_] for id_ in ids], ARRAY(Integer))
    expected = func.unnest(id_array, version_array).table_valued("id", "version").render_derived()
    updated = session.execute(
        update(model)
        .where(model.id == expected.c.id, model.version == expected.c.version)
        .values(**values, version=model.version + 1)
        .returning(model.id, model.version)
        .execution_options(synchronize_session=False)
    )
    new_versions = {row.id: row.version for row in updated}
    if len(new_versions) < len(ids):
        raise StaleVersion("Another user has changed one of these records meanwhile.")
    return new_versions
