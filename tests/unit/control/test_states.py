"""The tables of states: complete, closed, and kept."""

from __future__ import annotations

import pytest
from tests.unit.control.tenant import Tenant

from matinee.control import plane, states
from matinee.control.kind import Kind

VOCABULARY = {
    *states.BUSY,
    *states.DELETING,
    *states.FAILED,
    "ACTIVE",
    "INACTIVE",
    "COMPLETED",
    states.GONE,
}


def test_every_kind_with_a_status_has_a_table() -> None:
    kinds = {value.word for module in plane.MODULES for value in vars(module).values() if isinstance(value, Kind)}
    assert kinds - {"schema"} == set(states.TRANSITIONS)


@pytest.mark.parametrize("kind", states.TRANSITIONS)
def test_a_table_uses_known_states_and_leads_nowhere_else(kind: str) -> None:
    table = states.TRANSITIONS[kind]
    reached = {to for targets in table.values() for to in targets}
    assert set(table) | reached <= VOCABULARY
    assert reached - {states.GONE} <= set(table)


def test_a_change_that_the_table_lacks_is_refused(tenant: Tenant) -> None:
    arn = tenant.create_dataset_group(name="films")["datasetGroupArn"]
    with (
        tenant.database.transaction() as connection,
        pytest.raises(states.IllegalTransition, match="is in state CREATE PENDING; it cannot become ACTIVE"),
    ):
        states.advance(connection, arn, "ACTIVE")
    assert tenant.status(arn) == "CREATE PENDING"


def test_what_is_gone_cannot_change(tenant: Tenant) -> None:
    with (
        tenant.database.transaction() as connection,
        pytest.raises(states.IllegalTransition, match="no longer exists"),
    ):
        states.advance(connection, tenant.caller.arn("filter/none"), "ACTIVE")
