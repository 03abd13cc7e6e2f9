"""Every refusal of the specification, through boto3: the right exception class, and the words that help.

The rows are in refusal_rows.py and refusal_rules.py, each with the section that it is from. What data and trainings
are refused for shows in `failureReason` and is tried where jobs are: tests/unit/jobs, tests/unit/training.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from tests.contract import refusal_rows, refusal_rules, refusal_schemas, refusal_stage, refusal_states, refusal_training
from tests.contract.refusal_rows import LE, Row
from tests.contract.refusal_rules import QUOTAS
from tests.contract.refusal_stage import Stage, twin
from tests.contract.refusal_states import LIFECYCLES, SAMPLES, Case, Use
from tests.unit.control import shapes

from matinee.control import states

ROWS = tuple(
    chain(
        refusal_rows.shapes(),
        refusal_rows.duplicates(),
        refusal_rows.missing(),
        refusal_rows.tokens(),
        refusal_rows.not_active(),
        refusal_rows.deletions(),
        refusal_rows.tags(),
        refusal_schemas.schemas(),
        refusal_rules.data(),
        refusal_rules.training(),
        refusal_rules.serving(),
        refusal_training.parameters(),
        refusal_training.configurations(),
        refusal_training.updates(),
        refusal_training.unsuitable(),
        refusal_rules.filters(),
        refusal_rules.batches(),
        refusal_rules.attributions(),
    )
)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Resources of every kind in every state; no refusal changes them."""
    with refusal_stage.filled(tmp_path_factory.mktemp("stage")) as full:
        yield full


def refused(stage: Stage, operation: str, request: dict[str, Any], exception: str, words: str) -> None:
    """The request raises the exception class of that name, with a message that has the words."""
    with pytest.raises(getattr(stage.client.exceptions, exception)) as refusal:
        getattr(stage.client, xform_name(operation))(**stage.filled(request))
    assert isinstance(refusal.value, ClientError)
    error = refusal.value.response["Error"]
    assert error["Code"] == exception
    expected = re.sub(r"@([a-z.0-9]+[a-z0-9])", lambda found: re.escape(stage.arns[found.group(1)]), words)
    assert re.search(expected, error["Message"]), error["Message"]
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_the_specification_refuses_is_refused(row: Row, stage: Stage) -> None:
    refused(stage, row.operation, row.request, row.exception, row.words)


def test_every_operation_that_can_refuse_has_a_row() -> None:
    tried = {row.operation for row in ROWS}
    service = shapes.service()
    assert {name for name in service.operation_names if service.operation_model(name).error_shapes} - tried == set()


def test_each_kind_has_the_states_of_the_specification() -> None:
    assert {kind: set(table) for kind, table in states.TRANSITIONS.items()} == {
        kind: set(named) for kind, named in LIFECYCLES.items()
    }


@pytest.mark.parametrize("case", [*refusal_states.own_states(), *refusal_states.named_states()], ids=str)
def test_a_wrong_state_is_refused(case: Case, stage: Stage) -> None:
    with twin(stage, SAMPLES[case.kind], case.status):
        refused(stage, case.operation, case.request, case.exception, case.words)


@pytest.mark.parametrize("use", list(refusal_states.uses()), ids=str)
def test_what_is_in_use_is_kept(use: Use, stage: Stage) -> None:
    with ExitStack() as held:
        group = held.enter_context(twin(stage, "group.films", "ACTIVE"))
        of_group = {"datasetGroupArn": group} if use.kind != "dataset-group" else {}
        kept = group
        if of_group:
            status = None if use.kind == "schema" else "ACTIVE"
            kept = held.enter_context(twin(stage, SAMPLES[use.kind], status, known="kept", **of_group))
        member = refusal_states.arn_member(use.kind)
        user = held.enter_context(
            twin(stage, SAMPLES[use.user], use.status, known="user", **{"datasetGroupArn": group, member: kept})
        )
        operation, request = f"Delete{use.kind.title().replace('-', '')}", {member: kept}
        if use.forbids:
            refused(stage, operation, request, "ResourceInUseException", re.escape(user))
        else:
            answer = getattr(stage.client, xform_name(operation))(**request)
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A service with the real quotas, and what requests of the rows name."""
    with refusal_stage.empty(tmp_path_factory.mktemp("limited"), aws_quotas=True) as stage:
        refusal_stage.least(stage)
        yield stage


@pytest.mark.parametrize("quota", QUOTAS, ids=lambda quota: f"11.2-{quota[0]}-{quota[6][:30]}")
def test_one_more_than_a_quota_is_refused(
    quota: tuple[str, int, str, bool, str, dict[str, Any], str], limited: Stage
) -> None:
    kind, count, status, in_group, operation, request, words = quota
    name = "group.vod" if kind == "recommender" else "group.films"
    with refusal_stage.crowd(limited, kind, count, status=status, group=limited.arns[name] if in_group else None):
        refused(limited, operation, request, LE, re.escape(words))
