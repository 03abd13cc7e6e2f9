"""What the database is asked for: a List reads its own page, whatever else is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.unit.control.tenant import Tenant

from matinee.control.records import Resource
from matinee.storage.metadata import resources

GROUP = "arn:aws:personalize:us-east-1:123456789012:dataset-group/films"


def plan_of(tenant: Tenant, call: Callable[[], Any]) -> str:
    """How SQLite carries out the last statement of a call."""
    asked: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    sa.event.listen(tenant.database.engine, "before_cursor_execute", note)
    try:
        call()
    finally:
        sa.event.remove(tenant.database.engine, "before_cursor_execute", note)
    statement, parameters = asked[-1]
    with tenant.database.read() as connection:
        steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    return "; ".join(str(step.detail) for step in steps)


@pytest.mark.parametrize(
    ("params", "index"),
    [({}, "ix_resources_listing"), ({"datasetGroupArn": GROUP}, "ix_resources_children")],
    ids=["whole", "narrowed"],
)
def test_a_list_is_read_by_index_and_in_its_order(tmp_path: Path, params: dict[str, str], index: str) -> None:
    """SQLite plans without statistics, so the same way for every size of the table."""
    tenant = Tenant.fresh(tmp_path)
    plan = plan_of(tenant, lambda: tenant.list_filters(**params))
    tenant.database.close()
    assert index in plan
    assert "TEMP B-TREE" not in plan


def test_the_fields_of_a_resource_stand_in_the_order_of_the_columns() -> None:
    """Lists fill them by place."""
    assert [field.name for field in fields(Resource)] == [column.name for column in resources.columns]
